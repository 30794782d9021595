"""`odoo-cdc shadow-run`: what would be sent, into a file or a topic; and its comparison."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import signal
import sys
from pathlib import Path
from typing import Final

from schemas.config import Config, load
from schemas.errors import BadUsage
from streams.commands import shadow_compare
from streams.queries.prose import table
from streams.shadow_run.life import Wish, folder_of, live
from streams.shadow_run.run import Counts

HELP: Final = (
    "write what would be sent to a file or a topic, and compare it with another program's"
)
EXAMPLE: Final = (
    "odoo-cdc shadow-run --until-caught-up\n"
    "  odoo-cdc shadow-run --compare old.jsonl --route orders"
)

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_MEANS: Final = {
    "events": "events, taken through the routes",
    "deliveries": "deliveries, a line each",
    "undeliverable": "that cannot be sent, a line each with its reason",
    "repeats": "events that capture had published before, left out",
    "older_shape": "times an event did not show what a route reads",
    "unreadable": "records that are no events, left out",
}


class BadShadowRun(BadUsage):
    """That is no shadow run."""

    hint = "Write `odoo-cdc shadow-run`, or `odoo-cdc shadow-run --compare OLD.jsonl`."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--name",
        default="default",
        metavar="NAME",
        help="where it goes on: its folder is `state:`/shadow-run-NAME (default: %(default)s)",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="the file of lines (default: deliveries.jsonl in that folder)",
    )
    where.add_argument("--topic", metavar="TOPIC", help="a topic of Kafka instead of a file")
    parser.add_argument(
        "--until-caught-up",
        action="store_true",
        help="end when all events are done that were there at the start",
    )
    shadow_compare.configure(parser.add_argument_group("comparison"))


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT, or compare: see `shadow_compare.run` for its exit codes."""
    for number in (signal.SIGTERM, signal.SIGINT):  # until the event loop has its own
        signal.signal(number, lambda *_: sys.exit(0))
    config = load(args.config)
    if not _NAME.fullmatch(args.name):
        raise BadShadowRun(
            f"{args.name!r} cannot be a name",
            hint="Use small letters, digits, dashes and underscores: --name before-cutover",
        )
    file = _file(args, config)
    if args.compare is not None:
        if file is None:
            raise BadShadowRun("a topic cannot be compared", hint="Let it write to a --file.")
        return shadow_compare.run(args, file)
    counts = live(config, Wish(args.name, file, args.topic, args.until_caught_up))
    print(_said(args, counts, args.topic or str(file)))
    return 0


def _file(args: argparse.Namespace, config: Config) -> Path | None:
    if args.topic is not None:
        return None
    file: Path = args.file or folder_of(config, args.name) / "deliveries.jsonl"
    return file.absolute()


def _said(args: argparse.Namespace, counts: Counts, output: str) -> str:
    said = dataclasses.asdict(counts)
    if args.json:
        return json.dumps({"output": output, **said}, ensure_ascii=False)
    rows = [[str(said[name]), means] for name, means in _MEANS.items() if said[name]]
    return f"{output}\n{table(['', ''], rows).strip()}" if rows else f"{output}\nno events"
