"""Reads what stood in a send queue once more: the body of what was given up later."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from schemas import delivery as deliveries
from schemas.delivery import Delivery, NotADelivery
from schemas.topics import Topics
from streams.kafka.clients import borrowed, describe_topic, marks
from streams.kafka.scan import picked, scan

_LAST: Final = 5000  # deliveries at the end of a queue that are looked through


@dataclass(frozen=True, slots=True)
class SendQueues:
    """The send queues of a source, targets that the file no longer names included."""

    topics: Topics
    settings: Mapping[str, str]

    async def at(
        self, target: str, partition: int, orders: Collection[int]
    ) -> Mapping[int, Delivery]:
        """Return what stands in a target's queue at some offsets, as far as it is there still."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._at, target, partition, orders)

    async def latest(self, target: str, partition: int) -> str:
        """Return the highest sequence among the last ones of a queue; "" where it is empty.

        The last one need not have it: a first load stands behind later changes.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, self._latest, target, partition)

    def _latest(self, target: str, partition: int) -> str:
        topic = self.topics.deliveries(target)
        with borrowed(self.settings) as client:
            if describe_topic(client, topic) <= partition:
                return ""
            end = marks(client, topic, partition)[1]
        latest = ""
        for records, _ in scan(self.settings, {(topic, partition): max(0, end - _LAST)}):
            for found in records:
                with suppress(NotADelivery):  # its worker reports it when it comes there
                    latest = max(latest, deliveries.decode(found.value or b"").sequence)
        return latest

    def _at(self, target: str, partition: int, orders: Collection[int]) -> dict[int, Delivery]:
        topic = self.topics.deliveries(target)
        there: dict[int, Delivery] = {}
        with borrowed(self.settings) as client:
            if describe_topic(client, topic) > partition:
                for found in picked(client, (topic, partition), orders):
                    with suppress(NotADelivery):  # its worker has reported it
                        there[found.offset] = deliveries.decode(found.value or b"")
        return there
