"""What `retry` does with the dead letters of one partition: it puts them back.

What never can be sent ends where a newer one has gone since: nothing is left to do about it.

Not those of a target whose queue was not read again yet since the partition was opened: what a
former worker sent last is not known before, and a newer one may be among it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.delivery import Delivery
from schemas.keys import Chain, split_delivery_id
from streams.chains.by_hand import Result, concerns, leave_behind, put_back
from streams.chains.dead_letter import Letter
from streams.chains.item import Terms
from streams.core import Core
from streams.partitions.changeset import Changeset
from streams.partitions.ports import StateTopic, Stored
from streams.slices import AT_ONCE, Slice

logger = logging.getLogger(__name__)

_PAUSE: Final = 0.02  # seconds until a chain that is in flight is looked at again
_LOOKS: Final = 500  # until it is given up
_PATIENCE: Final = 10.0  # seconds for a queue that is being read again
_LOOK: Final = 0.25  # seconds until it is looked at again


class Bodies(Protocol):
    """Reads deliveries from the send queues."""

    async def at(
        self, target: str, partition: int, orders: Collection[int]
    ) -> Mapping[int, Delivery]:
        """Return what stands in a target's queue at some offsets, as far as it is there still."""


class Read(Protocol):
    """Knows which send queues were read again."""

    async def is_done(self, target: str, partition: int) -> bool:
        """Say whether a queue was, since its partition was opened."""


@dataclass(frozen=True, slots=True)
class _Found:
    letter: Letter
    order: int  # where its delivery stands in the send queue


@dataclass(frozen=True, slots=True)
class _Candidate:
    letter: Letter
    delivery: Delivery
    terms: Terms


class Letters:
    """Puts back what dead letters hold."""

    def __init__(self, core: Core, terms: Mapping[str, Terms], bodies: Bodies, read: Read) -> None:
        """Work with the means of a worker's core; `terms` are those of the file, by target."""
        self._core = core
        self._terms = terms
        self._bodies = bodies
        self._read = read

    def adopt(self, terms: Mapping[str, Terms]) -> None:
        """Go by the terms of another file."""
        self._terms = terms

    async def put_back(self, part: Slice, start: int) -> int | None:
        """Put back what the letters from an offset on hold; return where to go on, if anywhere."""
        log, monotonic = self._core.ports.log, self._core.ports.monotonic
        # Who makes deliveries has written of those that are dead at birth.
        await self._core.committer.write(part.partition, lambda _: None, anew=True)
        async with aclosing(log.read(StateTopic.DEAD, part.partition, start, AT_ONCE)) as chunks:
            async for chunk in chunks:
                letters = [letter for letter in map(_letter, chunk.records) if letter]
                asked = [
                    each
                    for each in letters
                    if part.selection.holds(each.entry.id, each.entry.target)
                ]
                await self._put_back_some(part, asked)
                self._core.taken += len(chunk.records)
                if chunk.records and monotonic() >= part.end:
                    return chunk.next
        return None

    async def _those_read(self, part: Slice, found: Sequence[_Candidate]) -> list[_Candidate]:
        """Return those whose queues were read again; the others are counted."""
        targets = sorted({each.delivery.target for each in found})
        read = {target: await self._was_read(part, target) for target in targets}
        for each in found:
            if not read[each.delivery.target]:
                part.tally.add(each.delivery.id, Result.UNREAD)
        return [each for each in found if read[each.delivery.target]]

    async def _was_read(self, part: Slice, target: str) -> bool:
        """Wait until a queue was read again; a command waits for one of them only."""
        if part.selection.dry_run:
            return True
        monotonic = self._core.ports.monotonic
        patience = 0.0 if Result.UNREAD.value in part.tally.counts else _PATIENCE
        end = monotonic() + patience
        while not await self._read.is_done(target, part.partition):
            if monotonic() >= end:
                return False
            await asyncio.sleep(_LOOK)  # no event says when offsets are committed
        return True

    async def _put_back_some(self, part: Slice, letters: Sequence[Letter]) -> None:
        sendable = await self._leave_behind(part, letters)
        found = self._those_concerned(part, sendable)
        candidates = await self._those_read(part, await self._with_bodies(part, found))
        for _ in range(_LOOKS):
            if not candidates:
                return
            candidates = await self._try(part, candidates)
            if candidates:
                await asyncio.sleep(_PAUSE)  # their chains are busy: no event says when not
        for each in candidates:
            part.tally.add(each.letter.entry.id, Result.BUSY)

    async def _leave_behind(self, part: Slice, letters: Sequence[Letter]) -> list[Letter]:
        """See to what never can be sent; return the rest."""

        def step(changeset: Changeset) -> list[Letter]:
            rest: list[Letter] = []
            for each in letters:
                if concerns(changeset.edit, each, part.wish) is not Result.UNSENDABLE:
                    rest.append(each)
                    continue
                done = leave_behind(changeset.edit, each, part.wish)
                part.tally.add(each.entry.id, done.result)
                if not part.selection.dry_run:
                    changeset.apply(done.changes)
            return rest

        return await self._core.committer.write(part.partition, step)

    def _those_concerned(self, part: Slice, letters: Sequence[Letter]) -> list[_Found]:
        """Return those that can be put back, with where they stand; the rest is counted."""
        found: list[_Found] = []
        with self._core.partitions.caches[part.partition].view() as view:
            for each in letters:
                name = each.entry.id
                result, known = concerns(view, each, part.wish), view.entry(name)
                if result is None:
                    continue
                if result is not Result.PUT_BACK or known is None or known.order is None:
                    part.tally.add(name, result)
                elif known.command == part.wish.command and (known.final or view.item(name)):
                    part.tally.add(name, result)  # done before a crash: it needs no body
                else:
                    found.append(_Found(each, known.order))
        return found

    async def _with_bodies(self, part: Slice, found: Sequence[_Found]) -> list[_Candidate]:
        """Return what can be put back, with all that it needs; the rest is counted."""
        orders: dict[str, list[int]] = {}
        for each in found:
            if each.letter.delivery is None:
                orders.setdefault(each.letter.entry.target, []).append(each.order)
        queues = {
            target: await self._bodies.at(target, part.partition, asked)
            for target, asked in orders.items()
        }
        candidates: list[_Candidate] = []
        for each in found:
            entry = each.letter.entry
            terms = each.letter.terms or self._terms.get(entry.target)
            delivery = each.letter.delivery or queues[entry.target].get(each.order)
            # What a draft had become was accepted once, and is nowhere any more.
            lost = each.letter.delivery is None and delivery is not None and delivery.wants
            if terms is None or delivery is None or delivery.id != entry.id or lost:
                part.tally.add(entry.id, Result.GONE)
            else:
                candidates.append(_Candidate(each.letter, delivery, terms))
        return candidates

    async def _try(self, part: Slice, candidates: Sequence[_Candidate]) -> list[_Candidate]:
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

    def _judge(self, part: Slice, changeset: Changeset, each: _Candidate) -> None:
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
