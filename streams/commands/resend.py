"""`odoo-cdc resend`: documents as they are, once more from capture's shadow."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from schemas.arguments import MalformedCommand
from schemas.command import Command, Kind, Progress
from schemas.config import Config, load
from schemas.domain import BadDomain
from schemas.errors import BadUsage, NothingFound, ServiceUnavailable
from schemas.resend import Request
from schemas.terminal import agrees
from streams.commands.asking import declare_timeout, is_asked
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, command_of
from streams.queries.prose import table
from streams.replays.portion import by_route

HELP: Final = "send records as they are once more, from capture's shadow"
EXAMPLE: Final = "odoo-cdc resend sale.order --id 42 --target webshop"

_DOCUMENTS: Final = "documents"
_NAMES: Final = ("of", "reached", "looked", _DOCUMENTS, "gone")


class BadResend(BadUsage):
    """It is not said what to resend."""

    hint = "Name a model and which of its records: `odoo-cdc resend sale.order --id 42`."


class NothingToResend(NothingFound):
    """No record is meant."""

    hint = "`odoo-cdc sample MODEL ID` shows what a record would send, or why it sends nothing."


class NoSuchResend(NothingFound):
    """No resend of that name is under way."""

    hint = "`odoo-cdc status` lists the resends under way, on the host of capture."


class CaptureSilent(ServiceUnavailable):
    """Capture does not answer."""

    hint = (
        "Is `odoo-cdc capture` running, without --until-caught-up? The command stays in Kafka:"
        " capture does it when it runs again, or `odoo-cdc resend --cancel ID` takes it back."
    )


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
    request = _request(args, config)
    asking = Asking(config, args.timeout, quiet=args.json, says=_so_far)
    if not request.dry_run and not request.ids and is_asked(args):
        _, looked = _ask(asking, request, dry_run=True)
        _print(looked)
        if not looked.counts.get(_DOCUMENTS) or not agrees("\nSend them?"):
            return 1
    command, gathered = _ask(asking, request, dry_run=request.dry_run)
    if args.json:
        print(json.dumps(_to_json(command, gathered, request), ensure_ascii=False))
    else:
        _say(command, gathered, request)
    if not gathered.counts.get(_DOCUMENTS):
        raise NothingToResend(f"no record of {request.model} is meant")
    return 0


def _ask(asking: Asking, request: Request, *, dry_run: bool) -> tuple[Command, Gathered]:
    """Ask capture and follow it to the end; CaptureSilent, and BadResend where it refuses."""
    command = command_of(Kind.RESEND, {**request.to_fields(), "dry_run": dry_run})
    if not dry_run:
        sys.stderr.write(
            f"resend {command.id} begins; `odoo-cdc resend --cancel {command.id}` ends it\n"
        )
    try:
        gathered = asking.follow(command, [command.id])
    except KeyboardInterrupt:
        if not dry_run:
            sys.stderr.write(
                "\nit goes on: `odoo-cdc status` shows it,"
                f" `odoo-cdc resend --cancel {command.id}` ends it\n"
            )
        raise
    _require(gathered)
    return command, gathered


def _require(gathered: Gathered) -> None:
    if gathered.failures:
        raise BadResend("; ".join(gathered.failures), hint="Correct it and ask again.")
    if gathered.silent:
        raise CaptureSilent("no word from capture")


def _cancel(args: argparse.Namespace, asking: Asking) -> int:
    # In the same partition as what it takes back, and so behind it.
    command = command_of(Kind.CANCEL_RESEND, {"id": args.cancel})
    gathered = asking.follow(command, [args.cancel])
    _require(gathered)
    ended, sent = gathered.counts.get("cancelled", 0), gathered.counts.get(_DOCUMENTS, 0)
    if args.json:
        said = {"command": command.id, "cancelled": args.cancel if ended else None}
        print(json.dumps({**said, _DOCUMENTS: sent}))
    if not ended:
        raise NoSuchResend(f"no resend {args.cancel} is under way")
    if not args.json:
        print(f"{args.cancel} is cancelled; {sent} documents were published already, and go")
    return 0


def _request(args: argparse.Namespace, config: Config) -> Request:
    if args.model is None:
        raise BadResend("there is no model")
    fields = {
        "model": args.model,
        "ids": args.id or [],
        "domain": None if args.domain is None else _domain(args.domain),
        "all": args.all,
        "routes": args.route or [],
        "targets": args.target or [],
        "dry_run": args.dry_run,
    }
    try:
        request = Request.of(fields)
        request.refuse_strange([(r.name, r.model, r.targets) for r in config.routes])
    except BadDomain as error:
        raise BadResend(f"--domain: {error}", hint=error.hint) from error
    except MalformedCommand as error:
        hint = BadResend.hint if type(error) is MalformedCommand else error.hint
        raise BadResend(str(error), hint=hint) from error
    return request


def _domain(text: str) -> Any:
    """Return a domain in JSON as what it holds; any other text is Odoo's literal."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _so_far(gathered: Gathered) -> str:
    counts = gathered.counts
    waits = next((a.why for a in gathered.answers.values() if a.why), "")
    reached, of = counts.get("reached", 0), counts.get("of", 0)
    share = f"{reached / of:.0%}, " if of else ""
    text = f"{share}{counts.get('looked', 0)} records looked at, {counts.get(_DOCUMENTS, 0)} meant"
    return f"{text}; it waits: {waits}" if waits else text


def _to_json(command: Command, gathered: Gathered, request: Request) -> dict[str, Any]:
    counts = gathered.counts
    return {
        "command": command.id,
        "dry_run": request.dry_run,
        "cancelled": _is_cancelled(gathered),
        "counts": {name: counts.get(name, 0) for name in _NAMES},
        "deliveries": [
            {"route": route, "target": target, "operation": operation, "number": number}
            for (route, target, operation), number in by_route(counts).items()
        ],
    }


def _say(command: Command, gathered: Gathered, request: Request) -> None:
    _print(gathered)
    if _is_cancelled(gathered):
        print("It was cancelled; what was published goes.")
    elif not request.dry_run and (number := gathered.counts.get(_DOCUMENTS)):
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
    print(f"{counts.get('looked', 0)} records looked at, {counts.get(_DOCUMENTS, 0)} meant")
    if gone := counts.get("gone"):
        print(f"{gone} of these are not in Odoo: targets are told that they are gone")


def _is_cancelled(gathered: Gathered) -> bool:
    return any(a.progress is Progress.CANCELLED for a in gathered.answers.values())
