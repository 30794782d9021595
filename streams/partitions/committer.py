"""Who may write what a partition holds, and in which order it becomes durable.

Group commit: everything that decides something about a chain runs as a step, one after the
other; all steps that wait become durable together, one flush for many. Kafka first, then the
cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.errors import DataAtRisk
from streams.chains.changes import Change
from streams.partitions.changeset import Changeset
from streams.partitions.ports import MIRRORED, Cache, Log, Publisher, StateTopic

T = TypeVar("T")


Step = Callable[[Changeset], T]


@dataclass(slots=True)
class _Job:
    partition: int
    step: Step[Any]
    done: asyncio.Future[Any]
    anew: bool = False  # it wants to see what others wrote

    def succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: BaseException) -> None:
        if self.done.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self.done.cancel()
        else:
            self.done.set_exception(error)


class NotOurs(DataAtRisk):
    """The partition was given to another worker."""

    hint = "Start the worker again; nothing is lost, the other worker goes on."


class Committer:
    """The only writer of all partitions that a worker holds."""

    def __init__(
        self, publisher: Publisher, log: Log, written: Callable[[Iterable[Change]], None]
    ) -> None:
        """Write with `publisher`; `log` fills the gaps that other workers' records leave.

        `written` is told of changes once they are durable.
        """
        self._publisher = publisher
        self._log = log
        self._written = written
        self._caches: dict[int, Cache] = {}
        self._jobs: list[_Job] = []
        self._pump: asyncio.Task[None] | None = None
        self.read = 0  # records taken over from topics: grows while a partition is being opened

    async def open(self, cache: Cache) -> None:
        """Bring the cache up to the end of its topics, then take steps for it."""
        await self._catch_up(cache)
        self._caches[cache.partition] = cache

    async def close(self, partition: int) -> None:
        """Take no more steps for a partition; returns when the last one is durable."""
        self._caches.pop(partition, None)
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is being written."""
        while self._pump is not None and not self._pump.done():
            await asyncio.wait({self._pump})

    async def write(self, partition: int, step: Step[T], *, anew: bool = False) -> T:
        """Run a step, make its changes durable, return what it returned.

        A step runs without interruption, after all steps asked for before it; NotOurs where
        the partition is not open. With `anew` the cache reads first what others have written:
        who makes deliveries writes of those that are dead at birth.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(partition, step, done, anew))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run(), name="committer")
        return await done

    async def _run(self) -> None:
        # The first step's siblings come in the same turn of the loop: let them join its flush.
        await asyncio.sleep(0)
        while self._jobs:
            jobs, self._jobs = self._jobs, []
            await self._write(jobs)

    async def _write(self, jobs: list[_Job]) -> None:
        changesets: dict[int, Changeset] = {}
        try:
            for cache in self._stale(jobs):
                await self._catch_up(cache)
            results = [self._step(job, changesets) for job in jobs]
            await self._publish(changesets)
        except BaseException as error:  # who waits for a job hears of it
            for changeset in changesets.values():
                changeset.edit.abort()
            for job in jobs:
                job.fail(error)
            if not isinstance(error, Exception):
                raise
        else:
            for job, result in zip(jobs, results, strict=True):
                job.succeed(result)

    def _stale(self, jobs: Iterable[_Job]) -> list[Cache]:
        """Return the caches that must read what others wrote, before anything is changed."""
        partitions = {job.partition for job in jobs if job.anew}
        return [cache for number, cache in self._caches.items() if number in partitions]

    def _step(self, job: _Job, changesets: dict[int, Changeset]) -> object:
        cache = self._caches.get(job.partition)
        if cache is None:
            job.fail(NotOurs(f"partition {job.partition} is not held here"))
            return None
        if job.partition not in changesets:
            changesets[job.partition] = Changeset(job.partition, cache.edit())
        return job.step(changesets[job.partition])

    async def _publish(self, changesets: dict[int, Changeset]) -> None:
        ends = {p: _Ends.of(self._caches[p]) for p in changesets}
        for phase in zip(*(changeset.phases() for changeset in changesets.values()), strict=True):
            writes = [write for part in phase for write in part]
            if writes:
                offsets = await self._publisher.publish(writes)
                for write, offset in zip(writes, offsets, strict=True):
                    ends[write.partition].wrote(write.topic, offset)
        for partition, changeset in changesets.items():
            end = ends[partition]
            if end.foreign:  # somebody else wrote: read what it says, do not guess
                changeset.edit.abort()
                await self._catch_up(end.cache)
            else:
                changeset.edit.commit(end.offsets)
            self._written(changeset.changes)

    async def _catch_up(self, cache: Cache) -> None:
        for topic in MIRRORED:
            start = cache.offset(topic)
            async for chunk in self._log.read(topic, cache.partition, start):
                if chunk.next < start:  # not the topic that the cache knows
                    cache.clear()
                    await self._catch_up(cache)
                    return
                cache.load(topic, chunk)
                self.read += len(chunk.records)


@dataclass(slots=True)
class _Ends:
    """How far a partition's topics reach by what we know and wrote."""

    cache: Cache
    offsets: dict[StateTopic, int]
    foreign: bool = False

    @classmethod
    def of(cls, cache: Cache) -> _Ends:
        return cls(cache, {topic: cache.offset(topic) for topic in MIRRORED})

    def wrote(self, topic: StateTopic, offset: int) -> None:
        if topic in MIRRORED:
            self.foreign |= offset != self.offsets[topic]
            self.offsets[topic] = offset + 1
