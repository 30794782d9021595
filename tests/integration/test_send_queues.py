"""Deliveries are found again where they stand in a send queue, asked of a real broker."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, Producer

from cdc.kafka_admin import Admin
from cdc.topics import TopicPlan
from embedded.kafka import Kafka
from schemas import delivery as deliveries
from schemas.topics import Topics
from streams.kafka import clients
from streams.kafka.send_queues import SendQueues
from tests.deliveries import a_delivery

pytestmark = pytest.mark.integration

NUMBER = 3000  # more than a reader takes at a time


@pytest.fixture
def topics(kafka: Kafka, kafka_prefix: str) -> Topics:
    made = Topics(kafka_prefix)
    Admin(settings(kafka)).make([TopicPlan(made.deliveries("shop"), 2, 1)])
    return made


def settings(broker: Kafka) -> dict[str, str]:
    return {"bootstrap.servers": broker.bootstrap}


async def test_many_are_found_with_one_client_whatever_lies_between_them(
    kafka: Kafka, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [a_delivery(body=b"%d" % number) for number in range(NUMBER)]
    producer = Producer(settings(kafka))
    for number, each in enumerate(written):
        value = b"none" if number == 7 else deliveries.encode(each)
        producer.produce(topics.deliveries("shop"), value, partition=1)
    producer.flush()
    opened: list[object] = []
    consumer = clients.consumer

    def counted(*args: object) -> Consumer:
        opened.append(args)
        return consumer(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(clients, "consumer", counted)
    queues = SendQueues(topics, settings(kafka))

    orders = [NUMBER - 1, 5, 6, 7, 8, 2000, 900, 2002]
    found = await queues.at("shop", 1, [*orders, NUMBER, -3])

    assert found == {order: written[order] for order in orders if order != 7}
    assert len(opened) == 1


async def test_in_a_queue_that_is_gone_nothing_is_found(kafka: Kafka, topics: Topics) -> None:
    queues = SendQueues(topics, settings(kafka))

    assert await queues.at("gone", 0, [0]) == {}
    assert await queues.at("shop", 7, [0]) == {}
    assert await queues.at("shop", 0, [0]) == {}
