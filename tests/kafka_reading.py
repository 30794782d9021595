"""Reads topics to their end, as any consumer could."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from schemas.avro import SchemaBook
from schemas.event import Event
from schemas.topics import Topics

TIMEOUT = 30.0  # seconds for one answer


class Record(NamedTuple):
    """One record; those of a partition are in its order."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


def read(servers: str, topics: Iterable[str]) -> list[Record]:
    """Return everything that stands in these topics at this moment."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": f"test-{secrets.token_hex(4)}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": False,
        }
    )
    try:
        return _read(consumer, _ends(consumer, topics))
    finally:
        consumer.close()


def events(servers: str, source: str, models: Iterable[str]) -> list[tuple[Record, Event]]:
    """Return all events of these models, decoded; each record's own bytes beside it."""
    topics, book = Topics(source), SchemaBook()
    for record in read(servers, [topics.schemas]):
        if record.value:
            book.add(record.value)
    records = read(servers, [topics.events(model) for model in models])
    return [(record, book.decode(record.value)) for record in records]


def _ends(consumer: Consumer, topics: Iterable[str]) -> dict[tuple[str, int], int]:
    ends: dict[tuple[str, int], int] = {}
    for topic in topics:
        known = consumer.list_topics(topic, TIMEOUT).topics[topic]
        assert known.error is None, f"{topic}: {known.error}"
        for partition in known.partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), TIMEOUT)
            if high > low:
                ends[topic, partition] = high
    return ends


def _read(consumer: Consumer, ends: dict[tuple[str, int], int]) -> list[Record]:
    consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
    records: list[Record] = []
    open_ends = dict(ends)
    deadline = time.monotonic() + TIMEOUT
    while open_ends:
        # It waits until it has as many as it is asked for, or that long.
        for message in consumer.consume(1_000, 0.1):
            deadline = time.monotonic() + TIMEOUT
            error = message.error()
            assert error is None, error
            where = message.topic() or "", message.partition() or 0
            offset = message.offset() or 0
            if offset < ends[where]:
                key, value = message.key() or b"", message.value() or b""
                records.append(Record(*where, offset, bytes(key), bytes(value)))
            if offset >= ends[where] - 1:
                open_ends.pop(where, None)
        assert time.monotonic() < deadline, f"nothing more came of {sorted(open_ends)}"
    return records
