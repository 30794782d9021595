"""What forwarding, words and the timer share: the partitions held, the calls, the committer.

They share one event loop too. Decisions are taken in `chains` and made durable by the committer;
here stands who waits for whom: a chain that something is sent of is in flight, and a word on that
which comes in meanwhile waits until its answer is durable.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.acknowledgement import Acknowledgement
from schemas.config import Window
from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.chains.changes import Keep
from streams.chains.item import Item
from streams.chains.rules import attempted, hear
from streams.metrics import Meter
from streams.partitions.changeset import Changeset
from streams.partitions.committer import Committer, NotOurs
from streams.partitions.held import HeldPartitions, StateFolder
from streams.partitions.measure import measure
from streams.partitions.ports import Cache, Log, Publisher
from streams.sending.breaker import Stage
from streams.sending.calls import Answer, Call, Calls, Sender
from streams.sending.holds import Hold
from streams.sending.in_flight import InFlight
from streams.sending.permits import Permits, Traffic


@dataclass(frozen=True, slots=True)
class Ports:
    """What the core talks to."""

    sender: Sender
    publisher: Publisher
    log: Log
    traffic: Traffic
    meter: Meter
    fatal: Callable[[BaseException], None]  # ends the process
    clock: Callable[[], float] = time.time  # UTC seconds
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random  # from 0 to below 1: how pauses are spread


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds; times in seconds."""

    concurrency: int = 32  # calls at a time
    timeout: float = 10.0  # of one call
    patience: float = 1.0  # of a batch with one call
    course: float = 10.0  # of a batch with all calls of one chain
    retention: float = 7 * 86400.0  # of ledger entries
    partitions: int = 1  # of every topic


@dataclass(frozen=True, slots=True)
class Figures:
    """What metrics and readiness show."""

    waiting: dict[tuple[str, str], int]  # (target, state) -> items
    oldest: float | None  # since when the oldest item is not final, UTC seconds
    in_flight: int  # chains that something is being sent of
    gate: str  # "" where open
    holds: tuple[Hold, ...]
    breakers: dict[str, Stage]  # of the targets that something was sent to
    partitions: tuple[int, ...]  # that are ready


