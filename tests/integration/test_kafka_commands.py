"""Commands, read from Kafka beside the stream."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cdc.kafka_commands import Commands, Record
from schemas.topics import Topics
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.integration

BORN: Final = float(int(time.time()) - 3600)  # seconds; when the shadow was made


@pytest.fixture
def topic(kafka: Kafka, kafka_prefix: str) -> str:
    """A topic of two partitions, in the first a record from before and one from after."""
    name = f"{kafka_prefix}.commands"
    client = AdminClient({"bootstrap.servers": kafka.bootstrap})
    client.create_topics([NewTopic(name, 2, 1)])[name].result(LONG)
    put(kafka, name, 0, b"before", -1.0)
    put(kafka, name, 0, b"since", 1.0)
    return name


def put(kafka: Kafka, topic: str, partition: int, value: bytes, age: float) -> None:
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    producer.produce(topic, value, partition=partition, timestamp=int((BORN + age) * 1000))
    assert producer.flush(LONG) == 0


@pytest.fixture
def commands(kafka: Kafka, topic: str, kafka_prefix: str) -> Iterator[Commands]:
    assert topic == Topics(kafka_prefix).commands
    made = Commands({"bootstrap.servers": kafka.bootstrap}, Topics(kafka_prefix), 2, BORN)
    yield made
    made.close()


def read(commands: Commands, number: int) -> list[Record]:
    """Wait for so many records."""
    found: list[Record] = []
    deadline = time.monotonic() + LONG
    while len(found) < number:
        assert time.monotonic() < deadline, found
        found += commands.come()
        time.sleep(0.02)
    return found


def test_it_begins_with_the_first_record_since_the_birth_of_the_shadow(
    kafka: Kafka, topic: str, commands: Commands
) -> None:
    commands.begin({})
    assert read(commands, 1) == [Record(0, 1, b"since")]

    put(kafka, topic, 1, b"later", 2.0)
    assert read(commands, 1) == [Record(1, 0, b"later")]


def test_law_1_what_comes_while_it_looks_where_to_begin_is_read(
    kafka: Kafka, topic: str, commands: Commands
) -> None:
    commands.begin({0: 2})
    for number in range(20):
        put(kafka, topic, 1, b"%d" % number, 2.0)

    assert [each.value for each in read(commands, 20)] == [b"%d" % n for n in range(20)]


def test_what_was_not_taken_is_read_again_from_where_one_is_told(commands: Commands) -> None:
    commands.begin({0: 0})
    assert [each.value for each in read(commands, 2)] == [b"before", b"since"]

    commands.begin({0: 1, 1: 0})

    assert read(commands, 1) == [Record(0, 1, b"since")]


def test_an_offset_that_kafka_does_not_have_is_followed_by_what_it_has(commands: Commands) -> None:
    commands.begin({0: 99})

    assert [each.value for each in read(commands, 2)] == [b"before", b"since"]
