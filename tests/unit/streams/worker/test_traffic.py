"""Which send queues a worker reads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from streams.worker.traffic import Traffic

QUEUES = {"shop": "odoo_a.deliveries.shop", "erp": "odoo_a.deliveries.erp"}
SHOP = {TP(QUEUES["shop"], 0), TP(QUEUES["shop"], 1)}
ERP = {TP(QUEUES["erp"], 0)}
EVENTS = {TP("odoo_a.sale.order", 0)}


class Consumer:
    """Faust's consumer: what it reads, and whose buffers count as full."""

    def __init__(self) -> None:
        self.paused: set[TP] = set()
        self.full: set[TP] = set()
        self.resumed: list[set[TP]] = []

    def assignment(self) -> set[TP]:
        return SHOP | ERP | EVENTS

    def pause_partitions(self, tps: set[TP]) -> None:
        self.paused |= tps

    def resume_partitions(self, tps: set[TP]) -> None:
        self.paused -= tps
        self.resumed.append(tps)

    def on_buffer_full(self, tp: TP) -> None:
        self.full.add(tp)

    def on_buffer_drop(self, tp: TP) -> None:
        self.full.discard(tp)


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
def app(consumer: Consumer) -> Any:
    return SimpleNamespace(consumer=consumer, rebalancing=False)


def test_law_7_only_the_queue_of_a_target_that_halts_is_not_read(
    app: Any, consumer: Consumer
) -> None:
    traffic = Traffic(app, QUEUES)

    traffic.follow(lambda target: target == "shop")

    assert consumer.paused == consumer.full == SHOP
    assert traffic.halted == {QUEUES["shop"]}
    traffic.follow(lambda target: target == "erp")
    assert consumer.paused == consumer.full == ERP
    assert consumer.resumed == [SHOP]
    traffic.follow(lambda _: False)
    assert not consumer.paused | consumer.full


def test_what_is_halted_stays_so_whatever_faust_resumes(app: Any, consumer: Consumer) -> None:
    traffic = Traffic(app, QUEUES)
    traffic.follow(lambda target: target == "shop")
    consumer.paused.clear()  # as after a rebalance

    traffic.enforce()

    assert consumer.paused == SHOP
    assert consumer.resumed == []


def test_what_is_freed_during_a_rebalance_is_read_when_that_is_over(
    app: Any, consumer: Consumer
) -> None:
    traffic = Traffic(app, QUEUES)
    traffic.follow(lambda target: target == "shop")
    app.rebalancing = True

    traffic.follow(lambda _: False)

    assert consumer.resumed == []
    assert traffic.halted == frozenset()
    app.rebalancing = False
    traffic.follow(lambda _: False)
    traffic.follow(lambda _: False)
    assert consumer.resumed == [SHOP]
    assert not consumer.paused | consumer.full
