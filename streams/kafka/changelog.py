"""The compacted topics of a source as a worker's partitions use them: written, and read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from schemas.topics import Topics
from streams.kafka.records import Record
from streams.kafka.scan import read_partition
from streams.kafka.writer import Writer
from streams.partitions.ports import MANY, Chunk, StateTopic, Write


@dataclass(frozen=True, slots=True)
class Changelog:
    """A worker's publisher and log."""

    topics: Topics
    settings: Mapping[str, str]
    writer: Writer

    async def publish(self, writes: Sequence[Write]) -> Sequence[int]:
        """Write them in order; return their offsets once Kafka has them."""
        return await self.writer.write(
            [
                Record(self._name(write.topic), write.partition, write.key, write.value)
                for write in writes
            ]
        )

    async def read(
        self, topic: StateTopic, partition: int, start: int, most: int = MANY
    ) -> AsyncGenerator[Chunk, None]:
        """Read a partition from `start` to its end as of now; at least one chunk, of `most`.

        Where the topic holds less than `start` (it was made anew) the only chunk's `next` is
        before `start`.
        """
        loop = asyncio.get_running_loop()
        reading = read_partition(self.settings, self._name(topic), partition, start, most)
        try:
            while (chunk := await loop.run_in_executor(None, next, reading, None)) is not None:
                yield chunk
        finally:
            with suppress(ValueError):  # cancelled while a thread is inside it
                reading.close()

    def _name(self, topic: StateTopic) -> str:
        match topic:
            case StateTopic.RETRIES:
                return self.topics.retries
            case StateTopic.LEDGER:
                return self.topics.ledger
            case StateTopic.DEAD:
                return self.topics.dead
            case StateTopic.PAUSES:
                return self.topics.pauses
            case StateTopic.REPLAYS:
                return self.topics.replays
