"""A topic as it is at one moment, read from its beginning to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from cdc.kafka import TIMEOUT
from schemas.kafka_errors import KafkaAway

_AT_ONCE: Final = 1_000  # records
_SECONDS: Final = 0.5  # that are waited for some


def marks(client: Consumer, topic: str, partitions: int) -> dict[int, tuple[int, int]]:
    """Return where each partition begins and ends. Raises KafkaException."""
    parts = [TopicPartition(topic, number) for number in range(partitions)]
    return {p.partition: client.get_watermark_offsets(p, timeout=TIMEOUT) for p in parts}


def whole(client: Consumer, topic: str, partitions: int) -> Iterator[list[Message]]:
    """Give what a topic has as of now, some records at a time, none where none came for a while.

    The client is told where partitions end (`enable.partition.eof`). Raises KafkaException, and
    KafkaAway where nothing has come for long.
    """
    ends = marks(client, topic, partitions)
    left = {number: high for number, (low, high) in ends.items() if low < high}
    client.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in left])
    heard = time.monotonic()
    while left:
        found = []
        for message in client.consume(_AT_ONCE, timeout=_SECONDS):
            heard = time.monotonic()
            if message.topic() not in {topic, None}:  # the end of another one that was read
                continue
            if _reaches(message, left):
                left.pop(message.partition() or 0, None)
            if message.error() is None:
                found.append(message)
        yield found
        if time.monotonic() - heard > TIMEOUT:
            raise KafkaAway(f"Kafka gives no record of {topic}")


def _reaches(message: Message, ends: Mapping[int, int]) -> bool:
    """Say whether a partition is read to its end. Raises KafkaException."""
    end = ends.get(message.partition() or 0, 0)
    error = message.error()
    if error is None:
        return (message.offset() or 0) + 1 >= end
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its name
        return (message.offset() or 0) >= end
    raise KafkaException(error)
