"""What `retry` does in one partition: first what waits, then the dead letters, slice by slice.

A slice takes about a second. What is left is described by a `rest` that the caller keeps in
Kafka, so a command of any size holds up neither the others nor a worker that is to stop. A slice
that is done twice changes nothing the second time: a delivery knows the last command that
concerned it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from schemas.arguments import MalformedCommand, Selection
from schemas.command import Command
from schemas.delivery import Delivery
from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.chains.by_hand import Result, Wish, concerns, hasten, put_back
from streams.chains.dead_letter import Letter
from streams.chains.item import Terms
from streams.chains.rules import has_ended
from streams.core import Core
from streams.partitions.changeset import Changeset
from streams.partitions.ports import StateTopic, Stored

logger = logging.getLogger(__name__)

_SLICE: Final = 1.0  # seconds
_AT_ONCE: Final = 100  # deliveries in one write
_SHOWN: Final = 20  # deliveries that an answer names
_PAUSE: Final = 0.02  # seconds until a chain that is in flight is looked at again
_LOOKS: Final = 500  # until it is given up


class Bodies(Protocol):
    """Reads deliveries from the send queues."""

    async def at(self, target: str, partition: int, order: int) -> Delivery | None:
        """Return what stands in a target's queue at an offset; None where it is gone."""


