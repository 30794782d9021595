"""`odoo-cdc resend`: documents as they are, once more from capture's shadow."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from schemas.command import Command, Kind
from schemas.config import load
from schemas.resend import Request
from schemas.terminal import agrees
from streams.commands.asking import declare_timeout, is_asked
from streams.commands.drift import drifted
from streams.commands.resending import (
    DOCUMENTS,
    NAMES,
    NoSuchResend,
    NothingToResend,
    ask,
    is_cancelled,
    request_of,
    require,
    so_far,
)
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, command_of
from streams.queries.prose import table
from streams.replays.portion import by_route

HELP: Final = "send records as they are once more, from capture's shadow"
EXAMPLE: Final = "odoo-cdc resend sale.order --id 42 --target webshop"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="whose records: sale.order")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--id", action="append", type=int, metavar="N", help="this record")
    which.add_argument(
        "--domain",
        metavar="DOMAIN",
        help="records that match, as Odoo or as JSON writes it: \"[('state', '=', 'sale')]\";"
        " of what routes read",
    )
    which.add_argument("--all", action="store_true", help="every record of the model")
    which.add_argument("--cancel", metavar="ID", help="end a resend; what is published still goes")
    parser.add_argument(
        "--drift",
        metavar="TARGET",
        help="only what this target was last sent otherwise than it is; without a model, of all"
        " models that go there",
    )
    parser.add_argument("--route", action="append", metavar="NAME", help="only by this route")
    parser.add_argument("--target", action="append", metavar="NAME", help="only to this target")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Ask capture, and show how far it is; 1 where nothing is meant, 3 where it is silent."""
    config = load(args.config)
    if args.cancel is not None:
        return _cancel(args, Asking(config, args.timeout, quiet=True))
    asking = Asking(config, args.timeout, quiet=args.json, says=so_far)
    if args.drift is not None:
        return drifted(args, config, asking)
    request = request_of(args, config, args.model)
    if not request.dry_run and not request.ids and is_asked(args):
        _, looked = ask(asking, request, dry_run=True)
        _print(looked)
        if not looked.counts.get(DOCUMENTS) or not agrees("\nSend them?"):
            return 1
    command, gathered = ask(asking, request, dry_run=request.dry_run)
    if args.json:
        print(json.dumps(_to_json(command, gathered, request), ensure_ascii=False))
    else:
        _say(command, gathered, request)
    if not gathered.counts.get(DOCUMENTS):
        raise NothingToResend(f"no record of {request.model} is meant")
    return 0


def _cancel(args: argparse.Namespace, asking: Asking) -> int:
    # In the same partition as what it takes back, and so behind it.
    command = command_of(Kind.CANCEL_RESEND, {"id": args.cancel})
    gathered = asking.follow(command, [args.cancel])
    require(gathered)
    ended, sent = gathered.counts.get("cancelled", 0), gathered.counts.get(DOCUMENTS, 0)
    if args.json:
        said = {"command": command.id, "cancelled": args.cancel if ended else None}
        print(json.dumps({**said, DOCUMENTS: sent}))
    if not ended:
        raise NoSuchResend(f"no resend {args.cancel} is under way")
    if not args.json:
        print(f"{args.cancel} is cancelled; {sent} documents were published already, and go")
    return 0


def _to_json(command: Command, gathered: Gathered, request: Request) -> dict[str, Any]:
    counts = gathered.counts
    return {
        "command": command.id,
        "dry_run": request.dry_run,
        "cancelled": is_cancelled(gathered),
        "counts": {name: counts.get(name, 0) for name in NAMES},
        "deliveries": [
            {"route": route, "target": target, "operation": operation, "number": number}
            for (route, target, operation), number in by_route(counts).items()
        ],
    }


def _say(command: Command, gathered: Gathered, request: Request) -> None:
    _print(gathered)
    if is_cancelled(gathered):
        print("It was cancelled; what was published goes.")
    elif not request.dry_run and (number := gathered.counts.get(DOCUMENTS)):
        print(f"{number} documents of {command.id} are published; `odoo-cdc queue` shows what")
        print("is made of them and not done")


def _print(gathered: Gathered) -> None:
    counts = gathered.counts
    rows = [
        [route, target, operation, str(number)]
        for (route, target, operation), number in by_route(counts).items()
    ]
    if rows:
        print(table(["route", "target", "operation", "deliveries"], rows))
        print()
    print(f"{counts.get('looked', 0)} records looked at, {counts.get(DOCUMENTS, 0)} meant")
    if gone := counts.get("gone"):
        print(f"{gone} of these are not in Odoo: targets are told that they are gone")
