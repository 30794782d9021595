"""Reads what stands in an event topic once more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

from schemas.replay import AtOffset, Moment, Request
from schemas.topics import Topics
from streams.kafka.clients import borrowed, marks
from streams.kafka.records import Taken
from streams.kafka.scan import Found, offset_at, scan

T = TypeVar("T")
_EARLY: Final = 3600.0  # seconds that the clocks of Postgres and of Kafka may differ


class Past:
    """The events of a source; calls block no event loop. Raises KafkaAway."""

    def __init__(self, topics: Topics, settings: Mapping[str, str]) -> None:
        """Connect when something is read."""
        self._topics = topics
        self._settings = settings

    async def reach(self, request: Request, partition: int) -> tuple[int, int]:
        """Return the offsets that a partition is to be read from, and to before.

        The first is 0 records from the second where nothing of the partition is asked for. What
        Kafka has dropped is left out; what was written since is not asked for.
        """
        return await self._call(self._reach, request, partition)

    async def read(
        self, model: str, partition: int, start: int, end: int
    ) -> AsyncGenerator[tuple[Sequence[Taken], int], None]:
        """Give the records of a partition from one offset to before another; how far they go."""
        loop = asyncio.get_running_loop()
        part = (self._topics.events(model), partition)
        reading = scan(self._settings, {part: start})
        try:
            while (got := await loop.run_in_executor(None, next, reading, None)) is not None:
                found, reach = got
                yield (
                    [_taken(each) for each in found if each.offset < end],
                    min(reach.at[part], end),
                )
                if reach.at[part] >= end:
                    return
        finally:
            with suppress(ValueError):  # cancelled while a thread is inside it
                reading.close()

    async def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)

    def _reach(self, request: Request, partition: int) -> tuple[int, int]:
        begin, end = request.begin, request.end
        part = (self._topics.events(request.model), partition)
        with borrowed(self._settings) as client:
            low, high = marks(client, *part)
        if isinstance(begin, AtOffset):
            low = max(low, begin.offset) if begin.partition == partition else high
        elif isinstance(begin, Moment):
            since = datetime.fromisoformat(begin.text).timestamp() - _EARLY
            low = max(low, offset_at(self._settings, part, since, otherwise=high))
        if isinstance(end, AtOffset):
            high = min(high, end.offset)
        return min(low, high), high


def _taken(found: Found) -> Taken:
    return Taken(found.topic, found.partition, found.offset, found.key, found.value or b"")
