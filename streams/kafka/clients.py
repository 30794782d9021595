"""librdkafka's clients, as users set them up, and what goes wrong with them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.from_files import current
from schemas.kafka_errors import BadKafkaSetting, KafkaAway, away

CLIENT_LOG: Final = logging.getLogger("streams.kafka.client")
"""Of librdkafka itself, which says the same many times a second: our errors say it once."""
CLIENT_LOG.propagate = False
CLIENT_LOG.addHandler(logging.NullHandler())
MAX_MESSAGE: Final = 8 * 1024 * 1024  # bytes; `setup` gives the topics the same limit
PATIENCE: Final = 30.0  # seconds without an answer before Kafka counts as away
_WAIT: Final = 0.05  # seconds until it is asked again
NOT_YET: Final = frozenset({KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION})
_CONSUMER_ONLY: Final = ("session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms")


@contextmanager
def configured() -> Iterator[None]:
    """Turn what a client's constructor raises into BadKafkaSetting."""
    try:
        yield
    except KafkaException as error:
        raise BadKafkaSetting(f"kafka: {describe(error)}") from error


def client_settings(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the user's librdkafka properties without those that only Faust's consumer needs."""
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

    def away(self, client: Consumer | AdminClient, error: KafkaException) -> KafkaAway:
        """Return the error for a client that was let down, with the reason where one is told."""
        client.poll(0)  # what it has to tell comes in a call of ours
        return away("Kafka does not answer", self.words or describe(error))


def consumer(
    settings: Mapping[str, str], heard: Heard, group: str = "odoo-cdc-reader"
) -> Consumer:
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
                "fetch.wait.max.ms": 20,
                "error_cb": heard,
            },
            logger=CLIENT_LOG,
        )


@contextmanager
def borrowed(settings: Mapping[str, str], group: str = "odoo-cdc-reader") -> Iterator[Consumer]:
    """Give a consumer and close it afterwards; librdkafka's errors become KafkaAway."""
    heard = Heard()
    client = consumer(settings, heard, group)
    try:
        yield client
    except KafkaException as error:
        raise heard.away(client, error) from error
    finally:
        client.close()


def describe(error: KafkaException) -> str:
    """Return librdkafka's own words for an error."""
    inner = error.args[0] if error.args else error
    return inner.str() if isinstance(inner, KafkaError) else str(inner)


def marks(client: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return the first offset that Kafka still has and the one behind the last."""
    found = _watermarks(client, TopicPartition(topic, partition))
    if found is None:
        raise KafkaAway(f"Kafka does not tell where {topic}[{partition}] ends")
    low, high = found
    return low, high


def _watermarks(client: Consumer, place: TopicPartition) -> tuple[int, int] | None:
    """Ask until there is a leader: a partition that was just made has none, or it is not told."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return client.get_watermark_offsets(place, timeout=PATIENCE)
        except KafkaException as error:
            if time.monotonic() > deadline or error.args[0].code() not in NOT_YET:
                raise
            time.sleep(_WAIT)  # there is no event to wait for


def describe_topic(client: Consumer, topic: str) -> int:
    """Return how many partitions a topic has, 0 where there is no such topic."""
    found = client.list_topics(topic, timeout=PATIENCE).topics.get(topic)
    return len(found.partitions) if found else 0
