"""`odoo-cdc drain`: what is there goes out, what is new waits; then it is paused."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from typing import Final, Self

from schemas.arguments import Subject
from schemas.command import Kind
from schemas.config import Config, load
from schemas.errors import NothingFound
from streams.commands.asking import ask, declare_subject, require_known, say, subject_of, waits
from streams.kafka.scan import Part
from streams.queries.asking import Asking
from streams.queries.lookup import Lookup

HELP: Final = "finish what is queued and waits of a target, a route or a chain, then pause it"
EXAMPLE: Final = "odoo-cdc drain --target webshop"

_PAUSE: Final = 1.0  # seconds between two looks
_LINE: Final = 30.0  # seconds between two lines where there is no terminal


class Resumed(NothingFound):
    """Somebody has resumed it before it was empty."""

    hint = "Ask who; `odoo-cdc drain` begins again."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    declare_subject(parser)


def run(args: argparse.Namespace) -> int:
    """Drain; ends when nothing is left. Interrupted, it goes on draining; `resume` ends it."""
    config = load(args.config)
    subject = subject_of(args)
    require_known(subject, config)
    asking = Asking(config, args.timeout, quiet=True)
    with closing(Lookup(config)) as lookup, _Line() as line:
        ends = {(p.topic, p.partition): p.end for p in lookup.places(_queues(lookup, subject))}
        ends = {part: end for part, end in ends.items() if _concerns(lookup, subject, part)}
        ask(asking, Kind.DRAIN, subject)
        while True:
            # First what is queued: what is read of it is counted by the workers then.
            queued = _queued(lookup, ends)
            _, gathered = ask(asking, Kind.DRAIN, subject, look=True)
            if not {"draining", "paused"} & gathered.counts.keys():
                raise Resumed(f"{subject.text} was resumed")
            left = gathered.counts.get("left", 0)
            line.show(subject, queued, left)
            if not queued and not left:
                break
            time.sleep(_PAUSE)  # workers are asked, they do not tell
        command, gathered = ask(asking, Kind.PAUSE, subject)
        behind = gathered.counts.get("left", 0) + lookup.resting(subject)
    text = f"{subject.text} is drained, and paused: what stood there when this began has gone"
    say(args, command, subject, f"{text}; {waits(subject, behind)}", 0)
    return 0


def _queues(lookup: Lookup, subject: Subject) -> list[str]:
    targets = _targets(lookup.config, subject)
    return [topic for topic, target in lookup.queues.items() if target in targets]


def _targets(config: Config, subject: Subject) -> set[str]:
    match subject.kind:
        case "target":
            return {subject.name}
        case "chain":
            return {subject.name.split("/")[1]}
        case _:
            return {t for r in config.routes if r.name == subject.name for t in r.targets}


def _concerns(lookup: Lookup, subject: Subject, part: Part) -> bool:
    return subject.kind != "chain" or part[1] == lookup.partition(subject.name)


def _queued(lookup: Lookup, ends: dict[Part, int]) -> int:
    """Count what workers have not taken yet of what stood in the queues."""
    places = lookup.places({topic for topic, _ in ends})
    return sum(
        max(0, ends[p.topic, p.partition] - max(p.committed or 0, p.start))
        for p in places
        if (p.topic, p.partition) in ends
    )


class _Line:
    """How far it is, on standard error: one line on a terminal, else one now and then."""

    def __init__(self) -> None:
        self._said = 0.0
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            sys.stderr.write("\r\033[K")

    def show(self, subject: Subject, queued: int, left: int) -> None:
        text = f"{subject.text}: {queued} queued, {left} on their way or waiting"
        if self._terminal:
            sys.stderr.write(f"\r\033[K{text}")
        elif time.monotonic() - self._said > _LINE:
            self._said = time.monotonic()
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
