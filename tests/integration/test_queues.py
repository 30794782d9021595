"""How far a group is, asked of a real broker that is not always there."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from cdc.kafka_admin import Admin
from cdc.pace import Look
from cdc.queues import Queues
from cdc.topics import TopicPlan
from embedded.kafka import Kafka
from schemas.kafka_errors import KafkaAway

pytestmark = pytest.mark.integration

PARTITIONS = 2
PATIENCE = 30.0  # seconds until a test gives up; none waits that long


@pytest.fixture
def topic(kafka: Kafka) -> str:
    name = f"t_{secrets.token_hex(3)}"
    Admin(settings(kafka)).make([TopicPlan(name, PARTITIONS, 1)])
    return name


@pytest.fixture
def queues(kafka: Kafka, topic: str) -> Iterator[Queues]:
    with closing(Queues(settings(kafka), f"group_{topic}", [topic], PARTITIONS)) as made:
        yield made


def settings(broker: Kafka) -> dict[str, str]:
    return {"bootstrap.servers": broker.bootstrap}


def write(broker: Kafka, topic: str, partition: int, records: int) -> None:
    producer = Producer(settings(broker))
    for _ in range(records):
        producer.produce(topic, b"value", partition=partition)
    producer.flush()


def commit(broker: Kafka, topic: str, partition: int, offset: int) -> None:
    consumer = Consumer({**settings(broker), "group.id": f"group_{topic}"})
    consumer.commit(offsets=[TopicPartition(topic, partition, offset)], asynchronous=False)
    consumer.close()


def try_to_look(queues: Queues) -> Look:
    """Wait for the next look."""
    deadline = time.monotonic() + PATIENCE
    while (found := queues.look(time.monotonic())) is None:
        assert time.monotonic() < deadline, "nobody looks"
        time.sleep(0.01)
    return found


def look(queues: Queues) -> Look:
    """Wait for the next look that tells; a broker that has just started knows no group yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return try_to_look(queues)
        except KafkaAway:
            assert time.monotonic() < deadline


def test_a_group_that_never_was_has_everything_left(
    kafka: Kafka, topic: str, queues: Queues
) -> None:
    write(kafka, topic, 0, 3)
    write(kafka, topic, 1, 4)

    found = look(queues)

    assert (found.done, found.left) == ({topic: 0}, {topic: 7})


def test_what_a_group_has_committed_is_done_in_every_partition(
    kafka: Kafka, topic: str, queues: Queues
) -> None:
    write(kafka, topic, 0, 3)
    write(kafka, topic, 1, 4)
    assert look(queues).left == {topic: 7}

    commit(kafka, topic, 0, 3)
    commit(kafka, topic, 1, 1)

    found = look(queues)
    assert (found.done, found.left) == ({topic: 4}, {topic: 3})


def test_a_rest_between_looks_changes_nothing(kafka: Kafka, topic: str, queues: Queues) -> None:
    look(queues)
    queues.rest()
    write(kafka, topic, 0, 2)

    assert look(queues).left == {topic: 2}


def test_what_kafka_removed_before_anybody_read_it_is_not_left(
    kafka: Kafka, topic: str, queues: Queues
) -> None:
    from confluent_kafka.admin import AdminClient  # noqa: PLC0415 - this test alone removes

    write(kafka, topic, 0, 5)
    admin = AdminClient(settings(kafka))
    for done in admin.delete_records([TopicPartition(topic, 0, 5)]).values():
        done.result()

    assert look(queues).left == {topic: 0}


def test_a_broker_that_is_away_is_an_error_of_the_look_alone() -> None:
    with Kafka.start() as broker:
        name = f"t_{secrets.token_hex(3)}"
        Admin(settings(broker)).make([TopicPlan(name, PARTITIONS, 1)])
        with closing(Queues(settings(broker), "group", [name], PARTITIONS)) as queues:
            look(queues)
            broker.kill()
            with pytest.raises(KafkaAway, match="how far the workers are"):
                try_to_look(queues)
            broker.launch()
            assert look(queues).left == {name: 0}