@dataclass(slots=True)
class Tally:
    """What deliveries came to: how many, and some of them."""

    counts: dict[str, int] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)

    def add(self, delivery_id: str, result: Result) -> None:
        """Count one."""
        self.counts[result.value] = self.counts.get(result.value, 0) + 1
        if len(self.shown) < _SHOWN:
            self.shown.append((delivery_id, result.value))

    def to_rest(self) -> dict[str, Any]:
        """Return it as a part of a `rest`."""
        return {"counts": self.counts, "shown": [list(pair) for pair in self.shown]}

    @classmethod
    def of(cls, rest: Mapping[str, Any]) -> Tally:
        """Go on where `to_rest` left off."""
        shown = [(str(name), str(what)) for name, what in rest.get("shown", ())]
        counts = {str(name): int(number) for name, number in rest.get("counts", {}).items()}
        return cls(counts, shown)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to go on: behind a delivery that waits, of the name of that number, or at a letter."""

    name: int = 0
    after: str = ""
    letter: int | None = None  # offset in `dead`

    def to_rest(self) -> dict[str, Any]:
        """Return it as a part of a `rest`."""
        return {"name": self.name, "after": self.after, "letter": self.letter}

    @classmethod
    def of(cls, rest: Mapping[str, Any]) -> _Place:
        """Read what `to_rest` wrote."""
        name, letter = int(rest.get("name", 0)), rest.get("letter")
        return cls(
            max(0, name), str(rest.get("after", "")), None if letter is None else int(letter)
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    letter: Letter
    delivery: Delivery
    terms: Terms


@dataclass(slots=True)
class _Slice:
    """One slice of a command in one partition."""

    partition: int
    selection: Selection
    wish: Wish
    tally: Tally
    end: float  # by the monotonic clock


class Retrying:
    """Does what `retry` asks for."""

    def __init__(
        self, core: Core, source: str, terms: Mapping[str, Terms], bodies: Bodies
    ) -> None:
        """Work with the means of a worker's core; `terms` are those of the file, by target."""
        self._core = core
        self._source = source
        self._terms = terms
        self._bodies = bodies

    async def go_on(self, partition: int, command: Command) -> tuple[Tally, dict[str, Any] | None]:
        """Do a slice in a partition that is held; return the tally and what is left, or None.

        Raises MalformedCommand.
        """
        core = self._core
        try:
            tally, place = Tally.of(command.rest), _Place.of(command.rest)
        except (ValueError, TypeError, AttributeError) as error:
            raise MalformedCommand(f"`rest` is none that a worker has written: {error}") from error
        part = _Slice(
            partition,
            Selection.of(command.arguments),
            Wish(command.id, command.who, core.clock(), core.limits.retention),
            tally,
            core.ports.monotonic() + _SLICE,
        )
        if place.letter is None:
            place = await self._hasten(part, place) or _Place(letter=0)
        left = place if place.letter is None else await self._put_back(part, place.letter)
        core.wake.set()
        return tally, None if left is None else {**left.to_rest(), **tally.to_rest()}

    async def _hasten(self, part: _Slice, place: _Place) -> _Place | None:
        """Let what waits go; return where to go on, None at the end."""
        names = [] if part.selection.dead_only else self._names(part.selection)
        after = place.after
        for index in range(place.name, len(names)):
            while True:
                found = await self._hasten_some(part, names[: index + 1], after)
                if len(found) < _AT_ONCE:
                    break
                after = found[-1]
                if self._core.ports.monotonic() >= part.end:
                    return _Place(index, after)
            after = ""
        return None

    async def _hasten_some(
        self, part: _Slice, names: Sequence[str], after: str
    ) -> Sequence[DeliveryId]:
        *before, name = names

        def step(changeset: Changeset) -> list[DeliveryId]:
            found = changeset.edit.ids(name, after, _AT_ONCE)
            for delivery_id in found:
                item = changeset.edit.item(delivery_id)
                if item is None or has_ended(changeset.edit, delivery_id):
                    continue
                if any(map(delivery_id.startswith, before)):
                    continue
                done = hasten(changeset.edit, item, part.wish)
                part.tally.add(delivery_id, done.result)
                if not part.selection.dry_run:
                    changeset.apply(done.changes)
            return found

        return await self._core.committer.write(part.partition, step)

    def _names(self, selection: Selection) -> list[str]:
        """Return what the ids of the deliveries begin with."""
        return [
            *selection.ids,
            *(f"{chain}/" for chain in selection.chains),
            *(f"{self._source}/{target}/" for target in selection.targets),
        ]

    async def _put_back(self, part: _Slice, start: int) -> _Place | None:
        """Put back what the dead letters hold; return where to go on, None at the end."""
        log, monotonic = self._core.ports.log, self._core.ports.monotonic
        async with aclosing(log.read(StateTopic.DEAD, part.partition, start)) as chunks:
            async for chunk in chunks:
                letters = [letter for letter in map(_letter, chunk.records) if letter]
                asked = [
                    each
                    for each in letters
                    if part.selection.holds(each.entry.id, each.entry.target)
                ]
                for first in range(0, len(asked), _AT_ONCE):
                    await self._put_back_some(part, asked[first : first + _AT_ONCE])
                if chunk.records and monotonic() >= part.end:
                    return _Place(letter=chunk.next)
        return None

    async def _put_back_some(self, part: _Slice, letters: Sequence[Letter]) -> None:
        candidates = [
            found for each in letters if (found := await self._candidate(part, each)) is not None
        ]
        for _ in range(_LOOKS):
            if not candidates:
                return
            candidates = await self._try(part, candidates)
            if candidates:
                await asyncio.sleep(_PAUSE)  # their chains are busy: no event says when not
        for each in candidates:
            part.tally.add(each.letter.entry.id, Result.BUSY)

    async def _candidate(self, part: _Slice, letter: Letter) -> _Candidate | None:
        """Return what can be put back, with all that it needs; the rest is counted."""
        entry, partition = letter.entry, part.partition
        with self._core.partitions.caches[partition].view() as view:
            result = concerns(view, letter, part.wish)
            known = view.entry(entry.id)
        if result is None:
            return None
        if result is not Result.PUT_BACK or known is None or known.order is None:
            part.tally.add(entry.id, result)
            return None
        terms = letter.terms or self._terms.get(entry.target)
        delivery = letter.delivery or await self._bodies.at(entry.target, partition, known.order)
        if terms is None or delivery is None or delivery.id != entry.id:
            part.tally.add(entry.id, Result.GONE)
            return None
        return _Candidate(letter, delivery, terms)

    async def _try(self, part: _Slice, candidates: Sequence[_Candidate]) -> list[_Candidate]:
        """Put back those whose chain is not in flight; return the others.

        Their chains are taken until it is durable: what comes in meanwhile must find them there.
        """
        in_flight = self._core.in_flight
        taken: set[Chain] = set()
        busy: list[_Candidate] = []

        def step(changeset: Changeset) -> None:
            for each in candidates:
                chain = Chain(each.delivery.chain)
                if chain in in_flight and chain not in taken:
                    busy.append(each)
                    continue
                if not part.selection.dry_run and chain not in taken:
                    in_flight.take(chain, ())
                    taken.add(chain)
                self._judge(part, changeset, each)

        try:
            await self._core.committer.write(part.partition, step)
        finally:
            for chain in taken:
                in_flight.let_go(chain)
        return busy

    def _judge(self, part: _Slice, changeset: Changeset, each: _Candidate) -> None:
        edit = changeset.edit
        if concerns(edit, each.letter, part.wish) is not Result.PUT_BACK:
            return
        done = put_back(edit, each.delivery, each.terms, part.wish)
        part.tally.add(each.letter.entry.id, done.result)
        if not part.selection.dry_run:
            changeset.apply(done.changes)


def _letter(record: Stored) -> Letter | None:
    if record.value is None:
        return None
    try:
        letter = Letter.from_json(record.value)
        split_delivery_id(letter.entry.id)
    except (ValueError, KeyError, TypeError):
        logger.warning("a dead letter cannot be read", extra={"action": "unreadable"})
        return None
    else:
        return letter
