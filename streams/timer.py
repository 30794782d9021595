"""What happens when its time has come: retries, missed acknowledgements, trials, expiry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from schemas.keys import DeliveryId
from schemas.state import State
from streams.bench import Bench
from streams.chains import Send, fall_due
from streams.clerk import NotOurs
from streams.desk import Sight
from streams.draft import Draft
from streams.item import Item

IDLE: Final = 0.5  # seconds of rest at most
_EXPIRED_AT_ONCE: Final = 500  # ledger entries
_SENDABLE: Final = (State.WAITING, State.SENT)
_SWEEP: Final = 1.0  # seconds between two looks for what has expired
_SOON: Final = 0.02  # seconds

Choice = Callable[[Sight, float], list[DeliveryId]]


class Timer:
    """Begins what is due."""

    def __init__(self, bench: Bench) -> None:
        """Work with the tools on the bench."""
        self._bench = bench
        self._turn = 0
        self._swept = 0.0

    async def tick(self) -> float:
        """Begin what is due; return the seconds until something may be due again.

        While the gate is closed nothing is due, and no acknowledgement is missed: one delivery,
        the longest due, is tried now and then.
        """
        await self._expire()
        gate = self._bench.gate
        if not gate.closed:
            return await self._begin_due()
        pause = gate.until_trial()
        if pause <= 0:
            return await self._trial()
        return min(pause, IDLE)

    async def _begin_due(self) -> float:
        """Begin in every partition in turn, so that none with much to do starves the others."""
        partitions = sorted(self._bench.holdings.caches)
        self._turn += 1
        first = self._turn % len(partitions) if partitions else 0
        for partition in partitions[first:] + partitions[:first]:
            room = self._bench.limits.concurrency - self._bench.errands
            if room <= 0:
                return IDLE  # the next errand that ends wakes the timer
            if self._is_anything_due(partition):
                for item in await self._claim(partition, self._due(room)):
                    self._bench.spawn(self._errand(partition, item), f"errand {item.id}")
        return self._until_due()

    def _due(self, room: int) -> Choice:
        return lambda sight, now: sight.due(now, room, self._bench.hands.busy)

    async def _claim(self, partition: int, choose: Choice) -> list[Item]:
        """Take the chains of what is due in hand; settle what needs no sending."""
        hands = self._bench.hands

        def step(draft: Draft) -> list[Item]:
            claimed: list[Item] = []
            now = self._bench.clock()
            for delivery_id in choose(draft.edit, now):
                item = draft.edit.item(delivery_id)
                if item is None or item.chain in hands:
                    continue
                what = fall_due(draft.edit, item, now)
                if isinstance(what, Send):
                    hands.take(item.chain, item.id)
                    claimed.append(what.item)
                else:
                    draft.apply(what)
            return claimed

        try:
            return await self._bench.clerk.write(partition, step)
        except NotOurs:  # the new holder finds what is due
            return []

    async def _errand(self, partition: int, item: Item, *, trial: bool = False) -> None:
        call = await self._bench.calls.start(item, trial=trial)
        if call is None:  # the gate has closed: the item waits as it did
            await self._bench.release(partition, item.chain)
        else:
            await self._bench.settle(partition, item.chain, call)

    async def _trial(self) -> float:
        """Try the longest due; where nothing is, let the next delivery find out.

        Returns the seconds until the next look.
        """
        gate = self._bench.gate
        oldest = min(self._candidates(), default=None)
        if oldest is not None:
            _, partition, delivery_id = oldest
            for item in await self._claim(partition, lambda *_: [delivery_id]):
                await self._errand(partition, item, trial=True)
        elif not self._bench.hands:
            gate.open()
        return min(max(gate.until_trial(), _SOON), IDLE) if gate.closed else 0.0

    def _candidates(self) -> Iterator[tuple[float, int, DeliveryId]]:
        now = self._bench.clock()
        for partition, cache in self._bench.holdings.caches.items():
            with cache.view() as view:
                for delivery_id in view.due(now, 1, self._bench.hands.busy, _SENDABLE):
                    item = view.item(delivery_id)
                    if item is not None:
                        yield item.since, partition, delivery_id

    def _is_anything_due(self, partition: int) -> bool:
        cache = self._bench.holdings.caches.get(partition)
        if cache is None:  # taken away while another partition was looked after
            return False
        with cache.view() as view:
            return bool(view.due(self._bench.clock(), 1, self._bench.hands.busy))

    def _until_due(self) -> float:
        dues = []
        for cache in self._bench.holdings.caches.values():
            with cache.view() as view:
                due = view.next_due(self._bench.hands.busy)
                dues += [] if due is None else [due]
        return min(
            max(0.0, min(dues, default=IDLE + self._bench.clock()) - self._bench.clock()), IDLE
        )

    async def _expire(self) -> None:
        """Drop ledger entries that Kafka drops too; some at a time."""
        now = self._bench.clock()
        if now - self._swept < _SWEEP:
            return
        self._swept = now
        before = now - self._bench.limits.retention
        for partition, cache in list(self._bench.holdings.caches.items()):
            if partition not in self._bench.holdings.caches:
                continue
            with cache.view() as view:
                if not view.expired(before):
                    continue
            with suppress(NotOurs):
                await self._bench.clerk.write(
                    partition, lambda draft: draft.edit.expire(before, _EXPIRED_AT_ONCE)
                )
