"""Kafka as capture needs it: one idempotent producer, the schemas topic, and the topics' shape.

A record is published when Kafka has acknowledged it, and not before: `flush` says when that is
so for everything. While Kafka is away it waits, for as long as it takes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ClusterMetadata

from schemas.errors import ServiceUnavailable
from schemas.kafka_errors import BadKafkaSetting, KafkaAway, NoTopic, UnequalPartitions
from schemas.keys import partition_of

logger = logging.getLogger(__name__)

CLIENT_LOG: Final = logging.getLogger("cdc.kafka.client")
"""What librdkafka would write to stderr; silent, because what matters comes as an error."""
CLIENT_LOG.propagate = False
CLIENT_LOG.addHandler(logging.NullHandler())

MAX_MESSAGE: Final = 8 * 1024 * 1024  # bytes; `setup` gives the topics the same limit
_TIMEOUT: Final = 15.0  # seconds for one answer
_FIRST: Final = 5.0  # seconds until one that has refused us counts as away
_WAIT: Final = 0.05  # seconds between two calls of on_wait
_QUIET: Final = 10.0  # seconds between two log lines about a broker that does not answer
_CONSUMER_ONLY: Final = ("session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms")
_NOT_YET: Final = frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  that is its name
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  likewise
    }
)
_GENERATION: Final = "generation"
_CONFIG: Final = "config"


class PublishFailed(ServiceUnavailable):
    """Kafka has refused a record."""

    hint = "Kafka's log says why; start capture again, it repeats what was not acknowledged."


@contextmanager
def configured() -> Iterator[None]:
    """Turn what a client's constructor raises into BadKafkaSetting."""
    try:
        yield
    except KafkaException as error:
        raise BadKafkaSetting(f"kafka: {said(error)}") from error


