"""Second step: what stands in a target's send queue goes to WSO2, chain by chain.

Chains go side by side, each in the order of its commits. What is not finally accepted at once
becomes an item: it waits in the `retries` topic for its answer, its turn, its time or the
target's word, and the batch ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas import delivery as deliveries
from schemas.delivery import NotADelivery
from schemas.keys import Chain, DeliveryId
from streams.chains.ahead import ready
from streams.chains.drafts import WANTING, until_draft
from streams.chains.item import Arrival, Item, Terms
from streams.chains.outcome import Accepted
from streams.chains.rules import arrive, known, unanswered
from streams.core import Core
from streams.kafka.records import Taken, report_unreadable
from streams.metrics import Meter
from streams.partitions.changeset import Changeset
from streams.partitions.ports import Cache
from streams.sending.calls import Answer, Call


@dataclass(slots=True)
class Deliveries:
    """What a worker does with the records of one target's send queue."""

    forwarder: Forwarder
    terms: Terms
    meter: Meter

    async def __call__(self, batch: Sequence[Taken]) -> None:
        """Forward a batch; whatever is not final becomes an item."""
        arrivals: list[Arrival] = []
        for taken in batch:
            try:
                sent = deliveries.decode(taken.value)
            except NotADelivery as error:
                report_unreadable(taken, f"not a delivery: {error}")
                self.meter.count("deliveries_unreadable", taken.topic)
            else:
                arrivals.append(Arrival(sent, taken.partition, taken.offset, self.terms))
        if arrivals:
            await self.forwarder.deliver(arrivals)


class Forwarder:
    """Sends what arrives in the send queues."""

    def __init__(self, core: Core) -> None:
        """Send with the means of a worker's core."""
        self._core = core

    async def deliver(self, batch: Sequence[Arrival]) -> None:
        """Send deliveries, chains side by side, each chain in order.

        Returns when all that became of the batch is durable. A chain that has something on its
        way waits, and so does the rest of one after anything but a final acceptance.
        """
        seen = self._core.clock()
        chains: dict[tuple[int, Chain], list[Arrival]] = {}
        for arrival in batch:
            chain = Chain(arrival.delivery.chain)
            chains.setdefault((arrival.partition, chain), []).append(arrival)
        async with self._core.partitions.batch():
            await asyncio.gather(*(self._chain(p, c, a, seen) for (p, c), a in chains.items()))
        self._core.wake.set()

    async def _chain(
        self, partition: int, chain: Chain, arrivals: Sequence[Arrival], seen: float
    ) -> None:
        core = self._core
        cache = await core.partitions.ready(partition)
        first = self._first_copies(cache, arrivals)
        course = _Course(rest=first)
        taken = self._free(cache, chain, arrivals[0])
        if taken:
            core.in_flight.take(chain, (DeliveryId(each.delivery.id) for each in first))
            goes, stays = self._ready(cache, first)
            course = await self._send(goes, seen)
            course.rest = sorted((*stays, *course.rest), key=lambda each: each.offset)

        def step(changeset: Changeset) -> None:
            for answer in course.answers:
                core.judge(changeset, answer)
            slow = course.slow
            if slow is not None:
                now = core.clock()
                changeset.apply(unanswered(changeset.edit, slow.item, now, core.limits.timeout))
            for arrival in course.rest:
                hold = core.permits.hold_of(arrival.delivery)
                why = hold.why if hold else WANTING if arrival.delivery.wants else ""
                changeset.apply(arrive(changeset.edit, arrival, seen, why, core.remembered))
            if taken:
                core.let_go(changeset, chain, slow.item if slow is not None else None)

        await core.committer.write(partition, step)
        core.taken += len(arrivals)
        if course.slow is not None:
            core.spawn(core.settle(partition, chain, course.slow), f"slow {course.slow.item.id}")

    async def _send(self, arrivals: Sequence[Arrival], seen: float) -> _Course:
        """Send in order, as long as each is finally accepted and all in good time."""
        course = _Course(rest=arrivals)
        monotonic, limits = self._core.ports.monotonic, self._core.limits
        end = monotonic() + limits.course
        for arrival in arrivals:
            if monotonic() >= end:  # one long chain would hold up all others of the batch
                break
            call = await self._core.calls.start(Item.of(arrival, seen))
            if call is None:
                break
            course.rest = course.rest[1:]
            answer = await call.within(limits.patience)
            if answer is None:
                course.slow = call
                break
            course.answers.append(answer)
            if not _final(answer):
                break
        return course

    def _free(self, cache: Cache, chain: Chain, first: Arrival) -> bool:
        if self._core.permits.hold_of(first.delivery) or chain in self._core.in_flight:
            return False
        with cache.view() as view:
            return view.leader(chain) is None

    def _first_copies(self, cache: Cache, arrivals: Sequence[Arrival]) -> Sequence[Arrival]:
        first: dict[DeliveryId, Arrival] = {}
        with cache.view() as view:
            for arrival in arrivals:
                delivery_id = DeliveryId(arrival.delivery.id)
                if delivery_id in first or known(view, delivery_id):
                    self._core.ports.meter.count("copies_dropped", arrival.delivery.target)
                else:
                    first[delivery_id] = arrival
        return list(first.values())

    def _ready(
        self, cache: Cache, arrivals: Sequence[Arrival]
    ) -> tuple[Sequence[Arrival], Sequence[Arrival]]:
        may, waits = until_draft(arrivals)
        if not any(each.delivery.replayed for each in may):
            return may, waits  # live ones stand in the order of their commits
        # Apart, so that nobody who waits for an answer holds on to a view: there are not so many.
        with cache.view() as view:
            goes, stays = ready(view, may, self._core.remembered)
        return goes, (*stays, *waits)


@dataclass(slots=True)
class _Course:
    """How far the deliveries of one chain came."""

    answers: list[Answer] = field(default_factory=list)
    slow: Call | None = None
    rest: Sequence[Arrival] = ()


def _final(answer: Answer) -> bool:
    return isinstance(answer.outcome, Accepted) and not answer.item.awaits_word
