"""Records as they are taken from topics and written to them, each beside its chain. Pure."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from schemas.keys import partition_of
from schemas.topics import Topics

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """One record of a topic, raw."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One record to write; `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class WriteRecords(Protocol):
    """Writes records and returns once Kafka has them."""

    async def __call__(self, records: Sequence[Record]) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Places:
    """Where records go: the names of topics, and the partition count of every one."""

    topics: Topics
    partitions: int

    def deliveries(self, target: str, chain: str, value: bytes) -> Record:
        """Return the record of a delivery in its send queue."""
        return self._record(self.topics.deliveries(target), chain.encode(), chain, value)

    def response(self, chain: str, value: bytes) -> Record:
        """Return the record of an acknowledgement."""
        return self._record(self.topics.responses, chain.encode(), chain, value)

    def dead(self, chain: str, value: bytes) -> Record:
        """Return the record of a dead letter."""
        return self._record(self.topics.dead, chain.encode(), chain, value)

    def ledger(self, delivery_id: str, chain: str, value: bytes) -> Record:
        """Return the record of a delivery's state, beside its chain."""
        return self._record(self.topics.ledger, delivery_id.encode(), chain, value)

    def holds(self, worker: str, value: bytes) -> Record:
        """Return the record of what a worker holds back."""
        return self._record(self.topics.holds, worker.encode(), worker, value)

    def command(self, partition: int, name: str, value: bytes) -> Record:
        """Return the record of a command, in the partition that it concerns."""
        return Record(self.topics.commands, partition, name.encode(), value)

    def answer(self, partition: int, name: str, value: bytes) -> Record:
        """Return the record of an answer, beside its command."""
        return Record(self.topics.command_results, partition, name.encode(), value)

    def schema(self, fingerprint: bytes, text: bytes) -> Record:
        """Return the record of an Avro schema."""
        name = fingerprint.hex()
        return self._record(self.topics.schemas, name.encode(), name, text)

    def _record(self, topic: str, key: bytes, chain: str, value: bytes) -> Record:
        return Record(topic, partition_of(chain, self.partitions), key, value)


def report_unreadable(taken: Taken, what: str) -> None:
    """Say where something lies that nobody can read; never what it holds."""
    logger.error(
        "%s[%d] offset %d: %s",
        taken.topic,
        taken.partition,
        taken.offset,
        what,
        extra={"action": "alarm", "topic": taken.topic, "offset": taken.offset},
    )
