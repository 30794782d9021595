"""How far the workers have come in a send queue, asked of a real broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from cdc.kafka_admin import Admin
from cdc.topics import TopicPlan
from embedded.kafka import Kafka
from schemas.topics import Topics
from streams.kafka.reached import Reached

pytestmark = pytest.mark.integration


@pytest.fixture
def topics(kafka: Kafka, kafka_prefix: str) -> Topics:
    made = Topics(kafka_prefix)
    Admin(settings(kafka)).make([TopicPlan(made.deliveries("shop"), 2, 1)])
    return made


@pytest.fixture
def reached(kafka: Kafka, topics: Topics) -> Iterator[Reached]:
    with closing(Reached(topics, settings(kafka))) as made:
        yield made


def settings(broker: Kafka) -> dict[str, str]:
    return {"bootstrap.servers": broker.bootstrap}


def write(broker: Kafka, topic: str, records: int) -> None:
    producer = Producer(settings(broker))
    for _ in range(records):
        producer.produce(topic, b"value", partition=1)
    producer.flush()


def commit(broker: Kafka, topics: Topics, offset: int) -> None:
    consumer = Consumer({**settings(broker), "group.id": topics.group})
    place = TopicPartition(topics.deliveries("shop"), 1, offset)
    consumer.commit(offsets=[place], asynchronous=False)
    consumer.close()


async def test_what_is_not_done_is_left_up_to_where_it_counts(
    kafka: Kafka, topics: Topics, reached: Reached
) -> None:
    assert await reached.end("shop", 1) == 0
    write(kafka, topics.deliveries("shop"), 5)

    assert await reached.end("shop", 1) == 5
    assert await reached.left({"shop/0": 0, "shop/1": 5}) == 5
    commit(kafka, topics, 3)
    assert await reached.left({"shop/1": 5}) == 2
    write(kafka, topics.deliveries("shop"), 5)
    commit(kafka, topics, 5)
    assert await reached.left({"shop/1": 5}) == 0


async def test_a_queue_that_is_gone_has_nothing_to_be_read(reached: Reached) -> None:
    assert await reached.end("gone", 0) == 0
    assert await reached.end("shop", 7) == 0
