"""`odoo-cdc pause`: nothing of a target, a route or a chain is sent until `resume`."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Final

from schemas.command import Kind
from schemas.config import load
from streams.commands.asking import ask, declare_subject, require_known, say, subject_of, waits
from streams.queries.asking import Asking
from streams.queries.lookup import Lookup

HELP: Final = "send nothing more of a target, a route or a chain; what comes waits"
EXAMPLE: Final = "odoo-cdc pause --target webshop"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_subject(parser)


def run(args: argparse.Namespace) -> int:
    """Pause; when this ends with 0 nothing more of it begins."""
    config = load(args.config)
    subject = subject_of(args)
    require_known(subject, config)
    command, gathered = ask(Asking(config, args.timeout), Kind.PAUSE, subject)
    left = gathered.counts.get("left", 0)
    with closing(Lookup(config)) as lookup:
        waiting = left + lookup.resting(subject)
    say(args, command, subject, f"{subject.text} is paused; {waits(subject, waiting)}", left)
    return 0
