"""Follows the topic `<source>.schemas` and fills the book that decodes events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.avro import SchemaBook
from streams.kafka.clients import borrowed, describe_topic
from streams.kafka.scan import read_partition

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class SchemaReader:
    """Reads schemas from where it stopped to the end, as often as it is asked."""

    settings: Mapping[str, str]
    topic: str
    book: SchemaBook
    known: set[bytes] = field(default_factory=set)  # fingerprints
    _at: dict[int, int] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Take in what was written since; returns when the end is reached."""
        async with self._turn:
            texts = await asyncio.get_running_loop().run_in_executor(None, self.read)
            for text in texts:
                self._add(text)

    def fill(self) -> None:
        """Read all, before an event loop runs; blocking."""
        for text in self.read():
            self._add(text)

    def read(self) -> list[bytes]:
        """Return the schemas that were not read before; blocking."""
        with borrowed(self.settings) as client:
            partitions = describe_topic(client, self.topic)
        texts: list[bytes] = []
        for partition in range(partitions):
            start = self._at.get(partition, 0)
            for chunk in read_partition(self.settings, self.topic, partition, start):
                self._at[partition] = chunk.next
                texts += [stored.value for stored in chunk.records if stored.value]
        return texts

    def _add(self, text: bytes) -> None:
        try:
            self.known.add(self.book.add(text))
        except (ValueError, KeyError):  # events that need it will say so
            logger.exception("a record of %s is no schema", self.topic, extra={"action": "alarm"})
