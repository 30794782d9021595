"""How far the workers have come in the send queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from schemas.topics import Topics
from streams.kafka.clients import borrowed, describe_topic, marks
from streams.kafka.offsets import GroupOffsets, Place

T = TypeVar("T")


class Reached:
    """What Kafka knows of it; calls block no event loop and go one at a time. Raises KafkaAway."""

    def __init__(self, topics: Topics, settings: Mapping[str, str]) -> None:
        """Connect when it is asked."""
        self._topics = topics
        self._settings = settings
        self._offsets: GroupOffsets | None = None
        self._lock = asyncio.Lock()

    async def end(self, target: str, partition: int) -> int:
        """Return the offset behind the last delivery of a queue; 0 where there is no queue."""
        return await self._call(self._end, target, partition)

    async def left(self, ends: Mapping[str, int]) -> int:
        """Return how many deliveries workers have not taken of what stands in send queues.

        `ends` maps `target/partition` to the offset behind the last one that counts.
        """
        places = await self._call(self._places, list(ends))
        return sum(
            max(0, end - place.done) for end, place in zip(ends.values(), places, strict=True)
        )

    def close(self) -> None:
        """Let go of the connections."""
        if self._offsets is not None:
            self._offsets.close()

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        async with self._lock:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, function, *arguments)

    def _end(self, target: str, partition: int) -> int:
        topic = self._topics.deliveries(target)
        with borrowed(self._settings) as client:
            if describe_topic(client, topic) <= partition:
                return 0
            return marks(client, topic, partition)[1]

    def _places(self, queues: list[str]) -> list[Place]:
        if self._offsets is None:
            self._offsets = GroupOffsets(self._settings, self._topics.group)
        parts = []
        for name in queues:
            target, _, partition = name.rpartition("/")
            parts.append((self._topics.deliveries(target), int(partition)))
        found = {(place.topic, place.partition): place for place in self._offsets.places(parts)}
        return [found[part] for part in parts]
