"""Workers that are killed or share: nothing is lost, every chain keeps its order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from schemas.keys import chain_of, partition_of
from tests.fix_wso2 import HoldResponse, Refuse, RetryAfter
from tests.programs import ROOT, Program
from tests.stand_ins import Received
from tests.streaming import PARTITIONS, Line, Scripted
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES = """
routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
"""
SHOP = {
    "url": "http://127.0.0.1:9/deliveries",
    "acknowledge": "accepted",
    "history": "all",
    "retry": ["2s", "2s"],
}


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture
def session(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How long the group waits for a member, where a test says so."""
    return getattr(request, "param", {})


@pytest.fixture
def line(
    kafka: Kafka, wso2: Scripted, kafka_prefix: str, tmp_path: Path, session: dict[str, Any]
) -> Iterator[Line]:
    """A source without a worker yet."""
    config = {
        "wso2": wso2.url,
        "targets": ["shop"],
        "routes": ROUTES,
        "more": {"targets": {"shop": SHOP}, **session},
    }
    with Line(tmp_path, kafka.bootstrap, kafka_prefix, config) as made:
        yield made


def test_law_1_what_waits_survives_kill_9_and_goes_out_when_it_is_due(
    line: Line, wso2: Scripted
) -> None:
    wso2.of(1, RetryAfter(3.0))
    wso2.of(2, Refuse(500))
    worker = line.worker()
    line.change(1, "asked for three seconds")
    line.change(2, "the ladder says two")
    line.tail.reached("waiting", 1, 2)
    worker.kill()

    line.worker()

    line.tail.reached("accepted", 1, 2)
    for record, pause in ((1, 3.0), (2, 2.0)):
        first, second = wso2.tried(record)
        assert (second.id, second.body, second.attempt) == (first.id, first.body, 2)
        assert second.at - first.at >= pause


def test_law_1_a_lost_cache_is_read_from_kafka_again(line: Line, wso2: Scripted) -> None:
    wso2.of(1, Refuse(500))
    worker = line.worker("one")
    line.change(1, "first")
    line.change(1, "second")
    line.tail.until(lambda: line.tail.states(1) == ["waiting", "waiting"])
    worker.kill()

    line.worker("two")  # another folder: it has no cache at all

    line.tail.until(lambda: line.tail.states(1) == ["accepted", "accepted"])
    assert [r.attempt for r in wso2.tried(1)] == [1, 2, 1]


def test_law_3_a_worker_killed_after_the_202_sends_the_same_id_and_bytes_again(
    line: Line, wso2: Scripted
) -> None:
    worker = line.worker()
    line.change(2, "warm")
    line.tail.reached("accepted", 2)
    wso2.on_taken(_kill_once(worker))

    line.change(1, "first")
    assert worker.wait() == -signal.SIGKILL
    line.change(1, "second")
    line.worker()

    line.tail.until(lambda: line.tail.states(1) == ["accepted", "accepted"])
    first, again, second = wso2.tried(1)
    assert (again.id, again.body, again.attempt) == (first.id, first.body, 1)
    assert second.id > first.id


def _kill_once(worker: Program) -> object:
    def kill(_: Received) -> None:
        if worker.process.poll() is None:
            os.kill(worker.process.pid, signal.SIGKILL)

    return kill


def test_law_2_workers_share_the_chains_and_take_over_from_one_that_is_killed(
    line: Line, wso2: Scripted
) -> None:
    records = range(1, 25)
    one, two = line.worker("one"), line.worker("two")
    for number in range(4):
        for record in records:
            line.change(record, f"v{number}")
    line.tail.until(lambda: line.tail.states(*records).count("accepted") == 4 * len(records))
    line.tail.until(lambda: _is_shared(line))

    wso2.of(1, HoldResponse())
    for number in range(4, 12):
        for record in records:
            line.change(record, f"v{number}")
    wso2.attempts(1, 5)
    one.kill()
    wso2.release()

    line.tail.until(lambda: line.tail.states(*records).count("accepted") == 12 * len(records))
    assert two.process.poll() is None
    for record in records:
        assert wso2.accepted(record) == sorted(wso2.accepted(record))
        assert len(wso2.accepted(record)) == 12
    assert two.stop() == 0


def test_law_2_a_worker_that_was_frozen_does_nothing_once_others_have_its_partitions(
    line: Line, wso2: Scripted
) -> None:
    one, two = line.worker("one"), line.worker("two")
    line.tail.until(lambda: _is_shared(line))
    records = list({_partition(line, record): record for record in range(1, 25)}.values())
    assert len(records) == PARTITIONS
    for record in records:
        wso2.of(record, RetryAfter(8.0))  # no sooner than all of them wait
        line.change(record, "refused, and due again while one does not run")
    line.tail.reached("waiting", *records)

    one.process.send_signal(signal.SIGSTOP)
    line.tail.reached("accepted", *records)  # by the other worker
    attempts = len(wso2.requests)
    one.process.send_signal(signal.SIGCONT)

    assert one.wait() == 75
    assert "did not run for" in one.tail()
    assert len(wso2.requests) == attempts
    line.worker("one")
    for record in records:
        line.change(record, "after")
    line.tail.until(lambda: line.tail.states(*records).count("accepted") == 2 * len(records))
    assert two.process.poll() is None


