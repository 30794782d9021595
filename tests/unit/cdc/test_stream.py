"""The stream over a played Kafka: positions, ordinals, and what a second life begins with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import CaughtUp, Marked, Portion
from cdc.progress import Progress
from cdc.stream import Stream
from schemas.errors import ServiceUnavailable
from schemas.event import Event
from tests.engine import PLAN, Engine, Row, engine, insert, update

TIME = 848_656_800_000_000


class NoKafka(ServiceUnavailable):
    """It is away."""


class Played:
    """Takes what is published; its flush fails where that is asked for."""

    def __init__(self) -> None:
        self.values: list[bytes] = []
        self.away = False

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        self.values.append(value)

    def flush(self) -> None:
        if self.away:
            raise NoKafka


class World:
    """A stream whose tables are loaded."""

    def __init__(self, tried: Engine) -> None:
        tried.shadow.note(PROGRESS, {"lsn": 1, **Progress().to_json()})
        self.kafka, self._engine = Played(), tried
        topics = {root.rank: Topic(root.shape.model, 4) for root in PLAN.roots}
        self.epoch = Epoch(self.kafka, tried.shadow, topics)
        relations = cast("Any", SimpleNamespace())
        self.stream = Stream(PLAN, relations, tried.fold, tried.events, self.epoch)
        self.stream.snapshot = frozenset({"sale.order"})
        self.stream.backfill = cast("Any", SimpleNamespace(published=lambda *_: None))
        self._meaning: Marked | None = None
        self.stream.marks = cast("Any", SimpleNamespace(take=lambda _: self._meaning))
        self.epoch.end()
        self.stream.refresh()

    def transaction(self, lsn: int, *rows: bytes) -> None:
        self._handle(b"B" + pack(">QqI", lsn, TIME, 7))
        for row in rows:
            self._handle(row)
        self._handle(b"C" + pack(">BQQq", 0, lsn, lsn + 8, TIME))

    def mark(self, lsn: int, meaning: Marked) -> None:
        self._meaning = meaning
        self._handle(b"M" + pack(">BQ", 0, lsn) + b"odoo_cdc\0" + pack(">I", 1) + b"t")

    def events(self) -> list[Event]:
        return [self._engine.book.decode(value) for value in self.kafka.values]

    def again(self) -> None:
        self.epoch.reset()
        self.stream.begin_again()

    def _handle(self, message: bytes) -> None:
        self.stream.handle(b"w" + pack(">QQq", 0, 0, TIME) + message)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with engine(tmp_path) as tried:
        yield World(tried)


def order(number: int, name: str) -> Row:
    return {"id": str(number), "name": name, "user_id": "5"}


def test_law_2_a_commit_right_behind_a_mark_is_newer_than_what_the_mark_shows(
    world: World,
) -> None:
    world.transaction(0x1000, *[insert("sale_order", order(n, "a")) for n in (1, 2, 3)])
    world.epoch.progress.publish_from_start({"sale.order"})
    world.kafka.values.clear()

    world.mark(0x2000, Portion("sale.order", 500))  # where its record ends, the next begins
    world.transaction(0x2000, update("sale_order", order(3, "b")))

    positions = [event.position for event in world.events() if event.id == 3]
    assert len(positions) == 2
    assert positions[0] < positions[1]


def test_law_3_what_an_earlier_transaction_touched_is_not_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cdc.engine.touched._CROWD", 2)
    user: Row = {"id": "5", "login": "x"}
    orders = [insert("sale_order", order(n, "a")) for n in range(1, 7)]
    world.transaction(0x1000, insert("res_users", user), *orders)
    world.epoch.end()
    rows = [update("sale_order", order(n, "b")) for n in (4, 5, 6)]
    rows.append(update("res_users", {"id": "5", "login": "y"}))  # which is not followed

    world.kafka.values.clear()
    world.transaction(0x2000, *rows)
    first = list(world.kafka.values)
    world.again()
    world.kafka.values.clear()
    world.transaction(0x2000, *rows)

    assert [event.id for event in world.events()] == [4, 5, 6]
    assert world.kafka.values == first


def test_it_is_not_caught_up_before_everything_is_durable(world: World) -> None:
    world.transaction(0x1000, insert("sale_order", order(1, "a")))
    world.kafka.away = True
    with pytest.raises(NoKafka):
        world.mark(0x2000, CaughtUp())
    assert not world.stream.caught_up

    world.kafka.away = False
    world.again()
    assert not world.stream.caught_up
    world.mark(0x2000, CaughtUp())
    assert world.stream.caught_up


def test_a_model_that_nobody_wants_loaded_any_more_is_not_published(world: World) -> None:
    world.epoch.progress.publish_from_start({"sale.order", "res.partner"})
    world.epoch.end()

    world.again()

    assert world.epoch.progress.published == {"sale.order": -1}
