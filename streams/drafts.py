"""Beside the steps: a draft that is its chain's next gets its values from Odoo, then it may go.

Several are filled together: Odoo is asked once for all records of a model. What they have become
is written down before any of them is sent, so a crash in between asks again, and nothing was
sent; a crash afterwards sends what stands there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, assert_never

from schemas.delivery import Delivery
from schemas.keys import DeliveryId, split_delivery_id
from streams.chains.drafts import filled, put_off, spoilt, withheld
from streams.chains.item import Item, target_of
from streams.chains.rules import Send, fall_due
from streams.core import Core
from streams.filling.draft import Filled, Spoilt, Withheld, fill
from streams.filling.reads import Answers, Away, Odoo, ask
from streams.partitions.changeset import Changeset
from streams.partitions.committer import NotOurs
from streams.partitions.ports import Lane
from streams.sending.holds import Reason
from streams.sending.odoo import OdooGate
from streams.turns import keep_on

AT_ONCE: Final = 20  # drafts that are filled together
CROWD: Final = 500  # drafts of a target that wait for Odoo while its queue is not read
IDLE: Final = 0.5  # seconds of rest at most
_BREATH: Final = 0.05  # seconds between two looks for drafts
# A target that fails, or WSO2, is tried with what is filled: so they hold no draft.
_TRIED: Final = (Reason.WSO2, Reason.BREAKER)

Outcome = Filled | Spoilt | Withheld | Away


class Drafts:
    """Fills the drafts of a worker."""

    def __init__(
        self, core: Core, odoo: Odoo, *, number: bool = False, eager: bool = True
    ) -> None:
        """Work with the means of a worker's core; `number`: monetary values as JSON numbers.

        Without `eager` drafts are looked for now and then: where nothing makes any.
        """
        self._core = core
        self._odoo = odoo
        self._number = number
        self._turn = 0
        self._wake = core.wake.listen() if eager else asyncio.Event()
        self.gate = OdooGate(core.ports.monotonic, core.clock)
        core.permits.holds.add(self.gate)

    def adopt(self, odoo: Odoo, *, number: bool) -> None:
        """Ask by other settings, from the next turn on; drafts wake it as they did before."""
        self._odoo, self._number = odoo, number

    async def run(self) -> None:
        """Fill what is due, for ever."""
        await keep_on(self.turn, self._wake, _BREATH)  # every batch wakes it

    async def turn(self) -> float:
        """Fill some of what is due; return the seconds until something may be due again."""
        pause = self.gate.until()
        if self._core.stopping or pause > 0:
            return min(pause or IDLE, IDLE)
        due = self._due()
        self._let_rest(due)
        claimed = await self._claim(sorted(due), 1 if self.gate.closed else AT_ONCE)
        if not claimed:
            return self._until_due()
        await self._fill(claimed)
        return 0.0

    def _due(self) -> dict[int, list[DeliveryId]]:
        """Return what is due by partition, so much of it that a crowd shows."""
        now, found = self._core.clock(), {}
        for partition, cache in self._core.partitions.caches.items():
            with cache.view() as view:
                found[partition] = view.due(now, CROWD, self._skip, self._may_be_filled)
        return {partition: ids for partition, ids in found.items() if ids}

    def _let_rest(self, due: Mapping[int, Sequence[DeliveryId]]) -> None:
        """Let queues rest whose drafts Odoo has not done yet: a first load goes at its pace."""
        waiting = Counter(target_of(each) for ids in due.values() for each in ids)
        crowded = frozenset(t for t, number in waiting.items() if number >= CROWD)
        if crowded != self.gate.crowded:
            self.gate.crowded = crowded
            self._core.permits.enforce()

    async def _fill(self, claimed: dict[int, list[Item]]) -> None:
        core = self._core
        drafts = [item.delivery for items in claimed.values() for item in items]
        began = core.ports.monotonic()
        answers = await ask(self._odoo, (want for draft in drafts for want in draft.wants))
        core.ports.meter.observe("odoo", core.ports.monotonic() - began)
        made = self._made(drafts, answers)
        for partition, items in claimed.items():
            await self._write(partition, items, made)
        core.wake.set()

    def _made(
        self, drafts: Sequence[Delivery], answers: Answers | Away
    ) -> dict[DeliveryId, Outcome]:
        """Say what becomes of each; whatever Odoo said of them, it was there."""
        meter = self._core.ports.meter
        if isinstance(answers, Away):
            meter.count("odoo_away", "unauthorised" if answers.unauthorised else "away")
            away = Away(self.gate.close(answers), answers.unauthorised)
            return {DeliveryId(draft.id): away for draft in drafts}
        self.gate.open()
        return {DeliveryId(d.id): fill(d, answers, number=self._number) for d in drafts}

    async def _write(
        self, partition: int, items: Sequence[Item], made: dict[DeliveryId, Outcome]
    ) -> None:
        core = self._core

        def step(changeset: Changeset) -> None:
            for claimed in items:
                item = changeset.edit.item(claimed.id)  # a command, or a word, may have come
                if item is not None and item.delivery == claimed.delivery:
                    self._settle(changeset, item, made[item.id])
                core.let_go(changeset, claimed.chain)

        try:
            await core.committer.write(partition, step)
        except NotOurs:  # nothing was sent: the new holder asks again
            for item in items:
                core.in_flight.let_go(item.chain)

    def _settle(self, changeset: Changeset, item: Item, outcome: Outcome) -> None:
        core, edit, now = self._core, changeset.edit, self._core.clock()
        match outcome:
            case Filled(made, moved_on):
                core.ports.meter.count("filled", item.target)
                core.ports.meter.count("moved_on", item.target, len(moved_on))
                changeset.apply(filled(edit, item, made))
            case Away(why=why):
                changeset.apply(put_off(edit, item, why))
            case Withheld(why):
                core.ports.meter.count("withheld", item.target)
                changeset.apply(withheld(edit, item, why, now, core.ports.chance()))
            case Spoilt(why, code):
                changeset.apply(spoilt(edit, item, why, code, now))
            case _:
                assert_never(outcome)

    async def _claim(self, partitions: Sequence[int], most: int) -> dict[int, list[Item]]:
        """Take the chains of what is due, in every partition in turn: items by partition."""
        self._turn += 1
        first = self._turn % len(partitions) if partitions else 0
        claimed: dict[int, list[Item]] = {}
        for partition in (*partitions[first:], *partitions[:first]):
            left = most - sum(map(len, claimed.values()))
            if left > 0:
                with suppress(NotOurs):  # the new holder finds what is due
                    found = await self._claim_in(partition, left)
                    claimed |= {partition: found} if found else {}
        return claimed

    async def _claim_in(self, partition: int, most: int) -> list[Item]:
        core = self._core

        def step(changeset: Changeset) -> list[Item]:
            found: list[Item] = []
            edit, now = changeset.edit, core.clock()
            for delivery_id in edit.due(now, most, self._skip, self._may_be_filled):
                item = edit.item(delivery_id)
                if item is None or item.chain in core.in_flight:
                    continue
                what = fall_due(edit, item, now, remembered=core.remembered)
                if isinstance(what, Send):
                    core.in_flight.take(item.chain, ())
                    found.append(item)
                else:
                    changeset.apply(what)
            return found

        return await core.committer.write(partition, step)

    def _may_be_filled(self, lane: Lane) -> bool:
        holds = self._core.permits.holds
        return lane.draft and holds.of_line(lane.target, lane.route, but=_TRIED) is None

    def _skip(self, delivery_id: DeliveryId) -> bool:
        chain = split_delivery_id(delivery_id)[0]
        return chain in self._core.in_flight or bool(self._core.permits.holds.of_id(delivery_id))

    def _until_due(self) -> float:
        dues = []
        for cache in self._core.partitions.caches.values():
            with cache.view() as view:
                due = view.next_due(self._skip, self._may_be_filled)
                dues += [] if due is None else [due]
        now = self._core.clock()
        return min(max(0.0, min(dues, default=now + IDLE) - now), IDLE)
