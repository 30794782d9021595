"""What the actors of a worker share: the partitions it holds, the calls, the clerk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, split_delivery_id
from streams.calls import Answer, Call, Calls, Meter, Sender
from streams.chains import attempted, hear
from streams.clerk import Clerk, NotOurs
from streams.desk import Cache, Log, Publisher
from streams.draft import Draft
from streams.gate import Gate, Traffic
from streams.hands import Hands
from streams.tally import tally


class Cabinet(Protocol):
    """Where the caches of a worker's partitions are."""

    def open(self, partition: int) -> Cache:
        """Open the cache of a partition."""


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


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds; times in seconds."""

    concurrency: int = 32  # calls at a time
    timeout: float = 10.0  # of one call
    patience: float = 1.0  # of a batch with one call
    retention: float = 7 * 86400.0  # of ledger entries


class Holdings:
    """The partitions that this worker holds, and the batches that work on them."""

    def __init__(self, cabinet: Cabinet, clerk: Clerk) -> None:
        """Hold none yet."""
        self._cabinet = cabinet
        self._clerk = clerk
        self._changed = asyncio.Condition()
        self._batches = 0
        self.caches: dict[int, Cache] = {}

    async def open(self, partition: int) -> None:
        """Open a partition; returns when its cache holds all that Kafka holds."""
        cache = self._cabinet.open(partition)
        await self._clerk.open(cache)
        self.caches[partition] = cache
        await self._tell()

    async def close(self, partition: int) -> None:
        """Close a partition, once its last write is durable."""
        cache = self.caches.pop(partition, None)
        if cache is not None:
            await self._clerk.close(partition)
            cache.close()

    async def ready(self, partition: int) -> Cache:
        """Wait until a partition is open."""
        async with self._changed:
            await self._changed.wait_for(lambda: partition in self.caches)
        return self.caches[partition]

    async def quiet(self) -> None:
        """Wait until no batch is being worked on."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._batches == 0)

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Work on a batch; its partitions stay open meanwhile."""
        self._batches += 1
        try:
            yield
        finally:
            self._batches -= 1
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Bench:
    """Tools on one bench."""

    def __init__(self, cabinet: Cabinet, ports: Ports, limits: Limits) -> None:
        """Lay them out; nothing runs yet."""
        self.ports = ports
        self.limits = limits
        self.clock = ports.clock
        self.gate = Gate(ports.traffic, ports.monotonic)
        self.calls = Calls(ports.sender, self.gate, ports.meter, limits.concurrency, ports.clock)
        self.clerk = Clerk(ports.publisher, ports.log, lambda changes: tally(ports.meter, changes))
        self.hands = Hands()
        self.holdings = Holdings(cabinet, self.clerk)
        self.wake = asyncio.Event()  # something may be due
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def errands(self) -> int:
        """How many tasks run beside the batches."""
        return len(self._tasks)

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

        def step(draft: Draft) -> None:
            if draft.edit.item(answer.item.id) is not None:
                self.judge(draft, answer)
            self.let_go(draft, chain)

        try:
            await self.clerk.write(partition, step)
        except NotOurs:  # the new holder finds the item and repeats the attempt
            self.hands.let_go(chain)
        self.wake.set()

    async def release(self, partition: int, chain: Chain) -> None:
        """Let a chain go that nothing was sent of."""
        try:
            await self.clerk.write(partition, lambda draft: self.let_go(draft, chain))
        except NotOurs:
            self.hands.let_go(chain)
        self.wake.set()

    def judge(self, draft: Draft, answer: Answer) -> None:
        """Make the changes that follow an answer."""
        draft.apply(attempted(draft.edit, answer.item, answer.outcome, answer.at))

    def let_go(self, draft: Draft, chain: Chain) -> None:
        """Apply the words that came in while a chain was in hand, and let it go."""
        for word in self.hands.let_go(chain):
            self.apply(draft, word)

    def listen(self, draft: Draft, word: Acknowledgement) -> None:
        """Apply a word, or put it beside the chain in hand."""
        try:
            chain, _, _ = split_delivery_id(word.id)
        except ValueError:
            self.ports.meter.count("acknowledgements_unknown")
            return
        if chain in self.hands:
            self.hands.put_beside(chain, word)
        else:
            self.apply(draft, word)

    def apply(self, draft: Draft, word: Acknowledgement) -> None:
        """Apply a word to a chain that nobody has in hand."""
        changes = hear(draft.edit, word, self.clock())
        if changes is None:
            self.ports.meter.count("acknowledgements_unknown")
        else:
            draft.apply(changes)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.ports.fatal(error)
