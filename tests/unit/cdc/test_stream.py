"""The stream over a played Kafka: positions, ordinals, and what a second life begins with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import CaughtUp, Marked, RangeRead
from cdc.progress import Portion, Progress
from cdc.resending.resends import NoResends
from cdc.stream import Stream
from schemas.errors import ServiceUnavailable
from schemas.event import Event
from tests.engine import (
    PLAN,
    UNCHANGED,
    Engine,
    Row,
    announce,
    delete,
    engine,
    insert,
    truncate,
    update,
)

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
        self.stream = Stream(PLAN, tried.relations, tried.fold, tried.events, self.epoch)
        self.stream.readiness.snapshot = frozenset({"sale.order"})
        self.stream.readiness.backfill = cast("Any", SimpleNamespace(published=lambda *_: None))
        self.stream.resends = NoResends()
        self._meaning: Marked | None = None
        self.stream.marks = cast("Any", SimpleNamespace(take=lambda _: self._meaning, spoil=len))
        self.epoch.end()
        self.stream.readiness.refresh()

    def load_anew(self) -> None:
        self.epoch.progress = Progress.begin(PLAN)
        self.stream.readiness.refresh()

    def loaded(self, lsn: int, table: str, *rows: Row, last: int | None = None) -> None:
        """Come to the mark behind a range of a table, the last one unless `last` is given."""
        plan = PLAN.by_name[table]
        cells = [[_encoded(row.get(name)) for name in plan.read] for row in rows]
        end = None if last is None else (last,)
        found = SimpleNamespace(rows=cells, last=end, types={})
        self.mark(lsn, RangeRead(plan, cast("Any", found)))

    def transaction(self, lsn: int, *rows: bytes) -> None:
        self._handle(b"B" + pack(">QqI", lsn, TIME, 7))
        for row in rows:
            self._handle(row)
        self._handle(b"C" + pack(">BQQq", 0, lsn, lsn + 8, TIME), lsn + 8)

    def mark(self, lsn: int, meaning: Marked) -> None:
        self._meaning = meaning
        mark = b"M" + pack(">BQ", 0, lsn) + b"odoo_cdc\0" + pack(">I", 1) + b"t"
        self._handle(mark, lsn)

    def events(self) -> list[Event]:
        return [self._engine.book.decode(value) for value in self.kafka.values]

    def announce(self, table: str, *, keyed: bool) -> None:
        announce(self._engine.relations, table, keyed=keyed)

    def again(self) -> None:
        self.epoch.reset()
        self.stream.begin_again()

    def _handle(self, message: bytes, lsn: int = 0) -> None:
        self.stream.handle(b"w" + pack(">QQq", lsn, lsn, TIME) + message)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with engine(tmp_path) as tried:
        yield World(tried)


def _encoded(value: str | None) -> bytes | None:
    return None if value is None else value.encode()


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


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A stream that has no room for more than a row, and makes durable what it can at once."""
    monkeypatch.setattr("cdc.engine.events._RELIEF", 1)
    monkeypatch.setattr("cdc.engine.touched._CROWD", 1)
    monkeypatch.setattr("cdc.engine.undone._SOME", 1)
    with engine(tmp_path / "small", limit=1) as tried:
        yield World(tried)


def large(letter: str) -> list[bytes]:
    """Return changes of orders and their tags; of the tags some are made and taken."""
    orders = [insert("sale_order", order(n, letter)) for n in range(1, 9)]
    tags = [insert("crm_tag", {"id": str(n), "name": "t"}) for n in (1, 2)]
    pairs = [
        (insert if letter == "a" or n % 2 else delete)(
            "order_tag_rel", {"order_id": str(n), "tag_id": str(1 + n % 2)}
        )
        for n in range(1, 9)
    ]
    return [*orders, *tags, *pairs]


def test_law_9_a_large_transaction_is_made_durable_as_it_is_looked_through(
    world: World, small: World
) -> None:
    commits: list[int] = []
    end = small.epoch.end
    small.stream._events.relieve = lambda: (end(), commits.append(1))  # noqa: SLF001

    for lsn, letter in ((0x1000, "a"), (0x2000, "b")):
        world.transaction(lsn, *large(letter))
        small.transaction(lsn, *large(letter))

    assert len(commits) > 16
    assert len(world.kafka.values) == 16
    assert small.kafka.values == world.kafka.values


@pytest.mark.parametrize("at", [1, 2, 7, 10])
def test_law_3_a_large_transaction_that_is_cut_off_as_it_is_looked_through_is_told_alike(
    small: World, at: int
) -> None:
    small.transaction(0x1000, *large("a"))
    small.epoch.end()
    small.kafka.values.clear()
    end, left = small.epoch.end, [at]

    def relieve() -> None:
        end()
        left[0] -= 1
        if not left[0]:
            raise NoKafka

    small.stream._events.relieve = relieve  # noqa: SLF001
    with pytest.raises(NoKafka):
        small.transaction(0x2000, *large("b"))
    small.again()
    small.kafka.values.clear()
    small.transaction(0x2000, *large("b"))

    assert [event.id for event in small.events()] == list(range(1, 9))
    before = [event.before and event.before["name"] for event in small.events()]
    assert before == ["a"] * 8


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


