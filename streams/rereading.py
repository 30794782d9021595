"""Beside the steps: whether a worker has read again what a former one may have sent.

What a worker sent last it may not have been able to write down before it died. Nobody knows of it
until whoever has the partition has read it again from the send queue, and it can be long before
that: a target that is away halts its queue. So nothing older may be put back before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from streams.partitions.held import HeldPartitions
from streams.partitions.ports import Cache


class Queues(Protocol):
    """Looks at send queues; ServiceUnavailable where Kafka is away."""

    async def end(self, target: str, partition: int) -> int:
        """Return the offset behind the last delivery of a queue; 0 where there is no queue."""

    async def left(self, ends: Mapping[str, int]) -> int:
        """Return how many deliveries before these offsets no worker is done with."""


@dataclass(slots=True)
class _Queue:
    cache: Cache  # of the partition, since it was opened
    end: int  # a former worker sent nothing from here on
    read: bool = False


@dataclass(slots=True)
class Rereading:
    """What is known of each queue since its partition was opened."""

    partitions: HeldPartitions
    queues: Queues
    _known: dict[tuple[str, int], _Queue] = field(default_factory=dict)

    async def is_done(self, target: str, partition: int) -> bool:
        """Say whether a queue was read again as far as it went when this was first asked.

        For a partition that is held, and stays so meanwhile.
        """
        cache = self.partitions.caches[partition]
        known = self._known.get((target, partition))
        if known is None or known.cache is not cache:
            end = await self.queues.end(target, partition)
            known = _Queue(cache, end, read=end == 0)
            self._known[target, partition] = known
        if not known.read:
            known.read = await self.queues.left({f"{target}/{partition}": known.end}) == 0
        return known.read
