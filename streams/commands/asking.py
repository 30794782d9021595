"""What the commands share that ask the workers to do something."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from schemas.arguments import MalformedCommand, Subject
from schemas.command import Command, Kind
from schemas.config import Config
from schemas.errors import BadUsage
from streams.commands.names import missing
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, require_answers


class NoSuchName(BadUsage):
    """It does not name a target, a route or a chain of the file."""

    hint = "Name one: --target NAME, --route NAME, or --chain SOURCE/TARGET/MODEL/RECORD."


def declare_subject(parser: argparse.ArgumentParser) -> None:
    """Declare what is named, and how long to wait."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--target", metavar="NAME", help="everything for this target")
    which.add_argument("--route", metavar="NAME", help="everything of this route, for all targets")
    which.add_argument(
        "--chain", metavar="CHAIN", help="one record at a target: SOURCE/TARGET/MODEL/RECORD"
    )
    declare_timeout(parser)


def declare_timeout(parser: argparse.ArgumentParser) -> None:
    """Declare how long to wait."""
    parser.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to wait for a word from the workers (default: %(default)g)",
    )


def is_asked(args: argparse.Namespace) -> bool:
    """Say whether somebody sits there who can be asked, and did not say `--yes`."""
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return at_terminal and not (args.yes or args.json)


def subject_of(args: argparse.Namespace) -> Subject:
    """Return what is named; NoSuchName where it cannot be one."""
    named = {"target": args.target, "route": args.route, "chain": args.chain}
    try:
        return Subject.of({kind: name for kind, name in named.items() if name is not None})
    except MalformedCommand as error:
        raise NoSuchName(str(error)) from error


def require_known(subject: Subject, config: Config) -> None:
    """Raise NoSuchName where the file has no such target, route or source."""
    routes = [route.name for route in config.routes]
    match subject.kind:
        case "target":
            _require("target", subject.name, config.targets)
        case "route":
            _require("route", subject.name, routes)
        case _:
            source, target, *_ = subject.name.split("/")
            _require("source", source, [config.source.name])
            _require("target", target, config.targets)


def ask(asking: Asking, kind: Kind, subject: Subject, **more: Any) -> tuple[Command, Gathered]:
    """Ask all whom it concerns; NoAnswer where one is silent."""
    chains = [subject.name] if subject.kind == "chain" else None
    command, gathered = asking.ask(kind, {**subject.to_fields(), **more}, chains)
    require_answers(gathered)
    return command, gathered


def waits(subject: Subject, number: int) -> str:
    """Say what waits of something paused, and how long."""
    named = f"--{subject.kind} {subject.name}"
    return (
        f"{number} deliveries of it wait, and what comes waits behind them, until"
        f" `odoo-cdc resume {named}`"
    )


def say(
    args: argparse.Namespace, command: Command, subject: Subject, text: str, left: int
) -> None:
    """Say what was done."""
    if args.json:
        fields = {"command": command.id, "kind": command.kind, **subject.to_fields(), "left": left}
        print(json.dumps(fields, ensure_ascii=False))
    else:
        print(text)


def _require(kind: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise NoSuchName(missing(kind, name, names))
