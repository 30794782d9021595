"""Last step: what happens when its time has come.

A failed delivery is sent again, one without its acknowledgement too, the next of a chain takes
its turn, and while WSO2 or a target is away one delivery is tried now and then. Ledger entries
that Kafka drops are dropped here too.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from typing import Final

from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.chains.item import Item
from streams.chains.rules import Send, begin, fall_due
from streams.core import Core
from streams.partitions.changeset import Changeset
from streams.partitions.committer import NotOurs
from streams.partitions.ports import Lane, Lanes, PartitionView, Skip
from streams.sending.breaker import Breaker, Stage
from streams.sending.gate import Gate
from streams.sending.holds import Reason
from streams.sending.trials import Trials
from streams.turns import keep_on

IDLE: Final = 0.5  # seconds of rest at most
_EXPIRED_AT_ONCE: Final = 500  # ledger entries
_CROWNED_AT_ONCE: Final = 500  # items
_SWEEP: Final = 1.0  # seconds between two looks for what has expired
_SOON: Final = 0.02  # seconds
_GATE: Final = (Reason.WSO2, Reason.BREAKER)

Choice = Callable[[PartitionView, float], list[DeliveryId]]
Begun = Callable[[Item], None]


class Timer:
    """Begins what is due."""

    def __init__(self, core: Core) -> None:
        """Work with the means of a worker's core."""
        self._core = core
        self._wake = core.wake.listen()
        self._turn = 0
        self._swept = 0.0

    async def run(self) -> None:
        """Do what is due, for ever."""
        await keep_on(self.tick, self._wake)

    async def tick(self) -> float:
        """Begin what is due; return the seconds until something may be due again.

        What is held back is not sent, but for a delivery that it is tried with now and then;
        acknowledgements are missed all the same.
        """
        if self._core.stopping:
            return IDLE
        await self._expire()
        is_left = await self._crown()
        self._core.permits.look()
        await self._begin_due()
        pause = await self._try()
        self._core.permits.enforce()
        return 0.0 if is_left else min(pause, self._until_due())

    async def _begin_due(self) -> None:
        """Begin in every partition in turn, so that none with much to do starves the others."""
        partitions = sorted(self._core.partitions.caches)
        self._turn += 1
        first = self._turn % len(partitions) if partitions else 0
        for partition in partitions[first:] + partitions[:first]:
            room = self._core.limits.concurrency - self._core.background
            if room <= 0:
                return  # the next task that ends wakes the timer
            if self._is_anything_due(partition):
                for item in await self._claim(partition, self._due(room)):
                    self._core.spawn(self._send(partition, item), f"send again {item.id}")

    def _due(self, room: int) -> Choice:
        return lambda sight, now: sight.due(now, room, self._skip, self._may_go)

    def _may_go(self, lane: Lane) -> bool:
        """Say whether to look into a lane: an acknowledgement is missed whatever is held.

        Drafts are not sent: `drafts.py` looks after them.
        """
        if lane.draft:
            return False
        holds = self._core.permits.holds
        return lane.deadline or holds.of_line(lane.target, lane.route) is None

    def _skip(self, delivery_id: DeliveryId) -> bool:
        chain = split_delivery_id(delivery_id)[0]
        return chain in self._core.in_flight or bool(self._core.permits.holds.of_id(delivery_id))

    async def _claim(
        self, partition: int, choose: Choice, begun: Begun | None = None
    ) -> list[Item]:
        """Take the chains of what is due; settle what needs no sending.

        Returns the items to send, as they were; what is written says that they are being sent.
        `begun` is told of a trial: what it is tried with may go although it is held back.
        """
        core = self._core

        def step(changeset: Changeset) -> list[Item]:
            claimed: list[Item] = []
            now = core.clock()
            for delivery_id in choose(changeset.edit, now):
                item = changeset.edit.item(delivery_id)
                if item is None or item.chain in core.in_flight:
                    continue
                chance = core.ports.chance()
                what = fall_due(
                    changeset.edit, item, now, chance, core.permits.missed, core.remembered
                )
                if not isinstance(what, Send):
                    changeset.apply(what)
                elif begun is not None or core.permits.claim(item):
                    if begun is not None:
                        begun(item)
                    core.in_flight.take(item.chain, [item.id])
                    changeset.apply(begin(item, now, core.limits.timeout))
                    claimed.append(item)
            return claimed

        try:
            return await core.committer.write(partition, step)
        except NotOurs:  # the new holder finds what is due
            return []

    async def _send(self, partition: int, item: Item) -> None:
        call = await self._core.calls.start(item)
        if call is None:  # it may not go any more: the item waits as it did
            await self._core.release(partition, item)
        else:
            await self._core.settle(partition, item.chain, call)

    async def _try(self) -> float:
        """Try what is held back because it failed; return the seconds until the next look."""
        permits = self._core.permits
        if permits.gate.closed:
            return await self._try_gate(permits.gate)
        pauses = [await self._try_target(*each) for each in permits.breakers.troubled()]
        return min(pauses, default=IDLE)

    async def _try_gate(self, gate: Gate) -> float:
        """Try the longest due; where nothing is, let the next delivery find out."""
        trials, pause = gate.trials, gate.trials.until()
        if pause > 0:
            gate.thirsty = gate.thirsty and self._fresh(trials, _GATE) is None
            return pause
        found = self._fresh(trials, (Reason.WSO2,)) or self._fresh(trials, _GATE)
        gate.thirsty = found is None
        found = found or self._tried(trials, (Reason.WSO2,)) or self._tried(trials, _GATE)
        if found is not None:
            await self._begin_trial(trials, *found)
        elif not self._core.in_flight:
            gate.open()
            return 0.0
        return _SOON

    async def _try_target(self, target: str, breaker: Breaker) -> float:
        """Try the longest due of a target, rather one that was not tried yet."""
        trials = breaker.trials
        if breaker.stage is Stage.OPEN and (pause := trials.until()) > 0:
            if breaker.thirsty:
                breaker.thirsty = self._fresh(trials, (Reason.BREAKER,), target) is None
            return pause
        found = self._fresh(trials, (Reason.BREAKER,), target)
        breaker.thirsty = found is None
        if breaker.stage is Stage.OPEN:
            found = found or self._tried(trials, (Reason.BREAKER,), target)
            if found is not None:
                await self._begin_trial(trials, *found)
        return IDLE

    async def _begin_trial(self, trials: Trials, partition: int, delivery_id: DeliveryId) -> None:
        patience = self._core.permits.breakers.patience

        def begun(item: Item) -> None:
            trials.begin(item.id, item.chain, patience(item))

        for item in await self._claim(partition, lambda *_: [delivery_id], begun):
            self._core.spawn(self._send(partition, item), f"try with {item.id}")

    def _fresh(
        self, trials: Trials, reasons: Container[Reason], target: str = ""
    ) -> tuple[int, DeliveryId] | None:
        """Return the longest due of a chain that was never tried; see `_candidate`."""
        return self._candidate(trials.known, reasons, target)

    def _tried(
        self, trials: Trials, reasons: Container[Reason], target: str = ""
    ) -> tuple[int, DeliveryId] | None:
        """Return the longest due; one comes again when all have had their turn."""
        found = self._candidate(trials.tried, reasons, target)
        if found is None and trials.tried:
            found = self._candidate((), reasons, target)
            if found is not None:
                trials.tried.clear()
        return found

    def _candidate(
        self, but: Container[Chain], reasons: Container[Reason], target: str
    ) -> tuple[int, DeliveryId] | None:
        """Return the longest due, `but` for some chains: (partition, id).

        Nothing holds it back but for these reasons.
        """

        def lanes(lane: Lane) -> bool:
            holds = self._core.permits.holds
            mine = target in ("", lane.target) and not lane.deadline and not lane.draft
            return mine and holds.of_line(lane.target, lane.route, but=reasons) is None

        def skip(delivery_id: DeliveryId) -> bool:
            return split_delivery_id(delivery_id)[0] in but or self._skip(delivery_id)

        found = min(self._longest_due(skip, lanes), default=None)
        return None if found is None else found[1:]

    def _longest_due(self, skip: Skip, lanes: Lanes) -> Iterator[tuple[float, int, DeliveryId]]:
        now = self._core.clock()
        for partition, cache in self._core.partitions.caches.items():
            with cache.view() as view:
                for delivery_id in view.due(now, 1, skip, lanes):
                    item = view.item(delivery_id)
                    if item is not None:
                        yield item.since, partition, delivery_id

    def _is_anything_due(self, partition: int) -> bool:
        cache = self._core.partitions.caches.get(partition)
        if cache is None:  # taken away while another partition was looked after
            return False
        with cache.view() as view:
            return bool(view.due(self._core.clock(), 1, self._skip, self._may_go))

    def _until_due(self) -> float:
        if self._core.background >= self._core.limits.concurrency:
            return IDLE
        dues = []
        for cache in self._core.partitions.caches.values():
            with cache.view() as view:
                due = view.next_due(self._skip, self._may_go)
                dues += [] if due is None else [due]
        return min(
            max(0.0, min(dues, default=IDLE + self._core.clock()) - self._core.clock()), IDLE
        )

    async def _crown(self) -> bool:
        """Look at chains that a pause gave another first one, some at a time; say if any is left.

        Which they are stands in the cache: whoever opens it again goes on.
        """
        is_left = False

        def step(changeset: Changeset) -> bool:
            changeset.edit.crown(_CROWNED_AT_ONCE)
            return changeset.edit.uncrowned()

        for partition, cache in list(self._core.partitions.caches.items()):
            if partition not in self._core.partitions.caches:
                continue
            with cache.view() as view:
                if not view.uncrowned():
                    continue
            with suppress(NotOurs):  # the new holder looks at them
                is_left |= await self._core.committer.write(partition, step)
        return is_left

    async def _expire(self) -> None:
        """Drop ledger entries that Kafka drops too; some at a time."""
        now = self._core.clock()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        before = now - self._core.limits.retention
        for partition, cache in list(self._core.partitions.caches.items()):
            if partition not in self._core.partitions.caches:
                continue
            with cache.view() as view:
                if not view.expired(before):
                    continue
            with suppress(NotOurs):  # the new holder drops them
                await self._core.committer.write(
                    partition, lambda changeset: changeset.edit.expire(before, _EXPIRED_AT_ONCE)
                )
