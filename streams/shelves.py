"""The compacted topics of a source as a worker's partitions use them: written, and read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from schemas.topics import Topics
from streams.desk import Chunk, Post, Shelf
from streams.kafka import Record, Writer
from streams.scan import read_partition


@dataclass(frozen=True, slots=True)
class Shelves:
    """A worker's publisher and log."""

    topics: Topics
    settings: Mapping[str, str]
    writer: Writer

    async def publish(self, posts: Sequence[Post]) -> Sequence[int]:
        """Write the posts in order; return their offsets once Kafka has them."""
        return await self.writer.write(
            [
                Record(self._name(post.shelf), post.partition, post.key, post.value)
                for post in posts
            ]
        )

    async def read(self, shelf: Shelf, partition: int, start: int) -> AsyncIterator[Chunk]:
        """Read a partition from `start` to its end as of now; at least one chunk.

        Where the topic holds less than `start` (it was made anew) the only chunk's `next` is
        before `start`.
        """
        loop = asyncio.get_running_loop()
        reading = read_partition(self.settings, self._name(shelf), partition, start)
        try:
            while (chunk := await loop.run_in_executor(None, next, reading, None)) is not None:
                yield chunk
        finally:
            with suppress(ValueError):  # cancelled while a thread is inside it
                reading.close()

    def _name(self, shelf: Shelf) -> str:
        match shelf:
            case Shelf.RETRIES:
                return self.topics.retries
            case Shelf.LEDGER:
                return self.topics.ledger
            case Shelf.DEAD:
                return self.topics.dead
