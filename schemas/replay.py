"""What a `replay` asks for: which past events, through which routes, and how. Pure.

A range is half open: what stands at its beginning belongs to it, what stands at its end does
not. Its bounds are times of commits, LSNs of commits, or offsets of one partition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Self

from schemas.arguments import (
    MalformedCommand,
    flag_of,
    ids_of,
    model_of,
    name_of,
    refuse_unknown,
    text_of,
    texts_of,
)
from schemas.event import Event
from schemas.position import MAX_RUN, format_lsn, parse_lsn

_OFFSET: Final = re.compile(r"(\d{1,9}):(\d{1,18})")
_FORMS: Final = "2026-11-23T10:00Z, 0/16B3748 or PARTITION:OFFSET"


class MalformedBound(MalformedCommand):
    """That is neither a time, nor an LSN, nor an offset."""

    hint = f"Write a time with its zone, an LSN, or a partition and an offset: {_FORMS}."


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of a commit, in ISO 8601, UTC: texts of that form sort as the times do."""

    text: str

    def is_reached(self, event: Event) -> bool:
        """Say whether an event is not before it."""
        return event.time >= self.text


@dataclass(frozen=True, slots=True)
class AtLsn:
    """The LSN of a commit, in whichever generation."""

    lsn: int

    @property
    def text(self) -> str:
        """As Postgres writes it."""
        return format_lsn(self.lsn)

    def is_reached(self, event: Event) -> bool:
        """Say whether an event is not before it."""
        return event.position.lsn >= self.lsn


@dataclass(frozen=True, slots=True)
class AtOffset:
    """An offset of one partition of the model's topic."""

    partition: int
    offset: int

    @property
    def text(self) -> str:
        """As it is typed."""
        return f"{self.partition}:{self.offset}"

    def is_reached(self, event: Event) -> bool:
        """Say nothing against any event: offsets bound what is read."""
        return True


Bound = Moment | AtLsn | AtOffset


def bound_of(text: str) -> Bound:
    """Read a bound as people type it; MalformedBound."""
    if match := _OFFSET.fullmatch(text):
        return AtOffset(int(match[1]), int(match[2]))
    try:
        return AtLsn(parse_lsn(text))
    except ValueError:
        pass  # then it is a time
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedBound(f"{text[:50]!r} is no time, LSN or offset") from error
    if moment.tzinfo is None:
        raise MalformedBound(f"{text[:50]!r} does not say its time zone; write {text}Z for UTC")
    return Moment(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


@dataclass(frozen=True, slots=True)
class Request:
    """One replay.

    `ids` are records, none for all; `routes` and `targets` name some, none for all. `begin` and
    `end` bound the past, None where it is not bounded. `rate` is how many deliveries a second
    go out on the whole, None for as many as the queues take. `run` is the replay's number, 0
    where it only looks (`dry_run`). `force_older` sends older states although newer ones went.
    """

    model: str
    begin: Bound | None = None
    end: Bound | None = None
    ids: tuple[int, ...] = ()
    routes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    rate: float | None = None
    run: int = 0
    force_older: bool = False
    dry_run: bool = False

    def numbered(self, run: int) -> Request:
        """Return it with its number, no longer only looking."""
        return replace(self, run=run, dry_run=False)

    def holds(self, event: Event) -> bool:
        """Say whether an event is one of the past that is asked for."""
        if self.ids and event.id not in self.ids:
            return False
        begun = self.begin is None or self.begin.is_reached(event)
        ended = isinstance(self.end, Moment | AtLsn) and self.end.is_reached(event)
        return begun and not ended

    def wants(self, route: str, target: str = "") -> bool:
        """Say whether a route, and where one is named its target, is to get anything."""
        mine = not self.routes or route in self.routes
        return mine and (not self.targets or not target or target in self.targets)

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of a command."""
        return {
            "model": self.model,
            "from": self.begin.text if self.begin else "",
            "to": self.end.text if self.end else "",
            "ids": list(self.ids),
            "routes": list(self.routes),
            "targets": list(self.targets),
            "rate": self.rate,
            "run": self.run,
            "force_older": self.force_older,
            "dry_run": self.dry_run,
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read the arguments of a `replay`; MalformedCommand where they are none."""
        refuse_unknown(fields, tuple(cls("").to_fields()))
        begin, end = (text_of(fields, name, "") for name in ("from", "to"))
        found = cls(
            model=model_of(fields, "model"),
            begin=bound_of(begin) if begin else None,
            end=bound_of(end) if end else None,
            ids=ids_of(fields, "ids"),
            routes=tuple(map(name_of, texts_of(fields, "routes"))),
            targets=tuple(map(name_of, texts_of(fields, "targets"))),
            rate=_rate(fields.get("rate")),
            run=_run(fields.get("run", 0)),
            force_older=flag_of(fields, "force_older"),
            dry_run=flag_of(fields, "dry_run"),
        )
        found.refuse_nonsense()
        return found

    def refuse_nonsense(self) -> None:
        """Raise MalformedCommand where the parts do not go together."""
        if self.begin is None and not self.ids:
            raise MalformedCommand("a replay needs `from`, or `ids` of records")
        if isinstance(self.begin, AtOffset) and isinstance(self.end, AtOffset):
            if self.begin.partition != self.end.partition:
                raise MalformedCommand("`from` and `to` are offsets of different partitions")
        elif isinstance(self.end, AtOffset):
            raise MalformedCommand("`to` is an offset of a partition, `from` is none")
        if (self.run == 0) != self.dry_run:
            raise MalformedCommand("a replay has a number (`run`), one that only looks has none")


def _rate(found: object) -> float | None:
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 1e9:  # noqa: PLR2004
        raise MalformedCommand("`rate` is a number of deliveries per second, above 0")
    return float(found)


def _run(found: object) -> int:
    if type(found) is not int or not 0 <= found <= MAX_RUN:
        raise MalformedCommand(f"`run` is a number from 1 to {MAX_RUN}")
    return found