def test_law_1_what_was_deleted_before_its_range_was_read_is_told_as_gone(world: World) -> None:
    world.load_anew()
    world.transaction(
        0x1000,
        delete("sale_order", {"id": "7"}),
        delete("order_tag_rel", {"order_id": "8", "tag_id": "3"}),
        delete("order_tag_rel", {"order_id": "9", "tag_id": "3"}),
        insert("order_tag_rel", {"order_id": "9", "tag_id": "3"}),
    )
    rest = [name for name in PLAN.by_name if name != "sale_order"]

    world.loaded(0x2000, "sale_order", order(6, "untouched"), order(7, "seen"), last=7)
    world.loaded(0x3000, "sale_order", order(8, "without its tag"), order(9, "with it"))
    for number, table in enumerate(rest):
        world.loaded(0x4000 + number, table)

    told = {event.id: event for event in world.events() if event.model == "sale.order"}
    assert sorted(told) == [7, 8, 9]
    assert not any(event.before_known for event in told.values())
    assert told[7].after is None
    assert told[8].after is not None
    assert told[8].after["name"] == "without its tag"


def test_law_1_a_link_that_the_stream_left_out_before_its_range_was_read_is_followed(
    world: World,
) -> None:
    partner: Row = {"id": "4", "name": "Azure", "property_payment_term_id": '{"1": 3}'}
    sold: Row = {"id": "6", "name": "S6", "partner_id": "4"}
    term: Row = {"id": "3", "name": "30 days"}
    world.load_anew()
    world.transaction(
        0x1000, update("res_partner", partner | {"property_payment_term_id": UNCHANGED})
    )
    rows = {"res_partner": partner, "sale_order": sold, "account_payment_term": term}
    for number, table in enumerate(PLAN.by_name):
        world.loaded(0x2000 + number, table, *([rows[table]] if table in rows else []))
    world.kafka.values.clear()

    world.transaction(0x3000, update("account_payment_term", term | {"name": "60 days"}))

    told = {event.model: event for event in world.events()}
    assert told["sale.order"].after is not None
    assert told["sale.order"].after["partner_id"]["property_payment_term_id"] == {
        "id": 3,
        "name": "60 days",
    }


def test_law_1_what_was_passed_over_of_a_table_without_a_key_is_noted_with_its_commit(
    world: World,
) -> None:
    world.transaction(0x1000, insert("sale_order", order(1, "published")))
    world.announce("sale_order", keyed=False)

    world.transaction(0x2000, insert("sale_order", order(2, "passed over")))
    world.epoch.end()
    world.again()

    assert world.epoch.progress.absent == {"sale_order"}
    assert world.epoch.progress.waiting == {"sale.order"}
    world.announce("sale_order", keyed=True)
    world.stream.readiness.returned({"sale_order"})
    world.transaction(0x3000, insert("sale_order", order(3, "seen")))
    world.loaded(0x4000, "sale_order", *(order(n, "read") for n in (1, 2, 3)))
    world.mark(0x5000, Portion("sale.order", 500, due=True, to_all=True))

    told = [(event.id, event.before and event.before["name"]) for event in world.events()]
    assert told == [(1, None), (1, "published"), (2, None), (3, None)]


def test_a_table_without_a_key_is_emptied_like_any(world: World) -> None:
    world.transaction(0x1000, insert("sale_order", order(1, "published")))
    world.announce("sale_order", keyed=False)

    world.transaction(0x2000, truncate("sale_order"))

    assert [event.after for event in world.events()][1:] == [None]


def test_law_4_a_transaction_that_is_not_whole_tells_nothing_of_who_shows_what_it_lacks(
    world: World,
) -> None:
    world.transaction(0x1000, insert("sale_order", order(1, "published")))
    world.announce("sale_order", keyed=False)

    world.transaction(
        0x2000,
        truncate("sale_order"),
        insert("sale_order", order(1, "loaded again")),
        insert("sale_order", order(2, "another")),
        insert("res_partner", {"id": "4", "name": "Azure"}),
    )

    assert [(event.model, event.id) for event in world.events()][1:] == [("res.partner", 4)]
    world.announce("sale_order", keyed=True)
    world.stream.readiness.returned({"sale_order"})
    world.loaded(0x4000, "sale_order", order(1, "loaded again"), order(2, "another"))
    world.mark(0x5000, Portion("sale.order", 500, due=True, to_all=True))
    told = [(e.id, e.before and e.before["name"]) for e in world.events()][2:]
    assert told == [(1, "published"), (2, None)]
