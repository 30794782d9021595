"""Who may write what a partition holds, and in which order it becomes durable.

Everything that decides something about a chain runs as a step of the clerk, one after the other;
all steps that wait become durable together: one flush for many. Kafka first, then the cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.errors import DataAtRisk
from streams.chains import Change
from streams.desk import MIRRORED, Cache, Log, Publisher, Shelf
from streams.draft import Draft

T = TypeVar("T")


Step = Callable[[Draft], T]


@dataclass(slots=True)
class _Job:
    partition: int
    step: Step[Any]
    done: asyncio.Future[Any]

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


class Clerk:
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
        self.writes = 0

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

    async def write(self, partition: int, step: Step[T]) -> T:
        """Run a step, make its changes durable, return what it returned.

        A step runs without interruption, after all steps asked for before it; NotOurs where
        the partition is not open.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(partition, step, done))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._run(), name="clerk")
        return await done

    async def _run(self) -> None:
        # The first step's siblings come in the same turn of the loop: let them join its flush.
        await asyncio.sleep(0)
        while self._jobs:
            jobs, self._jobs = self._jobs, []
            await self._write(jobs)

    async def _write(self, jobs: list[_Job]) -> None:
        drafts: dict[int, Draft] = {}
        try:
            results = [self._step(job, drafts) for job in jobs]
            await self._publish(drafts)
        except BaseException as error:
            for draft in drafts.values():
                draft.edit.abort()
            for job in jobs:
                job.fail(error)
            if not isinstance(error, Exception):
                raise
        else:
            self.writes += 1
            for job, result in zip(jobs, results, strict=True):
                job.succeed(result)

    def _step(self, job: _Job, drafts: dict[int, Draft]) -> object:
        cache = self._caches.get(job.partition)
        if cache is None:
            job.fail(NotOurs(f"partition {job.partition} is not held here"))
            return None
        if job.partition not in drafts:
            drafts[job.partition] = Draft(job.partition, cache.edit())
        return job.step(drafts[job.partition])

    async def _publish(self, drafts: dict[int, Draft]) -> None:
        ends = {p: _Ends.of(self._caches[p]) for p in drafts}
        for phase in zip(*(draft.phases() for draft in drafts.values()), strict=True):
            posts = [post for part in phase for post in part]
            if posts:
                offsets = await self._publisher.publish(posts)
                for post, offset in zip(posts, offsets, strict=True):
                    ends[post.partition].wrote(post.shelf, offset)
        for partition, draft in drafts.items():
            end = ends[partition]
            if end.foreign:  # somebody else wrote: read what it says, do not guess
                draft.edit.abort()
                await self._catch_up(end.cache)
            else:
                draft.edit.commit(end.offsets)
            self._written(draft.changes)

    async def _catch_up(self, cache: Cache) -> None:
        for shelf in MIRRORED:
            start = cache.offset(shelf)
            async for chunk in self._log.read(shelf, cache.partition, start):
                if chunk.next < start:  # not the topic that the cache knows
                    cache.clear()
                    await self._catch_up(cache)
                    return
                cache.load(shelf, chunk)


@dataclass(slots=True)
class _Ends:
    """How far a partition's topics reach by what we know and wrote."""

    cache: Cache
    offsets: dict[Shelf, int]
    foreign: bool = False

    @classmethod
    def of(cls, cache: Cache) -> _Ends:
        return cls(cache, {shelf: cache.offset(shelf) for shelf in MIRRORED})

    def wrote(self, shelf: Shelf, offset: int) -> None:
        if shelf in MIRRORED:
            self.foreign |= offset != self.offsets[shelf]
            self.offsets[shelf] = offset + 1
