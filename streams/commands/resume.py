"""`odoo-cdc resume`: what was paused or drained is sent again."""

from __future__ import annotations

import argparse
from contextlib import closing
from typing import Final

from schemas.command import Kind
from schemas.config import load
from schemas.errors import NothingFound
from streams.commands.asking import ask, declare_subject, say, subject_of
from streams.queries.asking import Asking
from streams.queries.lookup import Lookup

HELP: Final = "send again what was paused or drained"
EXAMPLE: Final = "odoo-cdc resume --target webshop"


class NotPaused(NothingFound):
    """It was not paused."""

    hint = "`odoo-cdc status` shows what is held back, why, and since when."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_subject(parser)


def run(args: argparse.Namespace) -> int:
    """Resume; NotPaused (exit 1) where nothing held it. A name need not be in the file."""
    config = load(args.config)
    subject = subject_of(args)
    with closing(Lookup(config)) as lookup:
        paused = {each.key for each in lookup.pauses()}
    if subject.key not in paused:
        raise NotPaused(f"{subject.text} is not paused")
    command, _ = ask(Asking(config, args.timeout), Kind.RESUME, subject)
    say(args, command, subject, f"{subject.text} goes on", 0)
    return 0
