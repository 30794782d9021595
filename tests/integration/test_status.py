"""What `status` says of the workers' topics on a real broker, without any worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from cdc.commands.status import lines
from cdc.kafka_admin import Admin
from cdc.topics import wanted
from schemas.config import Config, load
from schemas.keys import DeliveryId
from schemas.state import State
from schemas.topics import Topics
from streams.chains.dead_letter import Letter
from streams.chains.ledger import Entry
from streams.queries.status import report
from tests.deliveries import a_delivery
from tests.programs import sync_yaml
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.integration

RETENTION: Final = 3600.0  # seconds
_TOLERANCE: Final = 30.0  # seconds
ROUTES: Final = """
routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
"""
Write = Callable[[str, int, float], None]


@pytest.fixture
def config(kafka: Kafka, kafka_prefix: str, tmp_path: Path) -> Config:
    """A file whose topics are there."""
    text = sync_yaml(
        source=kafka_prefix,
        dsn="host=127.0.0.1",
        kafka=kafka.bootstrap,
        targets=["shop"],
        routes=ROUTES,
        more={"topics": {"partitions": 4, "replication": 1, "retention": f"{RETENTION:.0f}s"}},
    )
    path = tmp_path / "sync.yaml"
    path.write_text(text, encoding="utf-8")
    made = load(path)
    Admin(made.kafka).make(wanted(made))
    return made


@pytest.fixture
def topics(config: Config) -> Topics:
    return Topics(config.source.name)


@pytest.fixture
def write(kafka: Kafka) -> Write:
    """Write a record to a partition of a topic, so many seconds ago."""
    producer = Producer({"bootstrap.servers": kafka.bootstrap})

    def write(topic: str, partition: int, age: float) -> None:
        at = round((time.time() - age) * 1000)
        producer.produce(topic, b"{}", b"k", partition, timestamp=at)
        assert producer.flush(LONG) == 0

    return write


def said(config: Config) -> tuple[dict[str, Any], list[str]]:
    """Return what `status` says, and its warnings as people see them."""
    found = report(config)
    page = lines(config.source.name, {"stream": found})
    return found, [line.removeprefix("warning: ") for line in page if line.startswith("warning")]


def test_nothing_is_warned_of_where_nothing_is_unread(config: Config) -> None:
    found, warned = said(config)

    assert warned == []
    assert set(found["lag_seconds"].values()) == {0.0}


def test_law_1_status_warns_when_what_is_unread_is_older_than_half_of_retention(
    config: Config, topics: Topics, write: Write
) -> None:
    queue, events = topics.deliveries("shop"), topics.events("sale.order")
    write(queue, 0, RETENTION * 0.4)
    write(events, 1, RETENTION * 0.4)
    write(events, 2, RETENTION * 0.6)
    write(events, 2, 0)

    found, warned = said(config)

    assert found["lag"] == {events: 3, queue: 1, topics.responses: 0, topics.commands: 0}
    age = found["lag_seconds"]
    assert age[queue] == pytest.approx(RETENTION * 0.4, abs=_TOLERANCE)
    assert age[events] == pytest.approx(RETENTION * 0.6, abs=_TOLERANCE)
    (one,) = warned
    assert one in found["warnings"]
    assert one.startswith(f"the oldest record of {events} that is not done is 36 min")
    assert "Kafka keeps it 1 h" in one


def test_law_1_status_names_what_kafka_has_removed_unread(
    config: Config, topics: Topics, write: Write
) -> None:
    queue = topics.deliveries("shop")
    for _ in range(3):
        write(queue, 3, 0)
    remove(config, queue, 3, 2)

    found, warned = said(config)

    assert found["lag"][queue] == 1
    (one,) = warned
    assert f"{queue}[3]: offsets 0 to 1 were removed unread" in one


def test_a_letter_counts_as_long_as_the_ledger_knows_of_it_and_half_of_that_unwarned(
    config: Config, topics: Topics
) -> None:
    producer = Producer({"bootstrap.servers": config.kafka["bootstrap.servers"]})
    now = time.time()
    for share in (0.4, 0.6):
        entry, letter = given_up(config.source.name, now - share * RETENTION)
        producer.produce(topics.dead, letter.to_json(), entry.chain, 0)
        producer.produce(topics.ledger, entry.to_json(), entry.id, 0)
    assert producer.flush(LONG) == 0

    found, warned = said(config)

    assert found["targets"]["shop"]["dead"] == 2
    (one,) = warned
    assert one.startswith("dead or rejected deliveries to shop older than 30 min: 1;")

    remove(config, topics.ledger, 0, 2)
    found, warned = said(config)

    assert found["targets"]["shop"]["dead"] == 0
    assert warned == []


def given_up(source: str, at: float) -> tuple[Entry, Letter]:
    """Return what the ledger and the dead letter say of a delivery that came, and died, then."""
    sent = a_delivery(target="shop")
    name = DeliveryId(sent.id.replace("odoo_a/", f"{source}/", 1))
    entry = Entry(name, sent.model, sent.record_id, "update", State.DEAD, final=True, order=0)
    entry = entry.at(at, State.QUEUED, State.DEAD)
    return entry, Letter(entry, at)


def remove(config: Config, topic: str, partition: int, offset: int) -> None:
    """Remove what stands before an offset, as retention does."""
    admin = AdminClient({"bootstrap.servers": config.kafka["bootstrap.servers"]})
    done = admin.delete_records([TopicPartition(topic, partition, offset)])
    for future in done.values():
        future.result(LONG)
