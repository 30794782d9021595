"""`odoo-cdc replay`: past events once more, through today's routes."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Final

from schemas.arguments import MalformedCommand
from schemas.command import Command, Kind, Progress
from schemas.config import load
from schemas.errors import BadUsage, NothingFound
from schemas.replay import Request, bound_of
from schemas.terminal import agrees
from streams.commands.asking import declare_timeout, is_asked
from streams.commands.names import unfamiliar
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, command_of, require_answers
from streams.queries.prose import table
from streams.replays.job import LOOKED, OF
from streams.replays.portion import Came, by_route

HELP: Final = "send past events once more, through today's routes"
EXAMPLE: Final = "odoo-cdc replay sale.order --from 2026-11-23T10:00Z --target webshop --dry-run"

_MEANS: Final = {
    Came.UNCHANGED: "changed nothing that a route shows, and send nothing",
    Came.IGNORED: "were written by users whom a route ignores, and send nothing",
    Came.OLDER_SHAPE: "do not show what a route of today reads: `odoo-cdc resend` sends the"
    " record as it is now",
    Came.FORGOTTEN: "are older than the ledger, so a newer state may have gone unseen: `resend`"
    " the record, or send older states all the same (`--force-older`)",
    Came.UNSENDABLE: "cannot be sent: a value or the size forbids it",
    Came.UNREADABLE: "cannot be read",
}


class BadReplay(BadUsage):
    """It is not said what to replay."""

    hint = "Name a model, and where to begin: `odoo-cdc replay sale.order --from 0/16B3748`."


class NothingToReplay(NothingFound):
    """No past event that Kafka holds sends anything."""

    hint = (
        "Kafka keeps events for `topics.retention`; look with `odoo-cdc trace` what was sent, and"
        " with `odoo-cdc check` whether the routes match."
    )


class NoSuchReplay(NothingFound):
    """No replay of that name is under way."""

    hint = "`odoo-cdc status` lists the replays under way."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="whose events: sale.order")
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="WHERE",
        help="where to begin: the time of a commit (2026-11-23T10:00Z), its LSN (0/16B3748), or"
        " PARTITION:OFFSET of the model's topic",
    )
    parser.add_argument(
        "--to", dest="end", metavar="WHERE", help="where to end, before it (default: as of now)"
    )
    parser.add_argument("--id", action="append", type=int, metavar="N", help="only of this record")
    parser.add_argument("--route", action="append", metavar="NAME", help="only by this route")
    parser.add_argument("--target", action="append", metavar="NAME", help="only to this target")
    parser.add_argument(
        "--rate",
        type=float,
        metavar="N",
        help="at most N deliveries a second (default: as many"
        " as the queues take; live changes go first in any case)",
    )
    parser.add_argument(
        "--force-older",
        action="store_true",
        help="send older states of a record although newer ones have gone. Targets that follow"
        " `sequence` drop them; others show the older state until the next change",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--cancel", metavar="ID", help="end a replay; what is queued still goes")
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Look, ask, and replay; 1 where nothing is sent, 3 where a worker does not answer."""
    config = load(args.config)
    if args.cancel is not None:
        return _cancel(args, Asking(config, args.timeout))
    request = _request(args)
    strange = unfamiliar(
        config, targets=request.targets, routes=request.routes, models=[request.model]
    )
    if strange:
        raise BadReplay(strange.removeprefix("; "))
    asking = Asking(config, args.timeout, says=_so_far)
    if args.dry_run or is_asked(args):
        command, gathered = asking.ask(Kind.REPLAY, request.to_fields(), _keys(request))
        if args.dry_run:
            return _end(args, command, gathered, request)
        _print(gathered, request)
        require_answers(gathered)
        if not gathered.counts.get(Came.DELIVERIES) or not agrees("\nSend them?"):
            return 1
    return _replay(args, asking, request.numbered(asking.claim()))


def _replay(args: argparse.Namespace, asking: Asking, request: Request) -> int:
    command = command_of(Kind.REPLAY, request.to_fields())
    sys.stderr.write(
        f"replay {command.id} begins; `odoo-cdc replay --cancel {command.id}` ends it\n"
    )
    try:
        gathered = asking.follow(command, _keys(request))
    except KeyboardInterrupt:
        sys.stderr.write("\nit goes on\n")
        raise
    return _end(args, command, gathered, request)