class Wake:
    """Tells those who look after what is due that something may be."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._events: list[asyncio.Event] = []

    def listen(self) -> asyncio.Event:
        """Return what is set from here on; whoever waits for it clears it."""
        self._events.append(asyncio.Event())
        return self._events[-1]

    def set(self) -> None:
        """Wake them all."""
        for event in self._events:
            event.set()


class Core:
    """The core of a worker; `assign` gives it partitions, `stop` ends it."""

    def __init__(
        self,
        folder: StateFolder,
        ports: Ports,
        limits: Limits,
        windows: Mapping[str, Window] | None = None,
    ) -> None:
        """Hold no partition yet; `windows` of the targets that have one."""
        self.ports = ports
        self.limits = limits
        self.clock = ports.clock
        self.permits = Permits(
            windows or {},
            ports.traffic,
            ports.meter,
            ports.clock,
            ports.monotonic,
            limits.timeout,
        )
        self.permits.pauses.count = limits.partitions
        self.calls = Calls(
            ports.sender, self.permits, ports.meter, limits.concurrency, ports.clock
        )
        self.committer = Committer(
            ports.publisher, ports.log, lambda changes: measure(ports.meter, changes)
        )
        self.in_flight = InFlight()
        self.partitions = HeldPartitions(folder, self.committer, self._opened)
        self.wake = Wake()
        self.stopping = False
        self.taken = 0  # records of batches that are done: grows as long as consumers get on
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def remembered(self) -> float:
        """Since when the ledger knows what became of deliveries, in UTC seconds."""
        return self.clock() - self.limits.retention

    @property
    def background(self) -> int:
        """How many tasks run beside the batches."""
        return len(self._tasks)

    def figures(self) -> Figures:
        """Return what metrics and readiness show."""
        waiting: dict[tuple[str, str], int] = {}
        oldest: list[float] = []
        caches = self.partitions.caches
        for cache in caches.values():
            for key, number in cache.counts().items():
                waiting[key] = waiting.get(key, 0) + number
            with cache.view() as view:
                since = view.oldest()
            oldest += [] if since is None else [since]
        return Figures(
            waiting,
            min(oldest, default=None),
            len(self.in_flight),
            self.permits.gate.why,
            tuple(self.permits.holds.standing()),
            self.permits.breakers.stages(),
            tuple(sorted(caches)),
        )

    async def assign(self, partitions: Iterable[int]) -> None:
        """Open partitions; returns when their caches hold all that Kafka holds."""
        held = self.partitions
        closed = [p for p in dict.fromkeys(partitions) if p not in held.caches]
        await asyncio.gather(*(held.open(partition) for partition in closed))
        self.wake.set()

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Close partitions, once the batches in work are done."""
        await self.partitions.quiet()
        for partition in partitions:
            await self.partitions.close(partition)
            self.permits.pauses.drop(partition)
        self.permits.forget()

    async def stop(self) -> None:
        """Finish what is in hand and close everything."""
        self.stopping = True
        await self.partitions.quiet()
        await self.finished()
        await self.revoke(list(self.partitions.caches))

    async def adopt(self, limits: Limits, windows: Mapping[str, Window]) -> None:
        """Go by other bounds and windows from here on; nothing is waited for."""
        self.limits = limits
        self.permits.adopt(windows, limits.timeout)
        await self.calls.slots.resize(limits.concurrency)
        self.wake.set()

    def heed(self, partition: int) -> None:
        """Heed what is paused in a partition, from now on."""
        cache = self.partitions.caches.get(partition)
        if cache is not None:
            self._opened(cache)
            self.permits.enforce()

    def _opened(self, cache: Cache) -> None:
        with cache.view() as view:
            self.permits.pauses.load(cache.partition, view.pauses())

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something beside the batches; what it raises ends the process."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finished(self) -> None:
        """Wait until nothing runs beside the batches."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def settle(self, partition: int, chain: Chain, call: Call) -> None:
        """Wait for the answer to an item's attempt, write what follows, let its chain go."""
        answer = await call.task

        def step(changeset: Changeset) -> None:
            if changeset.edit.item(answer.item.id) is not None:
                self.judge(changeset, answer)
            self.let_go(changeset, chain)

        try:
            await self.committer.write(partition, step)
        except NotOurs:  # the new holder finds the item and repeats the attempt
            self.in_flight.let_go(chain)
        self.wake.set()

    async def release(self, partition: int, item: Item) -> None:
        """Let an item wait as it did, and its chain go: nothing was sent of it."""
        self.permits.drop(item)

        def step(changeset: Changeset) -> None:
            changeset.apply([Keep(item)])
            self.let_go(changeset, item.chain)

        try:
            await self.committer.write(partition, step)
        except NotOurs:
            self.in_flight.let_go(item.chain)
        self.wake.set()

    def judge(self, changeset: Changeset, answer: Answer) -> None:
        """Make the changes that follow an answer."""
        chance = self.ports.chance()
        changeset.apply(attempted(changeset.edit, answer.item, answer.outcome, answer.at, chance))

    def let_go(self, changeset: Changeset, chain: Chain, slow: Item | None = None) -> None:
        """Apply the words that came in while a chain was in flight, and let it go.

        Where one of it is `slow`, still being sent, it stays in flight for that one alone.
        """
        words = self.in_flight
        for word in words.let_go(chain) if slow is None else words.keep_only(chain, slow.id):
            self.apply(changeset, word)

    def listen(self, changeset: Changeset, word: Acknowledgement) -> None:
        """Apply a word, or keep it for when the answer to its delivery is durable."""
        try:
            chain, _, _ = split_delivery_id(word.id)
        except ValueError:
            self.ports.meter.count("acknowledgements_unknown")
            return
        if self.in_flight.awaits(chain, DeliveryId(word.id)):
            self.in_flight.put_beside(chain, word)
        else:
            self.apply(changeset, word)

    def apply(self, changeset: Changeset, word: Acknowledgement) -> None:
        """Apply a word on a delivery that is not being sent."""
        now = self.clock()

        def counts(item: Item) -> bool:
            return self.permits.heard(item, word, now)

        changes = hear(changeset.edit, word, now, self.ports.chance(), counts)
        if changes is None:
            self.ports.meter.count("acknowledgements_unknown")
        else:
            changeset.apply(changes)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ports.fatal(error)
