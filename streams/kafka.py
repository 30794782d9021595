"""Kafka outside Faust: its clients, and a writer that knows what Kafka has.

Everything is written by one idempotent librdkafka producer per process, with the partition given
explicitly (`schemas.keys.partition_of`), and a write has happened only when Kafka says so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from confluent_kafka import (
    OFFSET_INVALID,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from schemas.errors import ServiceUnavailable
from schemas.kafka_errors import BadKafkaSetting, KafkaAway

MAX_MESSAGE: Final = 8 * 1024 * 1024  # bytes; `setup` gives the topics the same limit
PATIENCE: Final = 30.0  # seconds without an answer before Kafka counts as away
_Told = partial[None]
_CONSUMER_ONLY: Final = ("session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms")


class NotWritten(ServiceUnavailable):
    """Kafka has refused or lost a record that we wrote."""

    hint = "Start the worker again; what was in hand is done again. Kafka's log says why."


@contextmanager
def configured() -> Iterator[None]:
    """Turn what a client's constructor raises into BadKafkaSetting."""
    try:
        yield
    except KafkaException as error:
        raise BadKafkaSetting(f"kafka: {describe(error)}") from error


def client_settings(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the user's librdkafka properties without those that only Faust's consumer needs."""
    return {name: value for name, value in settings.items() if name not in _CONSUMER_ONLY}


def consumer(settings: Mapping[str, str], group: str = "odoo-cdc-reader") -> Consumer:
    """Return a consumer that never joins a group and never commits: positions are given."""
    with configured():
        return Consumer(
            {
                **client_settings(settings),
                "group.id": group,  # librdkafka wants a name; only `assign` is used
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "queued.max.messages.kbytes": 16_384,
                "fetch.message.max.bytes": MAX_MESSAGE,
                "fetch.wait.max.ms": 20,
            }
        )


@contextmanager
def borrowed(settings: Mapping[str, str], group: str = "odoo-cdc-reader") -> Iterator[Consumer]:
    """Give a consumer and close it afterwards; librdkafka's errors become KafkaAway."""
    client = consumer(settings, group)
    try:
        yield client
    except KafkaException as error:
        raise KafkaAway(f"Kafka does not answer: {describe(error)}") from error
    finally:
        client.close()


def describe(error: KafkaException) -> str:
    """Return librdkafka's own words for an error."""
    inner = error.args[0] if error.args else error
    return inner.str() if isinstance(inner, KafkaError) else str(inner)


def marks(client: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return the first offset that Kafka still has and the one behind the last."""
    found = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=PATIENCE)
    if found is None:
        raise KafkaAway(f"Kafka does not tell where {topic}[{partition}] ends")
    low, high = found
    return low, high


def describe_topic(client: Consumer, topic: str) -> int:
    """Return how many partitions a topic has, 0 where there is no such topic."""
    found = client.list_topics(topic, timeout=PATIENCE).topics.get(topic)
    return len(found.partitions) if found else 0


@dataclass(frozen=True, slots=True)
class Record:
    """One record to write; `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None


class Writer:
    """Writes and tells when Kafka has it; one per process, for one event loop."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._producer = Producer(
            {
                "linger.ms": 2,
                "delivery.timeout.ms": 120_000,
                "message.max.bytes": MAX_MESSAGE,
                **client_settings(settings),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
            }
        )
        self._open = True
        self._poller = threading.Thread(target=self._poll, name="kafka-writer", daemon=True)
        self._poller.start()

    async def write(self, records: Sequence[Record]) -> list[int]:
        """Write in this order; return the offset of each once Kafka has them all.

        Raises NotWritten where any of them was refused or could not be delivered in time.
        """
        if not records:
            return []
        waiting = _Waiting(len(records))
        for index, record in enumerate(records):
            await self._produce(record, partial(waiting.told, index))
        return await waiting.all_told

    async def _produce(self, record: Record, told: _Told) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    partition=record.partition,
                    key=record.key,
                    value=record.value,
                    on_delivery=told,
                )
            except BufferError:  # librdkafka's queue is full: the poller is emptying it
                await asyncio.sleep(0.005)
            except KafkaException as error:  # too large for any broker, or a fatal producer
                raise NotWritten(
                    f"a record of {record.topic} was refused: {describe(error)}"
                ) from error
            else:
                return

    def _poll(self) -> None:
        while self._open:
            self._producer.poll(0.1)

    def close(self, timeout: float = 5.0) -> None:
        """Wait for what is on its way, at most `timeout` seconds, and stop."""
        self._producer.flush(timeout)
        self._open = False
        self._poller.join(timeout)


class _Waiting:
    """Counts the words of librdkafka on one batch and wakes who waits for it."""

    def __init__(self, count: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._offsets = [OFFSET_INVALID] * count
        self._left = count
        self._problem: Exception | None = None
        self.all_told: asyncio.Future[list[int]] = self._loop.create_future()

    def told(self, index: int, error: KafkaError | None, message: Message) -> None:
        """Take in one word, on the poller's thread."""
        if error is not None:  # never `==`: it raises TypeError for None in 2.16.1
            self._problem = NotWritten(f"a record of {message.topic()}: {error.str()}")
        else:
            offset = message.offset()
            self._offsets[index] = OFFSET_INVALID if offset is None else offset
        self._left -= 1
        if not self._left:
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        if self.all_told.done():  # who waited was cancelled
            return
        if self._problem is not None:
            self.all_told.set_exception(self._problem)
        else:
            self.all_told.set_result(self._offsets)