def _end(args: argparse.Namespace, command: Command, gathered: Gathered, request: Request) -> int:
    if args.json:
        print(json.dumps(_to_json(command, gathered, request), ensure_ascii=False))
    else:
        _print(gathered, request)
        if not request.dry_run:
            made = gathered.counts.get(Came.DELIVERIES, 0)
            print(
                f"{made} deliveries of {command.id} are queued; `odoo-cdc queue` shows those left"
            )
    require_answers(gathered)
    if not gathered.counts.get(Came.DELIVERIES):
        raise NothingToReplay("nothing is sent")
    return 0


def _cancel(args: argparse.Namespace, asking: Asking) -> int:
    command, gathered = asking.ask(Kind.CANCEL, {"id": args.cancel})
    require_answers(gathered)
    parts, sent = gathered.counts.get("cancelled", 0), gathered.counts.get(Came.DELIVERIES, 0)
    if args.json:
        said = {"command": command.id, "cancelled": args.cancel, "partitions": parts}
        print(json.dumps({**said, "deliveries": sent}))
    if not parts:
        raise NoSuchReplay(f"no replay {args.cancel} is under way")
    if not args.json:
        print(f"{args.cancel} is cancelled; {sent} deliveries of it were queued already, and go")
    return 0


def _request(args: argparse.Namespace) -> Request:
    if args.model is None:
        raise BadReplay("there is no model")
    try:
        request = Request(
            model=args.model,
            begin=bound_of(args.begin) if args.begin else None,
            end=bound_of(args.end) if args.end else None,
            ids=tuple(args.id or ()),
            routes=tuple(args.route or ()),
            targets=tuple(args.target or ()),
            rate=args.rate,
            force_older=args.force_older,
            dry_run=True,
        )
        return Request.of(request.to_fields())
    except MalformedCommand as error:
        raise BadReplay(str(error), hint=error.hint if args.begin else BadReplay.hint) from error


def _keys(request: Request) -> list[str] | None:
    """Return the keys of the records that are asked for; None for all."""
    return [str(each) for each in request.ids] or None


def _so_far(gathered: Gathered) -> str:
    counts = gathered.counts
    looked, number = counts.get(LOOKED, 0), counts.get(Came.DELIVERIES, 0)
    share = f" ({looked / of:.0%})" if (of := counts.get(OF, 0)) else ""
    return f"{looked} of {of} events looked through{share}, {number} deliveries"


def _to_json(command: Command, gathered: Gathered, request: Request) -> dict[str, Any]:
    counts = gathered.counts
    names = (OF, LOOKED, *(each.value for each in Came))
    rows = by_route(counts).items()
    states = {answer.progress for answer in gathered.answers.values()}
    return {
        "command": command.id,
        "dry_run": request.dry_run,
        "run": request.run or None,
        "cancelled": Progress.CANCELLED in states,
        "counts": {name: counts.get(name, 0) for name in names},
        "deliveries": [
            {"route": route, "target": target, "operation": operation, "number": number}
            for (route, target, operation), number in rows
        ],
        "partitions": len(gathered.asked),
        "silent": gathered.silent,
        "failures": gathered.failures,
    }


def _print(gathered: Gathered, request: Request) -> None:
    counts = gathered.counts
    rows = [
        [route, target, operation, str(number)]
        for (route, target, operation), number in by_route(counts).items()
    ]
    if rows:
        print(table(["route", "target", "operation", "deliveries"], rows))
        print()
    events = counts.get(Came.EVENTS, 0)
    print(f"{counts.get(LOOKED, 0)} events looked through, {events} of them asked for")
    for what, means in _MEANS.items():
        if number := counts.get(what):
            print(f"{number} {means}")
    if rows and not request.force_older:
        print(
            "Where a newer state of a record has gone to the target by the same route, the older"
            " one is not sent: it ends as `superseded`. So fewer may arrive."
        )
    if any(a.progress is Progress.CANCELLED for a in gathered.answers.values()):
        print("It was cancelled; what was queued goes.")
