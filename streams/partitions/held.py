"""The partitions that a worker holds, and the batches that work on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from streams.partitions.committer import Committer
from streams.partitions.ports import Cache

_AT_ONCE: Final = (
    2  # partitions being opened: one is read while another is written; each takes memory
)


class StateFolder(Protocol):
    """Where the caches of a worker's partitions are."""

    def open(self, partition: int) -> Cache:
        """Open the cache of a partition."""


class HeldPartitions:
    """The partitions that this worker holds, and the batches that work on them."""

    def __init__(
        self, folder: StateFolder, committer: Committer, opened: Callable[[Cache], None]
    ) -> None:
        """Hold none yet; `opened` sees a cache before anybody works on its partition."""
        self._folder = folder
        self._opened = opened
        self._committer = committer
        self._changed = asyncio.Condition()
        self._batches = 0
        self._opening = asyncio.Semaphore(_AT_ONCE)
        self.caches: dict[int, Cache] = {}

    async def open(self, partition: int) -> None:
        """Open a partition; returns when its cache holds all that Kafka holds."""
        async with self._opening:
            cache = self._folder.open(partition)
            await self._committer.open(cache)
        self._opened(cache)
        self.caches[partition] = cache
        await self._tell()

    async def close(self, partition: int) -> None:
        """Close a partition, once its last write is durable."""
        cache = self.caches.pop(partition, None)
        if cache is not None:
            await self._committer.close(partition)
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
