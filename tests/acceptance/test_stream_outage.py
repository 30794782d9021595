"""A worker while WSO2 is away, with a send queue before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.error import URLError

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from embedded.ports import free_ports
from tests.kafka_reading import read
from tests.streaming import Line, Scripted
from tests.waiting import LONG

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

RECORDS = 4_000  # more than Faust fetches of four partitions at a time
ROUTES = """
routes:
  - {name: orders, model: sale.order, domain: [], targets: [shop], fields: [name]}
"""


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture
def line(kafka: Kafka, kafka_prefix: str, wso2: Scripted, tmp_path: Path) -> Iterator[Line]:
    health = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    config = {
        "wso2": wso2.url,
        "targets": ["shop"],
        "routes": ROUTES,
        "more": {"health": health},
    }
    with Line(tmp_path, kafka.bootstrap, kafka_prefix, config) as made:
        yield made


def test_law_1_what_was_fetched_when_wso2_went_away_is_sent_when_it_is_back(
    line: Line, wso2: Scripted
) -> None:
    records = range(1, RECORDS + 1)
    wso2.stop()
    for record in records:
        line.change(record, "S1")
    first = line.worker()
    line.tail.until(lambda: (_metric(line, "dispatched_total") or 0) > RECORDS / 4)
    first.kill()

    # GIVEN a worker that fetches the queue, and finds nobody to send it to
    line.worker()
    line.tail.until(lambda: _metric(line, "gate_open") == 0)

    wso2.start()

    line.tail.until(lambda: all(wso2.accepted(record) for record in records))


def test_law_1_a_worker_that_waits_for_wso2_until_its_queue_expires_stops_and_names_the_gap(
    line: Line, wso2: Scripted
) -> None:
    queue = line.topics.deliveries("shop")
    wso2.stop()
    worker = line.worker()
    line.change(1, "S1")
    line.tail.until(lambda: _metric(line, "gate_open") == 0)
    for number in range(3):
        line.change(1, f"S{number}")
    line.tail.until(lambda: len(read(line.servers, [queue])) == 4)
    last = read(line.servers, [queue])[-1]

    # GIVEN a broker that does with the queue what it does when retention is over
    admin = AdminClient({"bootstrap.servers": line.servers})  # it must outlive its futures
    removed = admin.delete_records([TopicPartition(queue, last.partition, last.offset + 1)])
    for future in removed.values():
        future.result(LONG)

    assert worker.wait() == 4
    said = worker.tail()
    assert f"{queue}[{last.partition}]: offsets" in said
    assert "were removed unread" in said
    assert "hint: " in said


def _metric(line: Line, name: str) -> float | None:
    """Return a figure of the worker, None while it does not answer."""
    try:
        return line.metric(name)
    except URLError:
        return None
