"""When a worker stands still, and when it only waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from schemas.topics import Topics
from streams.kafka.offsets import Place
from streams.worker import serve
from streams.worker.watchdog import Look, Progress

TOPICS = ("odoo_a.sale.order", "odoo_a.deliveries.shop")


class Offsets:
    """Kafka, where two records of each topic are not done."""

    def places(self, parts: Any) -> list[Place]:
        return [Place(topic, p, start=0, end=5, committed=3) for topic, p in parts]

    def refuse_other_partitions(self, topics: frozenset[str], wanted: int) -> None:
        """All have as many."""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(serve, "assignment", lambda _: {TP(topic, 0) for topic in TOPICS})
    return SimpleNamespace(
        app=None,
        consumed=frozenset(TOPICS),
        core=SimpleNamespace(taken=0, committer=SimpleNamespace(read=0)),
        metrics=SimpleNamespace(value=lambda _: 0),
        places=SimpleNamespace(topics=Topics("odoo_a"), partitions=1),
        traffic=SimpleNamespace(halted=frozenset()),
    )


def look(worker: Any) -> Look:
    return serve._looking(worker, Offsets())()  # type: ignore[arg-type]  # noqa: SLF001


def test_what_is_halted_waits_and_does_not_stand_still(worker: Any) -> None:
    assert look(worker).lag == 4

    worker.traffic.halted = frozenset(TOPICS[1:])

    assert look(worker).lag == 2


def test_batches_are_progress(worker: Any) -> None:
    before = look(worker)
    worker.core.taken += 1

    assert look(worker).marks != before.marks


def test_a_partition_that_is_being_read_is_progress(worker: Any) -> None:
    before = look(worker)
    worker.core.committer.read += 1000

    assert look(worker).marks != before.marks


def test_work_that_nobody_does_is_noticed_when_its_limit_has_passed() -> None:
    progress = Progress(60.0)

    assert [progress.is_spent(Look(2, (1,)), now) for now in (0, 60, 61)] == [False, False, True]


@pytest.mark.parametrize("other", [Look(0, (1,)), Look(2, (2,)), None])
def test_nothing_to_do_progress_and_an_absent_kafka_begin_it_anew(other: Look | None) -> None:
    progress = Progress(60.0)
    progress.is_spent(Look(2, (1,)), 0)

    progress.is_spent(other, 59)

    assert not progress.is_spent(Look(2, (1,)), 100)
    assert progress.is_spent(Look(2, (1,)), 161)
