"""Kafka as capture needs it: one idempotent producer, the schemas topic, and the topics' shape.

A record is published when Kafka has acknowledged it, and not before: `flush` says when that is
so for everything. While Kafka is away it waits, for as long as it takes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ClusterMetadata

from schemas.errors import ServiceUnavailable
from schemas.from_files import current
from schemas.kafka_errors import BadKafkaSetting, away, refuse_other_counts

logger = logging.getLogger(__name__)

CLIENT_LOG: Final = logging.getLogger("cdc.kafka.client")
"""What librdkafka would write to stderr; silent, because what matters comes as an error."""
CLIENT_LOG.propagate = False
CLIENT_LOG.addHandler(logging.NullHandler())

MAX_MESSAGE: Final = 8 * 1024 * 1024  # bytes; `setup` gives the topics the same limit
TIMEOUT: Final = 15.0  # seconds for one answer
_FIRST: Final = 5.0  # seconds until one that has refused us counts as away
_PIECE: Final = 1.0  # seconds of it that a signal may have to wait
WAIT: Final = 0.05  # seconds between two calls of on_wait
_QUIET: Final = 10.0  # seconds between two log lines about a broker that does not answer
_CONSUMER_ONLY: Final = ("session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms")


class PublishFailed(ServiceUnavailable):
    """Kafka has refused a record."""

    passing = False
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
    return {
        name: current(value, at_once=True)
        for name, value in settings.items()
        if name not in _CONSUMER_ONLY
    }


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
                    "linger.ms": 5,  # each partition's events wait for company: it halves the cost
                    "compression.type": "lz4",
                    "queue.buffering.max.kbytes": 16_384,
                    "queue.buffering.max.messages": 100_000,
                    **client_settings(settings),
                    "message.max.bytes": MAX_MESSAGE,
                    "message.timeout.ms": 0,  # Kafka may be away for as long as it takes
                    "enable.idempotence": True,
                    "enable.gapless.guarantee": True,  # nothing behind a record that was refused
                    "acks": "all",
                    "partitioner": "murmur2_random",
                    "delivery.report.only.error": True,
                    "on_delivery": self._told,
                    "error_cb": self._hear,
                },
                logger=CLIENT_LOG,
            )

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
        with _refusals():
            while self._producer.flush(WAIT):
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
        self._producer.purge()

    def listen(self) -> None:
        """Hear what Kafka's client has to tell; to be called now and then, `flush` does it too.

        Raises PublishFailed.
        """
        with _refusals():
            self._producer.poll(0)
        self._check()

    def _wait(self, seconds: float = WAIT) -> None:
        self._check()
        self._on_wait()
        with _refusals():
            self._producer.poll(seconds)

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


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what a client says after a record was refused for good into PublishFailed."""
    try:
        yield
    except KafkaException as error:
        raise PublishFailed(said(error)) from error


def refuse_other_partitions(
    settings: Mapping[str, str], topics: Iterable[str], wanted: int
) -> None:
    """Raise NoTopic, OtherPartitions where a topic has not as many; KafkaAway."""
    heard = Heard()
    client = consumer(settings, heard)
    try:
        known = metadata(client, heard).topics
    finally:
        client.close()
    refuse_other_counts(topics, {n: len(t.partitions or ()) for n, t in known.items()}, wanted)


def metadata(client: Consumer | AdminClient, heard: Heard) -> ClusterMetadata:
    """Ask for all topics and brokers. Raises KafkaAway with the reason that `heard` has.

    A broker that refuses is not waited for as long as one that says nothing.
    """
    began = time.monotonic()
    while True:
        try:
            return client.list_topics(timeout=_PIECE)
        except KafkaException as error:
            client.poll(0)
            waited = time.monotonic() - began
            if waited > (_FIRST if heard.words else TIMEOUT) - _PIECE / 2:
                why = heard.words or said(error)
                raise away("Kafka does not answer", why) from error


def consumer(
    settings: Mapping[str, str], heard: Heard, group: str = "odoo-cdc-capture"
) -> Consumer:
    """Make a consumer that joins no group. Raises BadKafkaSetting.

    librdkafka wants the name of one, and one that stays asks for its coordinator: then it is the
    name of a group that capture may look at.
    """
    with configured():
        return Consumer(
            {
                **client_settings(settings),
                "group.id": group,
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
