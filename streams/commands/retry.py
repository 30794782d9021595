"""`odoo-cdc retry`: what waits goes now, what is dead or was rejected begins anew."""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

from schemas.arguments import MalformedCommand, Selection
from schemas.command import Command, Kind
from schemas.config import Config, load
from schemas.errors import BadUsage, NothingFound
from schemas.keys import split_delivery_id
from streams.chains.by_hand import Result, summary
from streams.commands.asking import declare_timeout
from streams.commands.names import unfamiliar
from streams.queries.answers import Gathered
from streams.queries.asking import Asking, require_answers
from streams.queries.prose import table

HELP: Final = "send what waits now, and what is dead or was rejected again"
EXAMPLE: Final = "odoo-cdc retry --target webshop --all-dead --dry-run"

_MEANS: Final = {
    Result.NOW: "waited for their time and go now",
    Result.PUT_BACK: "were dead or rejected and begin anew",
    Result.SUPERSEDED: "stay as they are: a newer one of the record has gone ahead",
    Result.IN_TURN: "wait for others of their record, or are held back, and go then",
    Result.ON_ITS_WAY: "are on their way: the answer is awaited",
    Result.BUSY: "could not be put back: their record is being sent all the time; try again",
    Result.UNREAD: "wait until what a worker before may have sent is read again: try again when"
    " their target gets deliveries",
    Result.UNSENDABLE: "never could be sent: see why with queue, then change the record in Odoo,"
    " or `resend` it; once that has gone, retry ends them",
    Result.GONE: "are gone from Kafka: `odoo-cdc resend` sends the record as it is now",
    Result.FORGOTTEN: "are older than the ledger: they may have arrived since, newer ones may have"
    " gone ahead; `odoo-cdc resend` sends the record as it is now",
}


class NothingNamed(BadUsage):
    """It is not said what to retry."""

    hint = "Name deliveries: --id, --chain, --target, or --all-dead for all that is given up."


class NothingMatches(NothingFound):
    """There is nothing that can be sent again."""

    hint = "`odoo-cdc queue` lists what waits and what is dead or was rejected."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--id", action="append", metavar="ID", help="this delivery")
    parser.add_argument(
        "--chain",
        action="append",
        metavar="CHAIN",
        help="all of a record at a target: SOURCE/TARGET/MODEL/RECORD",
    )
    parser.add_argument("--target", action="append", metavar="NAME", help="all of this target")
    parser.add_argument(
        "--all-dead",
        action="store_true",
        help="only what is dead or was rejected: of what is named, else all there is",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be done")
    declare_timeout(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the workers; 1 where nothing matches, 3 where one does not answer."""
    config = load(args.config)
    selection = _selection(args, config)
    asking = Asking(config, args.timeout)
    command, gathered = asking.ask(Kind.RETRY, selection.to_fields(), _chains(selection))
    if args.json:
        print(json.dumps(_to_json(command, gathered, selection), ensure_ascii=False))
    else:
        _print(gathered, selection)
    require_answers(gathered)
    if not gathered.counts:
        strange = unfamiliar(config, targets=_targets(selection))
        raise NothingMatches(f"nothing matches{strange}")
    return 0 if summary(gathered.counts) else 1


def _selection(args: argparse.Namespace, config: Config) -> Selection:
    try:
        selection = Selection.of(
            {
                "ids": args.id or [],
                "chains": args.chain or [],
                "targets": args.target or [],
                "all_dead": args.all_dead,
                "dry_run": args.dry_run,
            }
        )
    except MalformedCommand as error:
        raise NothingNamed(str(error)) from error
    for name in (*selection.ids, *selection.chains):
        if not name.startswith(f"{config.source.name}/"):
            raise NothingNamed(f"{name} is not of source {config.source.name}")
    return selection


def _chains(selection: Selection) -> list[str] | None:
    """Return the chains that it is about; None where it may be about any."""
    if selection.targets or not selection.named:
        return None
    return [*selection.chains, *(split_delivery_id(name)[0] for name in selection.ids)]


def _targets(selection: Selection) -> list[str]:
    """Return the targets that are named, by themselves or in chains and ids."""
    parts = (name.split("/", 2)[1] for name in (*selection.chains, *selection.ids))
    return list(dict.fromkeys((*selection.targets, *parts)))


def _to_json(command: Command, gathered: Gathered, selection: Selection) -> dict[str, Any]:
    said = gathered.to_json()
    said["counts"] = {each.value: said["counts"].get(each.value, 0) for each in Result}
    return {"command": command.id, "dry_run": selection.dry_run, **said}


def _print(gathered: Gathered, selection: Selection) -> None:
    counts = gathered.counts
    if not counts:
        return
    if selection.dry_run:
        print("dry run: nothing is changed\n")
    rows = [
        [str(counts[each.value]), each.value, means]
        for each, means in _MEANS.items()
        if counts.get(each.value)
    ]
    print(table(["deliveries", "result", "they"], rows))
    print()
    print(table(["result", "delivery"], [[what, name] for name, what in gathered.deliveries]))
    shown = len(gathered.deliveries)
    if (number := sum(counts.values())) > shown:
        print(f"... and {number - shown} more")
