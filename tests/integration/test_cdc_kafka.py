"""What capture hands to Kafka, on a real broker that is killed, full, away and wrongly set up."""

from __future__ import annotations

import itertools
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from cdc import kafka as cdc_kafka
from cdc import kafka_admin as cdc_kafka_admin
from cdc.kafka import (
    Publisher,
    PublishFailed,
    refuse_other_partitions,
)
from cdc.kafka_admin import Admin, TopicNotMade
from cdc.kafka_schemas import last_generation, write_schema
from cdc.topics import TopicPlan
from embedded.kafka import Kafka
from embedded.ports import free_ports
from schemas.kafka_errors import KafkaAway, NoTopic, OtherPartitions
from schemas.keys import partition_of
from tests.kafka_reading import read

pytestmark = pytest.mark.integration

PARTITIONS = 4


@pytest.fixture(scope="module")
def mortal() -> Iterator[Kafka]:
    """A broker of these tests' own: it is killed."""
    with Kafka.start() as broker:
        yield broker


def topic(broker: Kafka, count: int = PARTITIONS, **settings: str) -> str:
    name = f"t_{secrets.token_hex(3)}"
    named = {key.replace("_", "."): value for key, value in settings.items()}
    Admin(of(broker)).make([TopicPlan(name, count, 1, named)])
    return name


def of(broker: Kafka) -> dict[str, str]:
    return {"bootstrap.servers": broker.bootstrap}


def test_law_1_a_broker_that_is_killed_meanwhile_has_every_record_once_and_in_order(
    mortal: Kafka,
) -> None:
    name = topic(mortal)
    records = 30_000
    waits: list[float] = []
    with closing(Publisher(of(mortal), lambda: waits.append(time.monotonic()))) as publisher:
        killer = threading.Thread(target=lambda: (mortal.kill(), mortal.launch()))
        for number in range(records):
            if number == records // 2:
                killer.start()
            key = b"%d" % (number % 997)
            publisher.produce(name, partition_of(key, PARTITIONS), key, b"%08d" % number)
        publisher.flush()
        killer.join()

    found = read(mortal.bootstrap, [name])
    assert len(found) == records
    assert {record.value for record in found} == {b"%08d" % n for n in range(records)}
    by_partition: dict[int, list[bytes]] = {}
    for record in found:
        by_partition.setdefault(record.partition, []).append(record.value)
    for values in by_partition.values():
        assert values == sorted(values)
    assert len(waits) > 5, "it must go on looking after Postgres while Kafka is away"
    gaps = [later - earlier for earlier, later in itertools.pairwise(waits)]
    assert sorted(gaps)[len(gaps) // 2] < 0.5


def test_law_9_a_broker_that_is_away_holds_what_was_handed_over_within_bounds(
    mortal: Kafka,
) -> None:
    name = topic(mortal)
    mortal.kill()
    try:
        with closing(Publisher(of(mortal), on_wait=_give_up)) as publisher:
            handed = fill(publisher, name)
    finally:
        mortal.launch()

    assert 100 < handed < 200  # 16 MiB of 100 kB


def test_a_broker_that_does_not_answer_makes_no_topic_and_that_is_told(
    mortal: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cdc_kafka_admin, "_TIMEOUT", 1.0)
    admin = Admin(of(mortal))
    assert admin.brokers() == 1
    mortal.send_signal(signal.SIGSTOP)
    try:
        while psutil.Process(mortal.pid).status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)  # there is no event to wait for
        with pytest.raises(TopicNotMade, match=r"^orders: .*[Tt]imed out") as raised:
            admin.make([TopicPlan("orders", 4, 1, {})])
    finally:
        mortal.send_signal(signal.SIGCONT)

    assert raised.value.hint


def test_a_refused_record_is_told_at_the_next_word_not_swallowed(mortal: Kafka) -> None:
    name = topic(mortal, max_message_bytes="1000")
    with closing(Publisher(of(mortal))) as publisher:
        publisher.produce(name, 0, b"k", secrets.token_bytes(5_000))

        with pytest.raises(PublishFailed, match=name) as raised:
            publisher.flush()
        with pytest.raises(PublishFailed):
            publisher.produce(name, 0, b"k", b"the next one")

    assert raised.value.hint
    assert read(mortal.bootstrap, [name]) == []


def test_a_record_that_no_broker_takes_is_refused_at_once(kafka: Kafka) -> None:
    name = topic(kafka)
    with closing(Publisher(of(kafka))) as publisher, pytest.raises(PublishFailed, match=name):
        publisher.produce(name, 0, b"k", bytes(cdc_kafka.MAX_MESSAGE + 1000))


def test_generations_grow_and_are_read_back_from_the_schemas(kafka: Kafka) -> None:
    name = topic(kafka)
    assert last_generation(of(kafka), name) == 0

    with closing(Publisher(of(kafka))) as publisher:
        for generation in (7, 9, 8):
            write_schema(
                publisher,
                name,
                PARTITIONS,
                bytes([generation] * 8),
                "{}",
                generation=generation,
                config="0123456789abcdef",
            )

    assert last_generation(of(kafka), name) == 9
    (record, *_) = [r for r in read(kafka.bootstrap, [name]) if r.key == b"09" * 8]
    assert record.partition == partition_of(record.key, PARTITIONS)


def test_topics_with_other_counts_and_missing_ones_are_refused(kafka: Kafka) -> None:
    one, odd = topic(kafka), topic(kafka, PARTITIONS + 1)

    refuse_other_partitions(of(kafka), [one], PARTITIONS)
    with pytest.raises(OtherPartitions, match=f"is {PARTITIONS}, but Kafka has {odd}: 5"):
        refuse_other_partitions(of(kafka), [one, odd], PARTITIONS)
    with pytest.raises(NoTopic, match="no_such_topic"):
        refuse_other_partitions(of(kafka), [one, "no_such_topic"], PARTITIONS)


def test_a_broker_that_is_not_there_is_said_in_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cdc_kafka, "TIMEOUT", 2.0)
    (port,) = free_ports(1)

    with pytest.raises(KafkaAway, match="Connection refused") as raised:
        refuse_other_partitions({"bootstrap.servers": f"127.0.0.1:{port}"}, ["t"], PARTITIONS)

    assert raised.value.exit_code == 3


def fill(publisher: Publisher, name: str) -> int:
    """Hand over 100 kB at a time until it would wait; return how many."""
    for handed in itertools.count():
        try:
            publisher.produce(name, 0, b"k", bytes(100_000))
        except _GivenUp:
            return handed
    raise AssertionError


class _GivenUp(Exception):
    """Enough was waited."""


def _give_up() -> None:
    raise _GivenUp
