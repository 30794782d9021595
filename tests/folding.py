"""Folds deliveries into what a target holds, and says where that differs from what it must."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from schemas.keys import split_delivery_id
from schemas.position import Lsn, Position
from tests.oracle import NUMBERS, Fields

Place = tuple[str, str]  # target, route
ABSENT: Final = "nothing"
_HELD: Final = "create of what is held"
_NOTHING: Final = "update that tells nothing"
MOST: Final = 20  # differences that a failing test shows


@dataclass(frozen=True, slots=True)
class Told:
    """One delivery as a target reads it."""

    id: str
    place: Place
    record: int
    position: Position
    operation: str
    mode: str
    fields: Fields
    changed: list[str] | None = None

    @classmethod
    def read(cls, body: bytes) -> Told:
        """Read the message."""
        message = json.loads(body)
        routing, record = message["data"]["routing"], message["data"]["record"]
        assert split_delivery_id(message["id"])[2] == message["sequence"]
        return cls(
            message["id"],
            (routing["target"], routing["route"]),
            record["id"],
            Position.parse(message["sequence"]),
            record["operation"],
            routing["mode"],
            message["data"]["fields"],
            record["changed"],
        )


@dataclass(slots=True)
class Folded:
    """What targets hold after the deliveries so far.

    `doubts` are deliveries that do not follow from what was held, as when one before them is
    missing; `repeated` are second copies.
    """

    held: dict[Place, dict[int, Fields]] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    _last: dict[tuple[Place, int], Position] = field(default_factory=dict)

    def take(self, told: Told) -> None:
        """Apply one delivery; AssertionError where one of its chain and route came before."""
        whose = (told.place, told.record)
        last = self._last.get(whose)
        if last == told.position:
            self.repeated.append(told.id)
            return
        assert last is None or last < told.position, f"{told.id} came after {last}"
        self._last[whose] = told.position
        records = self.held.setdefault(told.place, {})
        doubt = _doubt(told, records.get(told.record)) if told.mode == "stream" else ""
        if doubt:
            self.doubts.append(f"{told.id}: {doubt}")
        if told.operation in {"leave", "delete"}:
            records.pop(told.record, None)
        else:
            records[told.record] = told.fields


def distinct(bodies: Iterable[bytes]) -> list[Told]:
    """Return each message once, as first received; AssertionError where two of an id differ."""
    first: dict[str, tuple[Told, bytes]] = {}
    for body in bodies:
        told = Told.read(body)
        known, before = first.setdefault(told.id, (told, body))
        assert before == body, f"{known.id} came again with other bytes"
    return [told for told, _ in first.values()]


def out_of_order(told: Iterable[Told]) -> list[str]:
    """Return the ids that came, for the first time, after a newer one of their chain and route."""
    newest: dict[tuple[Place, int], Position] = {}
    late: list[str] = []
    for one in told:
        whose = (one.place, one.record)
        if whose in newest and one.position < newest[whose]:
            late.append(one.id)
        else:
            newest[whose] = one.position
    return late


def as_of(told: Iterable[Told], marks: Iterable[Lsn]) -> Iterator[tuple[Lsn, Folded]]:
    """Fold up to each mark, in commit order; the yielded state is the same object, grown."""
    rest = sorted(told, key=lambda one: one.position)
    folded, at = Folded(), 0
    for mark in marks:
        while at < len(rest) and rest[at].position.lsn <= mark:
            folded.take(rest[at])
            at += 1
        yield mark, folded


def differences(
    expected: Mapping[Place, Mapping[int, Fields]], held: Mapping[Place, Mapping[int, Fields]]
) -> list[str]:
    """Return a line per value that differs: `shop/orders 42 lines[0].qty: 1.00, held 2.00`."""
    found: list[str] = []
    for place in sorted({*expected, *held}):
        wanted, there = expected.get(place, {}), held.get(place, {})
        for record in sorted({*wanted, *there}):
            where = f"{'/'.join(place)} {record}"
            if record not in there:
                found.append(f"{where}: not held")
            elif record not in wanted:
                found.append(f"{where}: held, and must not be")
            else:
                found += [f"{where} {one}" for one in _differ(wanted[record], there[record], "")]
    return found


def is_doubled(doubt: str) -> bool:
    """Say whether a doubt is about what was told already; others are that something is missing."""
    return doubt.endswith((_HELD, _NOTHING))


def _doubt(told: Told, before: Fields | None) -> str:
    """Return why a delivery cannot follow on what is held, "" where it can."""
    if told.operation == "create":
        return "" if before is None else _HELD
    if before is None:
        return f"{told.operation} of what is not held"
    if told.operation != "update":
        return ""
    names = [
        name
        for name, value in told.fields.items()
        if any(_differ(before.get(name, ABSENT), value, name))
    ]
    if not names:
        return _NOTHING
    return "" if names == told.changed else f"changed is {told.changed}, and {names} did"


def report(found: list[str]) -> str:
    """Return what a failing test shows."""
    rest = f"\n... and {len(found) - MOST} more" if len(found) > MOST else ""
    return f"{len(found)} differences:\n" + "\n".join(found[:MOST]) + rest


def _differ(wanted: Any, there: Any, path: str) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(there, dict):
        for name in [*wanted, *(name for name in there if name not in wanted)]:
            inside = f"{path}.{name}" if path else name
            yield from _differ(wanted.get(name, ABSENT), there.get(name, ABSENT), inside)
    elif isinstance(wanted, list) and isinstance(there, list) and len(wanted) == len(there):
        for index, pair in enumerate(zip(wanted, there, strict=True)):
            yield from _differ(*pair, f"{path}[{index}]")
    elif not _equal(wanted, there, path.rsplit(".", 1)[-1]):
        yield f"{path}: {wanted!r}, held {there!r}"


def _equal(wanted: Any, there: Any, name: str) -> bool:
    if isinstance(wanted, bool) != isinstance(there, bool):
        return False  # to Python true is 1
    if wanted == there:
        return True
    if name not in NUMBERS or not isinstance(wanted, str) or not isinstance(there, str):
        return False
    try:
        return Decimal(wanted) == Decimal(there)
    except InvalidOperation:
        return False
