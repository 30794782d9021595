"""`odoo-cdc preview`: what another file would send, of events that Kafka has."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from schemas import message
from schemas.config import Config, load
from schemas.errors import BadUsage, NothingFound
from schemas.event import Event
from streams.commands.names import missing
from streams.commands.showing import pair
from streams.queries.lookup import Lookup
from streams.queries.prose import table
from streams.routing.compare import Comparison, Count, Difference, Side, differing
from streams.routing.routes import Routes, refuse_unfit

HELP: Final = "show what another file would send of recorded events, beside what this one sends"
EXAMPLE: Final = "odoo-cdc preview --with new.yaml --model sale.order --last 500"

_HEADS: Final = {
    Count.SAME: "same",
    Count.DIFFERENT: "different",
    Count.ONLY_NEW: "only new",
    Count.ONLY_OLD: "only old",
    Count.UNSENDABLE: "unsendable",
    Count.UNKNOWN: "unknown",
    Count.ENTER: "enter",
    Count.LEAVE: "leave",
}


class OtherSource(BadUsage):
    """The other file is of another source."""

    hint = "Events of one source say nothing about another: give both files the same source.name."


class NotInEither(BadUsage):
    """No route of either file reads the model."""

    hint = "Name a model that a route reads, or leave --model out."


class NothingRecorded(NothingFound):
    """Kafka has no event that could be looked at."""

    hint = (
        "`capture` publishes events for the models of the file that it runs with, and Kafka keeps"
        " them for `topics.retention`."
    )


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--with", dest="other", required=True, metavar="FILE", help="the other sync.yaml"
    )
    parser.add_argument(
        "--model", action="append", metavar="MODEL", help="only events of this model"
    )
    parser.add_argument(
        "--last",
        type=int,
        default=1000,
        metavar="N",
        help="the latest N events of each model (default: %(default)s)",
    )
    parser.add_argument(
        "--show",
        type=int,
        default=10,
        metavar="N",
        help="show N deliveries that differ (default: %(default)s; --json gives them all)",
    )


def run(args: argparse.Namespace) -> int:
    """Compare, and print counts, then differences; NothingRecorded (1) where nothing is there."""
    config, other = load(args.config), load(Path(args.other))
    if other.source.name != config.source.name:
        raise OtherSource(
            f"{args.other} is of source {other.source.name}, not of {config.source.name}"
        )
    old, new = Routes.of_config(config), Routes.of_config(other)
    comparison = Comparison(old, new)
    events = _events(config, other, _models(args, old, new), max(1, args.last))
    if not events:
        raise NothingRecorded("there are no events to look at")
    for event in events:
        comparison.take(event)
    if args.json:
        print(message.encode(_to_json(comparison, events)))
    else:
        print("\n".join(_lines(comparison, events, args.show)))
    return 0


def _models(args: argparse.Namespace, old: Routes, new: Routes) -> list[str]:
    known = sorted({*old.models, *new.models})
    for name in args.model or ():
        if name not in known:
            raise NotInEither(missing("route for the model", name, known))
    return args.model or known


def _events(config: Config, other: Config, models: Sequence[str], last: int) -> list[Event]:
    """Return the latest events of models, and refuse a file that none of their shapes fits."""
    with closing(Lookup(config)) as lookup:
        book = lookup.schemas()
        refuse_unfit(other, book.shapes)
        there = lookup.there()
        names = [m for m in models if lookup.topics.events(m) in there]
        events = [event for name in names for event in lookup.events(name, last, book)]
    return sorted(events, key=lambda event: event.position.sequence)


def _to_json(comparison: Comparison, events: Sequence[Event]) -> dict[str, Any]:
    moved = comparison.moved()
    return {
        "events": comparison.events,
        "from": events[0].time,
        "to": events[-1].time,
        "routes": [
            {
                "route": line[0],
                "target": line[1],
                **{count.value: number for count, number in counts.items()},
                "entering": moved.get(line, {}).get(Count.ENTER, []),
                "leaving": moved.get(line, {}).get(Count.LEAVE, []),
                "not_compared": sorted(comparison.live.get(line, ())),
            }
            for line, counts in comparison.table().items()
        ],
        "differences": [_difference(each) for each in comparison.differences],
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "id": each.id,
        "route": each.route,
        "target": each.target,
        "model": each.model,
        "record": each.record,
        "old": _side(each.old),
        "new": _side(each.new),
    }


def _side(side: Side | None) -> dict[str, Any] | None:
    if side is None:
        return None
    if side.refused:
        return {"operation": side.operation, "refused": side.refused}
    fields = {name: json.loads(text, parse_float=Decimal) for name, text in side.fields.items()}
    return {"operation": side.operation, "target_model": side.target_model, "fields": fields}


def _lines(comparison: Comparison, events: Sequence[Event], show: int) -> Iterator[str]:
    rows = [
        [*line, *(str(counts[count]) for count in _HEADS)]
        for line, counts in comparison.table().items()
    ]
    yield f"{comparison.events} events, committed {events[0].time} to {events[-1].time}"
    yield ""
    yield table(["route", "target", *_HEADS.values()], rows)
    if any(counts[Count.UNKNOWN] for counts in comparison.table().values()):
        yield ""
        yield (
            "unknown: these events do not show what the route reads. It starts at the first event"
            " that does."
        )
    for (route, target), names in sorted(comparison.live.items()):
        yield ""
        yield (
            f"{route} -> {target}: not compared, as Odoo is asked for them when a delivery goes:"
            f" {', '.join(sorted(names))}"
        )
    shown = comparison.differences[:show]
    for each in shown:
        yield ""
        yield from _shown(each)
    left = len(comparison.differences) - len(shown)
    if left:
        yield ""
        yield f"{left} more deliveries differ: --show {len(comparison.differences)}, or --json"


def _shown(each: Difference) -> Iterator[str]:
    yield f"{each.route} -> {each.target}: {each.model} {each.record}  {each.id}"
    if (
        each.old is not None
        and each.new is not None
        and not (each.old.refused or each.new.refused)
    ):
        for name, old, new in differing(each.old, each.new):
            yield from pair(name, old, new)
        return
    yield from pair("", _whole(each.old), _whole(each.new))


def _whole(side: Side | None) -> str:
    if side is None:
        return ""
    if side.refused:
        return f"{side.operation}, which cannot be sent: {side.refused}"
    fields = ",".join(f"{message.encode(name)}:{text}" for name, text in side.fields.items())
    return f"{side.operation} {{{fields}}}"
