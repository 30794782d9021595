"""Deliveries to WSO2 and back: what to send, what waits, what came of it.

Three actors share one event loop: the deliveries agent brings deliveries, the responses agent
words, the timer what is due. Decisions are taken in `chains` and made durable by the clerk; here
stands only who waits for whom.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from schemas.keys import Chain, DeliveryId
from streams.acknowledgements import Word
from streams.bench import Bench, Cabinet, Limits, Ports
from streams.calls import Answer, Call
from streams.chains import arrive, known, unanswered
from streams.desk import Cache
from streams.draft import Draft
from streams.gate import Gate
from streams.item import Arrival, Item
from streams.outcome import Accepted
from streams.timer import IDLE, Timer

__all__ = ["Figures", "Forwarder", "Limits", "Ports"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What metrics and readiness show."""

    waiting: dict[tuple[str, str], int]  # (target, state) -> items
    oldest: float | None  # since when the oldest item is not final, UTC seconds
    in_hand: int  # chains being sent
    gate: str  # "" where open
    partitions: tuple[int, ...]  # that are ready


@dataclass(slots=True)
class _Course:
    """How far the deliveries of one chain came."""

    answers: list[Answer] = field(default_factory=list)
    slow: Call | None = None
    rest: Sequence[Arrival] = ()


class Forwarder:
    """The core of a worker: see `assign`, `deliver`, `acknowledge` and `run`."""

    def __init__(self, cabinet: Cabinet, ports: Ports, limits: Limits) -> None:
        """Hold no partition yet."""
        self._bench = Bench(cabinet, ports, limits)
        self._timer = Timer(self._bench)
        self._stopping = False

    @property
    def gate(self) -> Gate:
        """Whether deliveries go to WSO2."""
        return self._bench.gate

    @property
    def steps(self) -> int:
        """Answers and writes so far: grows as long as the worker gets on."""
        return self._bench.calls.ended + self._bench.clerk.writes

    def figures(self) -> Figures:
        """Return what metrics and readiness show."""
        waiting: dict[tuple[str, str], int] = {}
        oldest: list[float] = []
        caches = self._bench.holdings.caches
        for cache in caches.values():
            for key, number in cache.counts().items():
                waiting[key] = waiting.get(key, 0) + number
            with cache.view() as view:
                since = view.oldest()
            oldest += [] if since is None else [since]
        return Figures(
            waiting,
            min(oldest, default=None),
            len(self._bench.hands),
            self.gate.why,
            tuple(sorted(caches)),
        )

    async def assign(self, partitions: Iterable[int]) -> None:
        """Open partitions; returns when their caches hold all that Kafka holds."""
        holdings = self._bench.holdings
        closed = [p for p in dict.fromkeys(partitions) if p not in holdings.caches]
        await asyncio.gather(*(holdings.open(partition) for partition in closed))
        self._bench.wake.set()

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Close partitions, once the batches in work are done."""
        await self._bench.holdings.quiet()
        for partition in partitions:
            await self._bench.holdings.close(partition)

    async def stop(self) -> None:
        """Finish what is in hand and close everything."""
        self._stopping = True
        await self._bench.holdings.quiet()
        await self._bench.finished()
        await self.revoke(list(self._bench.holdings.caches))

    async def deliver(self, batch: Sequence[Arrival]) -> None:
        """Send deliveries, chains side by side, each chain in order.

        Returns when all that became of the batch is durable. A chain that has something on its
        way waits, and so does the rest of one after anything but a final acceptance.
        """
        seen = self._bench.clock()
        chains: dict[tuple[int, Chain], list[Arrival]] = {}
        for arrival in batch:
            chain = Chain(arrival.delivery.chain)
            chains.setdefault((arrival.partition, chain), []).append(arrival)
        async with self._bench.holdings.batch():
            await asyncio.gather(*(self._chain(p, c, a, seen) for (p, c), a in chains.items()))
        self._bench.wake.set()

    async def acknowledge(self, words: Sequence[Word]) -> None:
        """Apply words; returns when what they changed is durable."""
        partitions: dict[int, list[Word]] = {}
        for word in words:
            self._bench.ports.meter.count("acknowledgements", word.acknowledgement.status)
            partitions.setdefault(word.partition, []).append(word)
        async with self._bench.holdings.batch():
            await asyncio.gather(*(self._listen(p, some) for p, some in partitions.items()))
        self._bench.wake.set()

    async def run(self) -> None:
        """Do what is due, for ever."""
        while True:
            self._bench.wake.clear()
            pause = await self.tick()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._bench.wake.wait()

    async def tick(self) -> float:
        """Begin what is due; return the seconds until something may be due again."""
        return IDLE if self._stopping else await self._timer.tick()

    async def _listen(self, partition: int, words: Sequence[Word]) -> None:
        await self._bench.holdings.ready(partition)

        def step(draft: Draft) -> None:
            for word in words:
                self._bench.listen(draft, word.acknowledgement)

        await self._bench.clerk.write(partition, step)

    async def _chain(
        self, partition: int, chain: Chain, arrivals: Sequence[Arrival], seen: float
    ) -> None:
        bench = self._bench
        cache = await bench.holdings.ready(partition)
        course = _Course(rest=self._first_copies(cache, arrivals))
        held = self._free(cache, chain)
        if held:
            bench.hands.take(chain)
            course = await self._send(course.rest, seen)

        def step(draft: Draft) -> None:
            for answer in course.answers:
                bench.judge(draft, answer)
            slow = course.slow
            if slow is not None:
                now = bench.clock()
                draft.apply(unanswered(draft.edit, slow.item, now, bench.limits.timeout))
            for arrival in course.rest:
                sending = bench.hands.sending(chain)
                draft.apply(arrive(draft.edit, arrival, seen, sending))
            if held and slow is None:
                bench.let_go(draft, chain)

        await bench.clerk.write(partition, step)
        if course.slow is not None:
            bench.spawn(bench.settle(partition, chain, course.slow), f"slow {course.slow.item.id}")

    async def _send(self, arrivals: Sequence[Arrival], seen: float) -> _Course:
        """Send in order, as long as each is finally accepted in good time."""
        course = _Course(rest=arrivals)
        for arrival in arrivals:
            call = await self._bench.calls.start(Item.of(arrival, seen))
            if call is None:
                break
            course.rest = course.rest[1:]
            answer = await call.within(self._bench.limits.patience)
            if answer is None:
                course.slow = call
                break
            course.answers.append(answer)
            if not _final(answer):
                break
        return course

    def _free(self, cache: Cache, chain: Chain) -> bool:
        if self.gate.closed or chain in self._bench.hands:
            return False
        with cache.view() as view:
            return view.leader(chain) is None

    def _first_copies(self, cache: Cache, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        first: dict[DeliveryId, Arrival] = {}
        with cache.view() as view:
            for arrival in arrivals:
                delivery_id = DeliveryId(arrival.delivery.id)
                if delivery_id in first or known(view, delivery_id):
                    self._bench.ports.meter.count("copies_dropped", arrival.delivery.target)
                else:
                    first[delivery_id] = arrival
        return list(first.values())


def _final(answer: Answer) -> bool:
    return isinstance(answer.outcome, Accepted) and not answer.item.awaits_word
