"""Last step: what happens when its time has come.

A failed delivery is sent again, one without its acknowledgement too, the next of a chain takes
its turn, and while WSO2 is away one delivery is tried now and then. Ledger entries that Kafka
drops are dropped here too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.item import Item
from streams.chains.rules import Send, begin, fall_due
from streams.core import Core
from streams.partitions.changeset import Changeset
from streams.partitions.committer import NotOurs
from streams.partitions.ports import PartitionView

IDLE: Final = 0.5  # seconds of rest at most
_EXPIRED_AT_ONCE: Final = 500  # ledger entries
_SENDABLE: Final = (State.WAITING, State.SENT)
_SWEEP: Final = 1.0  # seconds between two looks for what has expired
_SOON: Final = 0.02  # seconds

Choice = Callable[[PartitionView, float], list[DeliveryId]]


class Timer:
    """Begins what is due."""

    def __init__(self, core: Core) -> None:
        """Work with the means of a worker's core."""
        self._core = core
        self._turn = 0
        self._swept = 0.0

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._core.wake.clear()
            pause = await self.tick()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._core.wake.wait()

    async def tick(self) -> float:
        """Begin what is due; return the seconds until something may be due again.

        While the gate is closed nothing is due, and no acknowledgement is missed: one delivery,
        the longest due, is tried now and then.
        """
        if self._core.stopping:
            return IDLE
        await self._expire()
        gate = self._core.gate
        if not gate.closed:
            return await self._begin_due()
        pause = gate.until_trial()
        if pause <= 0:
            return await self._trial()
        return min(pause, IDLE)

    async def _begin_due(self) -> float:
        """Begin in every partition in turn, so that none with much to do starves the others."""
        partitions = sorted(self._core.partitions.caches)
        self._turn += 1
        first = self._turn % len(partitions) if partitions else 0
        for partition in partitions[first:] + partitions[:first]:
            room = self._core.limits.concurrency - self._core.background
            if room <= 0:
                return IDLE  # the next task that ends wakes the timer
            if self._is_anything_due(partition):
                for item in await self._claim(partition, self._due(room)):
                    self._core.spawn(self._send(partition, item), f"send again {item.id}")
        return self._until_due()

    def _due(self, room: int) -> Choice:
        return lambda sight, now: sight.due(now, room, self._core.in_flight.busy)

    async def _claim(self, partition: int, choose: Choice) -> list[Item]:
        """Take the chains of what is due; settle what needs no sending.

        Returns the items to send, as they were; what is written says that they are being sent.
        """
        in_flight = self._core.in_flight

        def step(changeset: Changeset) -> list[Item]:
            claimed: list[Item] = []
            now = self._core.clock()
            for delivery_id in choose(changeset.edit, now):
                item = changeset.edit.item(delivery_id)
                if item is None or item.chain in in_flight:
                    continue
                what = fall_due(changeset.edit, item, now)
                if isinstance(what, Send):
                    in_flight.take(item.chain, [item.id])
                    changeset.apply(begin(what.item, now, self._core.limits.timeout))
                    claimed.append(what.item)
                else:
                    changeset.apply(what)
            return claimed

        try:
            return await self._core.committer.write(partition, step)
        except NotOurs:  # the new holder finds what is due
            return []

    async def _send(self, partition: int, item: Item, *, trial: bool = False) -> None:
        call = await self._core.calls.start(item, trial=trial)
        if call is None:  # the gate has closed: the item waits as it did
            await self._core.release(partition, item)
        else:
            await self._core.settle(partition, item.chain, call)

    async def _trial(self) -> float:
        """Try the longest due; where nothing is, let the next delivery find out.

        Returns the seconds until the next look.
        """
        gate = self._core.gate
        oldest = min(self._candidates(), default=None)
        if oldest is not None:
            _, partition, delivery_id = oldest
            for item in await self._claim(partition, lambda *_: [delivery_id]):
                await self._send(partition, item, trial=True)
        elif not self._core.in_flight:
            gate.open()
        return min(max(gate.until_trial(), _SOON), IDLE) if gate.closed else 0.0

    def _candidates(self) -> Iterator[tuple[float, int, DeliveryId]]:
        now = self._core.clock()
        for partition, cache in self._core.partitions.caches.items():
            with cache.view() as view:
                for delivery_id in view.due(now, 1, self._core.in_flight.busy, _SENDABLE):
                    item = view.item(delivery_id)
                    if item is not None:
                        yield item.since, partition, delivery_id

    def _is_anything_due(self, partition: int) -> bool:
        cache = self._core.partitions.caches.get(partition)
        if cache is None:  # taken away while another partition was looked after
            return False
        with cache.view() as view:
            return bool(view.due(self._core.clock(), 1, self._core.in_flight.busy))

    def _until_due(self) -> float:
        dues = []
        for cache in self._core.partitions.caches.values():
            with cache.view() as view:
                due = view.next_due(self._core.in_flight.busy)
                dues += [] if due is None else [due]
        return min(
            max(0.0, min(dues, default=IDLE + self._core.clock()) - self._core.clock()), IDLE
        )

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
            with suppress(NotOurs):
                await self._core.committer.write(
                    partition, lambda changeset: changeset.edit.expire(before, _EXPIRED_AT_ONCE)
                )
