"""`odoo-cdc queue`: what is queued, what waits, what was given up."""

from __future__ import annotations

import argparse
import heapq
import json
import re
import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from schemas.config import Config, load
from schemas.errors import BadUsage
from schemas.state import State
from schemas.terminal import visible
from streams.commands.names import unfamiliar
from streams.index.row import PAST, Counts, Row, Wanted
from streams.kafka.offsets import lag_of
from streams.queries.held import held
from streams.queries.lookup import Lookup
from streams.queries.prose import ago, table

HELP: Final = "list the send queue, what waits, and dead letters"
EXAMPLE: Final = "odoo-cdc queue --target webshop --state dead --older 1h"

_AGE: Final = re.compile(r"(\d+)([smhd])")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RECORD: Final = re.compile(r"([a-z0-9_.]+)(?:[/ ,:](\d+))?")


class BadFilter(BadUsage):
    """That cannot be asked for."""

    hint = "`odoo-cdc queue --help` shows what can be asked for."


@dataclass(frozen=True, slots=True)
class Found:
    """What there is: counts by target, and the rows that were asked for, the oldest first."""

    counts: dict[str, Counts]
    responses: int  # acknowledgements that no worker has read yet
    rows: list[Row]
    matched: int
    paused: list[dict[str, Any]]  # what operators have paused, as `status` shows it


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--target", action="append", metavar="NAME", help="only of this target")
    parser.add_argument("--route", action="append", metavar="NAME", help="only of this route")
    parser.add_argument(
        "--state",
        action="append",
        choices=[state.value for state in State],
        help="only in this state (default: all that are not final, dead, rejected)",
    )
    parser.add_argument(
        "--record", metavar="MODEL[/ID]", help="only of this model or record: sale.order/42"
    )
    parser.add_argument("--older", metavar="AGE", help="only older than that: 30s, 5m, 1h, 7d")
    parser.add_argument(
        "--limit", type=int, default=50, metavar="N", help="list at most N (default: %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """List; 1 where nothing matches."""
    wanted = _wanted(args)
    config = load(args.config)
    now = time.time()
    with closing(Lookup(config)) as lookup:
        found = _find(lookup, wanted, now, max(0, args.limit))
    if args.json:
        print(json.dumps(_to_json(found, now), ensure_ascii=False))
    else:
        _print(found, now, _strange(wanted, config))
    return 0 if found.matched else 1


def _find(lookup: Lookup, wanted: Wanted, now: float, limit: int) -> Found:
    places = lookup.places([*lookup.queues, lookup.topics.responses])
    lag = lag_of(places)
    with lookup.catalogue() as index:
        matched, rows = index.rows(wanted, now, limit)
        counts = index.counts()
        if wanted.queued:
            waiting = lookup.queued(p for p in places if p.topic in lookup.queues)
            unseen = (Row.of_queued(sent) for _, sent in waiting if not index.has(sent.id))
            more = [row for row in unseen if wanted.holds(row, now)]
            matched += len(more)
            rows = heapq.nsmallest(limit, [*rows, *more], key=lambda row: (row.since, row.id))
    for topic, target in lookup.queues.items():
        counts.setdefault(target, Counts()).queued = lag[topic]
    paused = held({}, {}, now, lookup.pauses())
    return Found(dict(sorted(counts.items())), lag[lookup.topics.responses], rows, matched, paused)


def _wanted(args: argparse.Namespace) -> Wanted:
    model, record = "", None
    if args.record:
        match = _RECORD.fullmatch(args.record)
        if match is None:
            raise BadFilter(f"--record {args.record!r} is no record; write sale.order/42")
        model, record = match[1], int(match[2]) if match[2] else None
    age = 0.0
    if args.older:
        match = _AGE.fullmatch(args.older)
        if match is None:
            raise BadFilter(f"--older {args.older!r} is no age; write 30s, 5m, 1h or 7d")
        age = float(int(match[1]) * _UNITS[match[2]])
    states = {State(text) for text in args.state or ()}
    return Wanted(
        targets=frozenset(args.target or ()),
        routes=frozenset(args.route or ()),
        states=frozenset(states),
        model=model,
        record=record,
        age=age,
    )


def _strange(wanted: Wanted, config: Config) -> str:
    models = [wanted.model] if wanted.model else []
    targets, routes = sorted(wanted.targets), sorted(wanted.routes)
    return unfamiliar(config, targets=targets, routes=routes, models=models)


def _to_json(found: Found, now: float) -> dict[str, Any]:
    return {
        "targets": {target: each.to_json(now) for target, each in found.counts.items()},
        "responses": found.responses,
        "matched": found.matched,
        "paused": found.paused,
        "deliveries": [row.to_json(now) for row in found.rows],
    }


def _print(found: Found, now: float, strange: str) -> None:
    heads = ["target", "queued", "waiting", "sent", "accepted", "dead", "rejected", "oldest"]
    lines = []
    for target, counts in found.counts.items():
        said = counts.to_json(now)
        oldest = said.pop("oldest_waiting_seconds")
        numbers = [str(number) for number in said.values()]
        lines.append([target, *numbers, "-" if oldest is None else ago(oldest)])
    print(table(heads, lines))
    if found.responses:
        print(f"\n{found.responses} acknowledgements that no worker has read yet")
    for row in found.paused:
        print(f"\n{row['what']}: {row['why']} since {row['since']}")
    if not found.rows:
        print(f"\nnothing matches{strange}")
        return
    print()
    print(table(["state", "age", "attempt", "next", "delivery"], _lines(found.rows, now)))
    if found.matched > len(found.rows):
        print(f"\n{found.matched - len(found.rows)} more; --limit shows them")


def _lines(rows: list[Row], now: float) -> list[list[str]]:
    lines = []
    for row in rows:
        due = "-" if row.due is None else f"in {ago(row.due - now)}"
        whys = (visible(row.why, lines=True), PAST if row.past else "")
        why = "".join(f"\n{text}" for text in whys if text)
        attempt = str(row.attempt) if row.attempt else "-"
        lines.append([row.state.value, ago(now - row.since), attempt, due, row.id + why])
    return lines
