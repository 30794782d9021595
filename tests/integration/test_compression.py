"""Workers read what capture writes, in every compression that a file can ask for."""

from __future__ import annotations

import secrets
import struct
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from cdc.kafka import Publisher
from cdc.kafka_admin import Admin
from cdc.topics import TopicPlan

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.integration

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}  # their numbers in Kafka
ATTRIBUTES = 21  # where a batch says how it is compressed: the lowest three bits of 16
LARGE = 5_000_000  # bytes; more than one block of any of them

# Small ones that share a batch, and one that no block holds; not all of it can be compressed.
VALUES = [b"record %d " % n * 60 for n in range(500)]
VALUES.append(secrets.token_bytes(LARGE // 2) + bytes(LARGE // 2))


@pytest.fixture
def topic(kafka: Kafka) -> str:
    name = f"t_{secrets.token_hex(3)}"
    Admin({"bootstrap.servers": kafka.bootstrap}).make(
        [TopicPlan(name, 1, 1, {"max.message.bytes": str(8 * 1024 * 1024)})]
    )
    return name


@pytest.mark.parametrize(
    ("setting", "codec"),
    [
        pytest.param({}, "lz4", id="as it comes"),
        *(pytest.param({"compression.type": name}, name, id=name) for name in CODECS),
        pytest.param({"compression.codec": "zstd"}, "zstd", id="by librdkafka's other name"),
    ],
)
async def test_law_1_a_worker_reads_what_capture_has_compressed(
    kafka: Kafka, topic: str, setting: dict[str, str], codec: str
) -> None:
    with closing(Publisher({"bootstrap.servers": kafka.bootstrap, **setting})) as publisher:
        for value in VALUES:
            publisher.produce(topic, 0, b"k", value)
        publisher.flush()

    assert written(kafka, topic) == CODECS[codec]
    assert await read(kafka.bootstrap, topic) == VALUES


def written(kafka: Kafka, topic: str) -> int:
    """Return how the first batch of a topic is compressed, as it stands on the broker's disk."""
    (log,) = (kafka.data / f"{topic}-0").glob("*.log")
    return int(struct.unpack_from(">h", log.read_bytes(), ATTRIBUTES)[0]) & 0b111


async def read(servers: str, topic: str) -> list[bytes]:
    """Read a partition with the library that reads for the worker."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    await consumer.start()
    try:
        part = TopicPartition(topic, 0)
        consumer.assign([part])
        await consumer.seek_to_beginning(part)
        return [(await consumer.getone()).value or b"" for _ in VALUES]
    finally:
        await consumer.stop()