def client_settings(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the user's librdkafka properties without those that only the worker needs."""
    return {name: value for name, value in settings.items() if name not in _CONSUMER_ONLY}


class Heard:
    """Keeps why a broker cannot be reached, which librdkafka only tells an `error_cb`."""

    words: str = ""

    def __call__(self, error: KafkaError) -> None:
        """Take in one error; that all brokers are down is no reason but its consequence."""
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001  that is its name
            self.words = error.str()


class Publisher:
    """Writes events; one per process."""

    def __init__(
        self, settings: Mapping[str, str], on_wait: Callable[[], object] = lambda: None
    ) -> None:
        """Connect in the background; `on_wait` is called about 20 times a second while waiting.

        Raises BadKafkaSetting.
        """
        self._on_wait = on_wait
        self._refused: str = ""
        self._heard = -_QUIET
        with configured():
            self._producer = Producer(
                {
                    "linger.ms": 2,
                    "compression.type": "lz4",
                    "queue.buffering.max.kbytes": 32_768,
                    "queue.buffering.max.messages": 100_000,
                    **client_settings(settings),
                    "message.max.bytes": MAX_MESSAGE,
                    "message.timeout.ms": 0,  # Kafka may be away for as long as it takes
                    "enable.idempotence": True,
                    "acks": "all",
                    "partitioner": "murmur2_random",
                    "delivery.report.only.error": True,
                    "on_delivery": self._told,
                    "error_cb": self._hear,
                },
                logger=CLIENT_LOG,
            )
        self._open = True
        self._poller = threading.Thread(target=self._poll, name="kafka", daemon=True)
        self._poller.start()

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Hand over one record; waits while too much is on its way. Raises PublishFailed."""
        if self._refused:
            self._check()
        while True:
            try:
                self._producer.produce(topic, value, key, partition)
            except BufferError:
                self._wait()
            except KafkaException as error:
                raise PublishFailed(f"a record of {topic} was refused: {said(error)}") from error
            else:
                return

    def flush(self) -> None:
        """Return once Kafka has acknowledged everything. Raises PublishFailed."""
        while self._producer.flush(_WAIT):
            self._wait(0)
        self._check()

    def write(
        self, topic: str, partition: int, key: bytes, value: bytes, headers: Mapping[str, bytes]
    ) -> None:
        """Write one record with headers, and return once Kafka has it."""
        self._producer.produce(topic, value, key, partition, headers=dict(headers))
        self.flush()

    def close(self) -> None:
        """Let go; what was not flushed may not arrive."""
        self._open = False
        self._poller.join(1)
        self._producer.purge()

    def _wait(self, seconds: float = _WAIT) -> None:
        self._check()
        self._on_wait()
        time.sleep(seconds)

    def _check(self) -> None:
        if self._refused:
            raise PublishFailed(self._refused)

    def _told(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:  # never `==`: it raises TypeError for None in 2.16.1
            self._refused = f"a record of {message.topic()}: {error.str()}"

    def _hear(self, error: KafkaError) -> None:
        """Say why Kafka is away: a wrong password and a broker that is down only show here."""
        now = time.monotonic()
        if now - self._heard > _QUIET:
            self._heard = now
            logger.warning("Kafka: %s", error.str(), extra={"action": "kafka_error"})

    def _poll(self) -> None:
        while self._open:
            self._producer.poll(0.1)


def write_schema(  # noqa: PLR0913  what a schema's record holds
    publisher: Publisher,
    topic: str,
    partitions: int,
    fingerprint: bytes,
    text: str,
    *,
    generation: int,
    config: str,
) -> None:
    """Write a schema, before the first event that uses it.

    Its headers say which generation of the shadow and which file (fingerprint) it came from.
    """
    key = fingerprint.hex().encode()
    headers = {_GENERATION: str(generation).encode(), _CONFIG: config.encode()}
    publisher.write(topic, partition_of(key, partitions), key, text.encode(), headers)


def partitions(settings: Mapping[str, str], topics: Iterable[str]) -> int:
    """Return the partition count of all the topics; NoTopic, UnequalPartitions, KafkaAway."""
    heard = Heard()
    client = _consumer(settings, heard)
    try:
        known = metadata(client, heard).topics
    finally:
        client.close()
    counts: dict[str, int] = {}
    for topic in topics:
        if topic not in known or not known[topic].partitions:
            raise NoTopic(f"Kafka has no topic {topic}")
        counts[topic] = len(known[topic].partitions)
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
        raise UnequalPartitions(f"the topics differ in their partition counts ({text})")
    return next(iter(counts.values()))


def metadata(client: Consumer | AdminClient, heard: Heard) -> ClusterMetadata:
    """Ask for all topics and brokers. Raises KafkaAway with the reason that `heard` has.

    A broker that refuses is not waited for as long as one that says nothing.
    """
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return client.list_topics(timeout=_FIRST)
        except KafkaException as error:
            client.poll(0)
            if heard.words or time.monotonic() > deadline:
                why = heard.words or said(error)
                raise KafkaAway(f"Kafka does not answer: {why}") from error


def last_generation(settings: Mapping[str, str], topic: str) -> int:
    """Return the latest generation that wrote a schema, 0 for none."""
    client = _consumer(settings, Heard())
    latest = 0
    try:
        for partition in client.list_topics(topic, timeout=_TIMEOUT).topics[topic].partitions:
            for message in _records(client, topic, partition):
                headers = dict(cast("list[tuple[str, bytes]]", message.headers() or []))
                latest = max(latest, int(headers.get(_GENERATION, b"0")))
    except KafkaException as error:
        raise KafkaAway(f"Kafka does not answer: {said(error)}") from error
    finally:
        client.close()
    return latest


def _records(client: Consumer, topic: str, partition: int) -> Iterable[Message]:
    low, high = _marks(client, TopicPartition(topic, partition))
    client.assign([TopicPartition(topic, partition, low)])
    heard = time.monotonic()
    at = low
    while at < high:
        if time.monotonic() - heard > _TIMEOUT:
            raise KafkaAway(f"Kafka gives no records of {topic}[{partition}]")
        message = client.poll(0.2)
        if message is None:
            continue
        if (error := message.error()) is not None:
            if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  that is its name
                return
            continue
        heard = time.monotonic()
        at = (message.offset() or 0) + 1
        yield message


def _marks(client: Consumer, place: TopicPartition) -> tuple[int, int]:
    """Return where a partition begins and ends; one that was just made has no leader yet."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return client.get_watermark_offsets(place, timeout=_TIMEOUT)
        except KafkaException as error:
            if time.monotonic() > deadline or error.args[0].code() not in _NOT_YET:
                raise
            time.sleep(_WAIT)


def _consumer(settings: Mapping[str, str], heard: Heard) -> Consumer:
    with configured():
        return Consumer(
            {
                **client_settings(settings),
                "group.id": "odoo-cdc-capture",  # librdkafka wants a name; it never joins
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "error_cb": heard,
            },
            logger=CLIENT_LOG,
        )


def said(error: KafkaException) -> str:
    """Return librdkafka's own words for an error."""
    inner = error.args[0] if error.args else error
    return inner.str() if isinstance(inner, KafkaError) else str(inner)
