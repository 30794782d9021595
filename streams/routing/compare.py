"""What another file would send of the same events, by delivery and by record. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from schemas import message
from schemas.event import Event
from schemas.keys import DeliveryId, split_delivery_id
from schemas.mapping import leave_out
from streams.filling.places import name_of
from streams.routing.dispatch import Dispatched, dispatch
from streams.routing.routes import Routes, UnfitRoute

Line = tuple[str, str]  # route, target


class Count(StrEnum):
    """What is counted of one route and target; the value is its name in answers."""

    SAME = "same"  # both send the same
    DIFFERENT = "different"  # both send, and not the same
    ONLY_NEW = "only_new"  # only the other file sends
    ONLY_OLD = "only_old"  # only the file at hand sends
    UNSENDABLE = "unsendable"  # the other file's would be dead at birth: a value, or its size
    UNKNOWN = "unknown"  # its route reads what the event does not show
    ENTER = "enter"  # records that match only by the other file, as they stand last
    LEAVE = "leave"  # those that match only by the file at hand


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the files sends; with `refused` it does not, and that is why.

    `fields` are JSON texts by name: 1 is not true, and 1.0 is not 1.
    """

    operation: str
    target_model: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """One delivery that is not the same by both files; None where one sends nothing."""

    id: DeliveryId
    route: str
    target: str
    model: str
    record: int
    old: Side | None
    new: Side | None


@dataclass(slots=True)
class Comparison:
    """Events through the routes of two files; `take` them in the order of their positions."""

    old: Routes
    new: Routes
    events: int = 0
    counts: dict[Line, dict[Count, int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    live: dict[Line, set[str]] = field(
        default_factory=dict
    )  # what Odoo is asked for: not compared
    _matches: dict[tuple[str, str, int], tuple[bool, bool]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Send an event both ways, without sending anything."""
        self.events += 1
        old, new = self._sides(event, self.old), self._sides(event, self.new)
        for name in sorted(old.keys() | new.keys()):
            self._compare(event, name, old.get(name), new.get(name))
        for late in self._later(event):
            self._count(late, Count.UNKNOWN)
        self._match(event)

    def moved(self) -> dict[Line, dict[Count, list[int]]]:
        """Return the records that enter and leave, as they stand in their last event."""
        found: dict[Line, dict[Count, list[int]]] = {}
        lines = sorted(self._lines())
        for (route, _, record), (before, after) in sorted(self._matches.items()):
            if before is not after:
                way = Count.ENTER if after else Count.LEAVE
                for line in (each for each in lines if each[0] == route):
                    found.setdefault(line, {}).setdefault(way, []).append(record)
        return found

    def table(self) -> dict[Line, dict[Count, int]]:
        """Return all counts, of every line of both files."""
        moved = self.moved()
        return {
            line: {
                **dict.fromkeys(Count, 0),
                **self.counts.get(line, {}),
                **{way: len(records) for way, records in moved.get(line, {}).items()},
            }
            for line in sorted(self._lines() | self.counts.keys())
        }

    def _compare(self, event: Event, name: DeliveryId, old: Side | None, new: Side | None) -> None:
        chain, route, _ = split_delivery_id(name)
        target = chain.split("/")[1]
        if new is not None and new.refused:
            count = Count.UNSENDABLE
        elif old == new:
            count = Count.SAME
        elif old is None or old.refused:
            count = Count.ONLY_NEW
        else:
            count = Count.DIFFERENT if new is not None else Count.ONLY_OLD
        self._count((route, target), count)
        if old != new:
            self.differences.append(
                Difference(name, route, target, event.model, event.id, old, new)
            )

    def _count(self, line: Line, count: Count) -> None:
        counts = self.counts.setdefault(line, {})
        counts[count] = counts.get(count, 0) + 1

    def _later(self, event: Event) -> Iterator[Line]:
        """Give the lines of the other file that the event does not tell enough for."""
        names = [route.name for route in self.new.routes if route.model == event.model]
        with suppress(UnfitRoute):  # a type has changed since: no route can read this one
            names = [late.route for late in self.new.of(event.shape).later]
        for name in names:
            yield from (line for line in _lines_of(self.new) if line[0] == name)

    def _sides(self, event: Event, routes: Routes) -> dict[DeliveryId, Side]:
        try:
            made = dispatch(event, routes)
        except UnfitRoute:
            return {}
        for draft in made.deliveries:
            if draft.wants:
                names = self.live.setdefault((draft.route, draft.target), set())
                names.update(name_of(want.place) for want in draft.wants)
        return dict(_said(made))

    def _match(self, event: Event) -> None:
        if event.oversize is not None:
            return  # nobody knows
        old, new = (_matching(event, routes) for routes in (self.old, self.new))
        for name in old.keys() | new.keys():
            before, after = old.get(name, False), new.get(name, False)
            if before is not None and after is not None:
                self._matches[name, event.model, event.id] = before, after

    def _lines(self) -> set[Line]:
        return {*_lines_of(self.old), *_lines_of(self.new)}


def differing(old: Side, new: Side) -> list[tuple[str, str, str]]:
    """Return what is not the same: (name, old text, new text), "" where there is none."""
    one, other = _texts(old), _texts(new)
    return [
        (name, one.get(name, ""), other.get(name, ""))
        for name in dict.fromkeys((*one, *other))
        if one.get(name) != other.get(name)
    ]


def _texts(side: Side) -> dict[str, str]:
    about = {"operation": side.operation, "target_model": side.target_model}
    return {**about, **{f"fields.{name}": text for name, text in side.fields.items()}}


def _said(made: Dispatched) -> Iterator[tuple[DeliveryId, Side]]:
    for delivery in made.deliveries:
        data = json.loads(delivery.body, parse_float=Decimal)["data"]
        for want in delivery.wants:
            leave_out(data["fields"], want.place)
        fields = {name: message.encode(value) for name, value in data["fields"].items()}
        model = data["record"]["target_model"]
        yield DeliveryId(delivery.id), Side(delivery.operation, model, fields)
    for born in made.stillborn:
        yield DeliveryId(born.delivery.id), Side(born.delivery.operation, refused=born.why)


def _lines_of(routes: Routes) -> list[Line]:
    return [(route.name, target) for route in routes.routes for target in route.targets]


def _matching(event: Event, routes: Routes) -> dict[str, bool | None]:
    """Return by route whether the record matches as the event leaves it; None: not known."""
    try:
        compiled = routes.of(event.shape)
    except UnfitRoute:
        return {route.name: None for route in routes.routes if route.model == event.model}
    known: dict[str, bool | None] = {late.route: None for late in compiled.later}
    for each in compiled.ready:
        known[each.route.name] = event.after is not None and each.matches(event.after)
    return known
