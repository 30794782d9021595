"""Reads partitions from where one likes to their end as of the moment, without any group."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.kafka_errors import KafkaAway
from streams.kafka.clients import PATIENCE, borrowed, marks
from streams.partitions.ports import MANY, Chunk, Stored

_SECONDS: Final = 0.2  # that are waited for some of them
Part = tuple[str, int]  # topic, partition


@dataclass(frozen=True, slots=True)
class Found:
    """One record read; `written` is Kafka's time of it, UTC seconds."""

    topic: str
    partition: int
    offset: int
    written: float
    key: bytes
    value: bytes | None


@dataclass(slots=True)
class Reach:
    """How far partitions are read: `at` and `ends` are offsets by (topic, partition)."""

    ends: dict[Part, int] = field(default_factory=dict)
    at: dict[Part, int] = field(default_factory=dict)

    @property
    def open(self) -> set[Part]:
        """The partitions that are not read to their end."""
        return {part for part, end in self.ends.items() if self.at[part] < end}

    def take(self, messages: Sequence[Message]) -> list[Found]:
        """Return the records that are wanted, and note how far they reach."""
        found: list[Found] = []
        for message in messages:
            part = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                record = _found(part, message)
                if record.offset < self.ends[part]:
                    found.append(record)
                self.at[part] = min(record.offset + 1, self.ends[part])
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its name
                # A broker that has just become leader may not know yet how far it was written.
                if (message.offset() or 0) >= self.ends[part]:
                    self.at[part] = self.ends[part]
            elif error.fatal():
                raise KafkaException(error)
        return found


def scan(
    settings: Mapping[str, str], starts: Mapping[Part, int], most: int = MANY
) -> Generator[tuple[list[Found], Reach], None, None]:
    """Give the records of partitions from the offsets given, and how far they reach; blocking.

    Those of one partition come in order, `most` of them at a time. At least once, with no
    records where there are none. Where a partition ends before its start (it was made anew) it
    reaches to that end.
    """
    with borrowed(settings) as client:
        reach = Reach()
        for part, start in starts.items():
            low, high = marks(client, *part)
            reach.ends[part] = high
            reach.at[part] = min(max(start, low), high)
        yield [], reach
        client.assign([TopicPartition(*part, reach.at[part]) for part in reach.open])
        for messages in _heard(client, reach, most):
            yield reach.take(messages), reach


def picked(client: Consumer, part: Part, offsets: Iterable[int]) -> list[Found]:
    """Return the records at some offsets of a partition, those that there are; blocking."""
    low, high = marks(client, *part)
    wanted = {offset for offset in offsets if low <= offset < high}
    reach = Reach({part: high}, {part: -1})
    found: list[Found] = []
    for offset in sorted(wanted):
        if reach.at[part] < offset:
            client.assign([TopicPartition(*part, offset)])
            reach.at[part] = offset
        if reach.at[part] == offset:  # else it came with one before, or there is none
            for messages in _heard(client, reach, MANY):
                found += (each for each in reach.take(messages) if each.offset in wanted)
                if reach.at[part] > offset:
                    break
    return found


def _heard(client: Consumer, reach: Reach, most: int) -> Iterator[list[Message]]:
    """Give messages, also none now and then, until partitions are read to their ends."""
    heard = time.monotonic()
    while unread := reach.open:
        # For the first one it waits, then it takes what is there: who asks for many at once
        # waits for all of them, at the end of a topic in vain.
        messages = client.consume(1, timeout=_SECONDS)
        if messages:
            messages += client.consume(most - 1, timeout=0)
            heard = time.monotonic()
        elif time.monotonic() - heard > PATIENCE:
            raise KafkaAway(f"Kafka gives no records of {sorted(unread)}")
        yield messages


def written(settings: Mapping[str, str], starts: Mapping[Part, int]) -> dict[Part, float]:
    """Return when the first record at or behind these offsets was written, in UTC seconds.

    A partition that has none there is not in it; blocking.
    """
    found: dict[Part, float] = {}
    left = set(starts)
    with borrowed(settings) as client:
        client.assign([TopicPartition(*part, start) for part, start in starts.items()])
        heard = time.monotonic()
        while left:
            for message in client.consume(len(left), timeout=_SECONDS):
                part = (message.topic() or "", message.partition() or 0)
                if part in left:
                    heard = time.monotonic()
                    left.discard(part)
                    client.pause([TopicPartition(*part)])
                    if message.error() is None:
                        found[part] = _found(part, message).written
            if time.monotonic() - heard > PATIENCE:
                raise KafkaAway(f"Kafka gives no records of {sorted(left)}")
    return found


def read_partition(
    settings: Mapping[str, str], topic: str, partition: int, start: int = 0, most: int = MANY
) -> Generator[Chunk, None, None]:
    """Give at least one chunk of a partition from `start` to its end as of now; blocking."""
    part = (topic, partition)
    for found, reach in scan(settings, {part: start}, most):
        yield Chunk([Stored(record.key, record.value) for record in found], reach.at[part])


def offset_at(settings: Mapping[str, str], part: Part, since: float, otherwise: int = 0) -> int:
    """Return the offset of the first record written since a time in UTC seconds; blocking.

    `otherwise` where none was.
    """
    with borrowed(settings) as client:
        asked = [TopicPartition(*part, round(since * 1000))]
        offset = client.offsets_for_times(asked, timeout=PATIENCE)[0].offset
    return otherwise if offset < 0 else int(offset)


def _found(part: Part, message: Message) -> Found:
    offset = message.offset()
    _, milliseconds = message.timestamp()
    return Found(
        *part,
        -1 if offset is None else offset,
        milliseconds / 1000,
        message.key() or b"",
        message.value(),
    )
