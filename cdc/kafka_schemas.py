"""The schemas topic as capture needs it: written before the first event, read for generations."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Final, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from cdc.kafka import TIMEOUT, WAIT, Heard, Publisher, consumer, said
from schemas.kafka_errors import KafkaAway, away
from schemas.keys import partition_of

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


def last_generation(settings: Mapping[str, str], topic: str) -> int:
    """Return the latest generation that wrote a schema, 0 for none."""
    client = consumer(settings, Heard())
    latest = 0
    try:
        for partition in client.list_topics(topic, timeout=TIMEOUT).topics[topic].partitions:
            for message in _records(client, topic, partition):
                headers = dict(cast("list[tuple[str, bytes]]", message.headers() or []))
                latest = max(latest, int(headers.get(_GENERATION, b"0")))
    except KafkaException as error:
        raise away("Kafka does not answer", said(error)) from error
    finally:
        client.close()
    return latest


def _records(client: Consumer, topic: str, partition: int) -> Iterable[Message]:
    low, high = _marks(client, TopicPartition(topic, partition))
    client.assign([TopicPartition(topic, partition, low)])
    heard = time.monotonic()
    at = low
    while at < high:
        if time.monotonic() - heard > TIMEOUT:
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
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            return client.get_watermark_offsets(place, timeout=TIMEOUT)
        except KafkaException as error:
            if time.monotonic() > deadline or error.args[0].code() not in _NOT_YET:
                raise
            time.sleep(WAIT)  # there is no event to wait for