def _held(line: Line) -> list[dict[str, frozenset[int]]]:
    """Return the partition numbers of each topic, for each member of the group by its name."""
    admin = AdminClient({"bootstrap.servers": line.servers})
    group = admin.describe_consumer_groups([line.topics.group])[line.topics.group].result(LONG)
    members = sorted(group.members, key=lambda member: member.group_instance_id)
    return [_numbers(member.assignment.topic_partitions) for member in members]


def _partition(line: Line, record: int) -> int:
    return partition_of(chain_of(line.topics.source, "shop", "sale.order", record), PARTITIONS)


def _is_shared(line: Line) -> bool:
    """Return whether two members have partitions, each the same numbers of every topic."""
    held = _held(line)
    if len(held) != 2 or not all(held):
        return False
    assert all(len(topics) == 4 for topics in held)
    assert all(len(set(topics.values())) == 1 for topics in held)
    return True


def _numbers(parts: list[TopicPartition]) -> dict[str, frozenset[int]]:
    topics = {part.topic for part in parts}
    return {t: frozenset(part.partition for part in parts if part.topic == t) for t in topics}


def test_law_1_a_group_whose_offset_has_expired_stops_and_names_the_gap(
    line: Line, wso2: Scripted
) -> None:
    worker = line.worker()
    line.change(1, "done")
    line.tail.reached("accepted", 1)
    assert worker.stop() == 0
    for number in range(2):
        line.change(1, f"never read {number}")
    line.flush()
    events, partition = line.topics.events("sale.order"), partition_of("1", PARTITIONS)
    expire(line, TopicPartition(events, partition, 2))

    stopped = line.worker()

    assert stopped.wait() == 4
    said = stopped.tail()
    assert f"{events}[{partition}]: offsets 1 to 1 were removed unread" in said
    assert "hint: " in said
    assert len(wso2.tried(1)) == 1


def test_law_2_a_partition_that_is_added_stops_the_worker_before_it_sends_anything_more(
    line: Line, wso2: Scripted
) -> None:
    worker = line.worker()
    line.change(1, "before")
    line.tail.reached("accepted", 1)
    queue = line.topics.deliveries("shop")
    admin = AdminClient({"bootstrap.servers": line.servers})
    for future in admin.create_partitions([NewPartitions(queue, PARTITIONS + 1)]).values():
        future.result(LONG)

    assert worker.wait() == 4
    line.change(1, "after")
    again = line.worker()
    assert again.wait() == 4

    for stopped in (worker, again):
        assert f"topics.partitions is {PARTITIONS}, but Kafka has {queue}: 5" in stopped.tail()
        assert "hint: " in stopped.tail()
    assert len(wso2.tried(1)) == 1


def expire(line: Line, before: TopicPartition) -> None:
    """Remove what stands before an offset, as retention does."""
    admin = AdminClient({"bootstrap.servers": line.servers})  # it must outlive its futures
    for future in admin.delete_records([before]).values():
        future.result(LONG)


def test_sigterm_finishes_what_is_in_hand_and_exits_0(line: Line, wso2: Scripted) -> None:
    wso2.of(1, HoldResponse())
    worker = line.worker()
    line.change(1, "in hand")
    wso2.attempts(1, 1)

    worker.process.send_signal(signal.SIGTERM)
    wso2.release()

    assert worker.wait() == 0
    line.tail.reached("accepted", 1)
    assert len(wso2.tried(1)) == 1
    assert not list(ROOT.glob("*-data"))  # nothing is left where it was started


@pytest.mark.parametrize("session", [{"kafka": {"session.timeout.ms": 60_000}}], indirect=True)
def test_a_worker_that_is_soon_back_has_its_partitions_and_the_others_notice_nothing(
    line: Line,
) -> None:
    records = range(1, 25)
    one, two = line.worker("one"), line.worker("two")
    line.tail.until(lambda: _is_shared(line))
    held = _held(line)
    for record in records:
        line.change(record, "before")
    line.tail.reached("accepted", *records)
    noticed = two.log.read_text().count('"action": "assigned"')

    assert one.stop() == 0
    line.worker("one")
    for record in records:
        line.change(record, "after")

    line.tail.until(lambda: line.tail.states(*records).count("accepted") == 2 * len(records))
    assert two.log.read_text().count('"action": "assigned"') == noticed > 0
    assert _held(line) == held
