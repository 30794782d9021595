"""Beside the steps: past events through today's routes, portion by portion.

A replay is a record of each partition's own, written and copied like all that it holds: whoever
has the partition goes on. It is written in small portions, the next one when the queues that the
former ones fill are short, so that live changes overtake it; what is written twice after a crash
has the same ids, and the later copies are dropped. Whether a delivery may go is judged where its
chain is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Protocol

from schemas import delivery as deliveries
from schemas.arguments import MalformedCommand, refuse_unknown, text_of
from schemas.avro import NotAnEvent, UnknownSchema
from schemas.command import Answer, Command, Kind, Progress
from schemas.delivery import Delivery
from schemas.errors import ServiceUnavailable
from schemas.replay import Request
from streams.chains.ledger import iso
from streams.core import Core
from streams.decoding import Decoder
from streams.kafka.records import Places, Record, Taken, WriteRecords
from streams.partitions.changeset import Changeset
from streams.partitions.committer import NotOurs
from streams.replays.job import Job
from streams.replays.portion import Came, Portion
from streams.rereading import Queues
from streams.routing.routes import Routes
from streams.turns import keep_on

SMALL: Final = 500  # deliveries in a portion, about
SHORT: Final = 500  # of its deliveries that wait in queues when the next portion is written
_BREATH: Final = 25  # events between two chances for everything else in the event loop
_SLICE: Final = 1.0  # seconds of a portion, about
_IDLE: Final = 5.0  # seconds between two looks for replays; one that begins wakes it
_LOOK: Final = 0.25  # seconds until queues are looked at again, twice as many each time
_LONGEST: Final = 4.0  # of these
_WORD: Final = 10.0  # seconds between two words to who waits for an answer


class History(Protocol):
    """Reads past events; ServiceUnavailable where Kafka is away."""

    async def reach(self, request: Request, partition: int) -> tuple[int, int]:
        """Return the offsets that a partition is to be read from, and to before."""

    def read(
        self, model: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[tuple[Sequence[Taken], int], None]:
        """Give the records of a partition from one offset to before another; how far they go."""


@dataclass(slots=True)
class _Pace:
    """When a replay goes on, and when who asked has heard of it; monotonic seconds."""

    due: float = 0.0
    look: float = _LOOK
    told: float = 0.0

    def wait(self, now: float) -> None:
        """Let it wait for its queues."""
        self.due = now + self.look
        self.look = min(2 * self.look, _LONGEST)

    def written(self, now: float, number: int, rate: float | None) -> None:
        """Let it wait for its rate, in deliveries per second."""
        self.look = _LOOK
        self.due = now + (number / rate if rate else 0.0)


@dataclass(slots=True)
class Replaying:
    """What a worker does of replays, in the partitions that it holds."""

    core: Core
    history: History
    queues: Queues
    decoder: Decoder
    routes: Routes
    places: Places
    write: WriteRecords
    _paces: dict[tuple[int, str], _Pace] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, partition: int, command: Command) -> Job:
        """Take a replay on in a partition that is held. Raises MalformedCommand."""
        request = Request.of(command.arguments)
        self._refuse_strange(request)
        known = next((job for job in self._jobs(partition) if job.id == command.id), None)
        if known is not None:
            return known
        start, end = await self.history.reach(request, partition)
        job = Job(command.id, request, self.core.clock(), command.who, start, start, end)
        if not job.done:
            await self._keep(partition, job.id, job.to_json())
            self._wake.set()
        return job

    async def cancel(self, partition: int, command: Command) -> dict[str, int]:
        """End a replay in a partition that is held; what is queued stays. MalformedCommand."""
        refuse_unknown(command.arguments, ("id",))
        name = text_of(command.arguments, "id")
        job = next((job for job in self._jobs(partition) if job.id == name), None)
        if job is None:
            return {}
        await self._tell(partition, job, Progress.CANCELLED)
        await self._keep(partition, name, None)
        return {"cancelled": 1, Came.DELIVERIES.value: job.counts.get(Came.DELIVERIES, 0)}

    async def run(self) -> None:
        """Go on with every replay, for ever."""
        await keep_on(self.turn, self._wake)

    async def turn(self) -> float:
        """Let every replay that is due go a portion further; return the seconds to rest."""
        pauses = [_IDLE]
        under_way: set[tuple[int, str]] = set()
        for partition in sorted(self.core.partitions.caches):
            for job in self._jobs(partition):
                under_way.add((partition, job.id))
                pace = self._paces.setdefault((partition, job.id), _Pace())
                if pace.due <= self.core.ports.monotonic():
                    await self._go_on(partition, job, pace)
                pauses.append(pace.due - self.core.ports.monotonic())
        self._paces = {key: pace for key, pace in self._paces.items() if key in under_way}
        return max(0.0, min(pauses))

    async def _go_on(self, partition: int, job: Job, pace: _Pace) -> None:
        """Write a portion where its queues are short, and say how far it is."""
        monotonic = self.core.ports.monotonic
        try:
            async with self.core.partitions.batch():
                if partition not in self.core.partitions.caches:
                    return
                if self._is_paused(partition, job) or await self._are_long(job):
                    pace.wait(monotonic())
                else:
                    began, before = monotonic(), job.counts.get(Came.DELIVERIES, 0)
                    job = await self._portion(partition, job)
                    number = job.counts.get(Came.DELIVERIES, 0) - before
                    pace.written(began, number, self._rate(job.request))
                await self._say(partition, job, pace)
        except ServiceUnavailable:  # Kafka is away: who reads and writes beside this says so
            pace.wait(monotonic())
        except NotOurs:
            pass  # whoever has the partition goes on

    async def _are_long(self, job: Job) -> bool:
        """Say whether too much waits in the queues that it fills, of targets that there are."""
        targets = {target for route in self.routes.routes for target in route.targets}
        filled = {
            name: end for name, end in job.filled.items() if name.rpartition("/")[0] in targets
        }
        return bool(filled) and await self.queues.left(filled) > SHORT

    def _is_paused(self, partition: int, job: Job) -> bool:
        """Say whether a target or route that it sends to is paused, or drains.

        What drains lets out all that was committed before: the past would go on and on.
        """
        if job.request.dry_run:
            return False
        with self.core.partitions.caches[partition].view() as view:
            held = {pause.key for pause in view.pauses()}
        return any(
            f"route/{route.name}" in held or f"target/{target}" in held
            for route in self.routes.routes
            for target in route.targets
            if route.model == job.request.model and job.request.wants(route.name, target)
        )

    def _rate(self, request: Request) -> float | None:
        """Return the share of one partition."""
        if request.rate is None or request.dry_run:
            return None
        asked = len({*request.ids}) or self.places.partitions
        return request.rate / min(asked, self.places.partitions)

    async def _portion(self, partition: int, job: Job) -> Job:
        """Write a portion; its deliveries are durable before it is known to be written."""
        remembered = iso(self.core.clock() - self.core.limits.retention)
        portion = Portion(job.request, self.routes, remembered)
        at = await self._read(partition, job, portion)
        filled = {} if job.request.dry_run else await self._fill(portion.deliveries)
        on = job.went_on(at, filled, portion.counts)
        if not on.done:
            await self._keep(partition, on.id, on.to_json(), only_known=True)
        return on

    async def _read(self, partition: int, job: Job, portion: Portion) -> int:
        """Read until there is enough for a portion; return the offset that it reaches."""
        monotonic, at = self.core.ports.monotonic, job.next
        rate = self._rate(job.request)
        small = SMALL if rate is None else max(1, min(SMALL, int(rate)))
        end = monotonic() + _SLICE
        reading = self.history.read(job.request.model, partition, at, job.end)
        async with aclosing(reading) as chunks:
            async for records, reached in chunks:
                for index, taken in enumerate(records):
                    await self._take(taken.value, portion)
                    if len(portion.deliveries) >= small:
                        return taken.offset + 1
                    if index % _BREATH == _BREATH - 1:
                        await asyncio.sleep(0)  # let everything else go on in between
                at = reached
                if monotonic() >= end:
                    break
        return at

    async def _take(self, value: bytes, portion: Portion) -> None:
        try:
            portion.take(await self.decoder.event(value))
            if portion.request.dry_run:
                portion.deliveries.clear()
        except (UnknownSchema, NotAnEvent):
            portion.count(Came.UNREADABLE)

    async def _fill(self, made: list[Delivery]) -> dict[str, int]:
        """Write deliveries to their send queues; return how far these reach."""
        places = self.places
        records = [places.deliveries(d.target, d.chain, deliveries.encode(d)) for d in made]
        filled: dict[str, int] = {}
        for each, record, offset in zip(made, records, await self.write(records), strict=True):
            filled[f"{each.target}/{record.partition}"] = offset + 1
        return filled

    async def _say(self, partition: int, job: Job, pace: _Pace) -> None:
        """Tell who waits; a replay that is done is told of before it is forgotten."""
        now = self.core.ports.monotonic()
        if job.done:
            await self._tell(partition, job, Progress.DONE)
            await self._keep(partition, job.id, None)
        elif now - pace.told >= _WORD or pace.look == _LOOK:
            pace.told = now
            await self._tell(partition, job, Progress.DOING)

    async def _tell(self, partition: int, job: Job, progress: Progress) -> None:
        answer = Answer(
            id=job.id,
            kind=Kind.REPLAY.value,
            partition=partition,
            progress=progress,
            counts=job.progress,
            at=iso(self.core.clock()),
        )
        record: Record = self.places.answer(partition, job.id, answer.to_json())
        await self.write([record])

    async def _keep(
        self, partition: int, name: str, value: bytes | None, *, only_known: bool = False
    ) -> None:
        """Write the record of a replay, where it `only_known` was not cancelled meanwhile."""

        def step(changeset: Changeset) -> None:
            known = (Job.from_json(record).id for record in changeset.edit.replays())
            if not only_known or name in known:
                changeset.replay(name, value)

        await self.core.committer.write(partition, step)

    def _jobs(self, partition: int) -> Iterator[Job]:
        cache = self.core.partitions.caches.get(partition)
        if cache is None:
            return
        with cache.view() as view:
            records = view.replays()
        yield from map(Job.from_json, records)

    def _refuse_strange(self, request: Request) -> None:
        if request.model not in self.routes.models:
            raise MalformedCommand(f"no route reads {request.model}")
        sends = {route.name: route.targets for route in self.routes.routes}
        for name in request.routes:
            if name not in sends:
                raise MalformedCommand(f'there is no route "{name}"')
        targets = {target for each in sends.values() for target in each}
        for name in request.targets:
            if name not in targets:
                raise MalformedCommand(f'no route has a target "{name}"')
