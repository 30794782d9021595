"""Very large rows, and values that Odoo never wrote: capture goes on, on every version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg
import pytest

from cdc.engine.events import LARGEST
from schemas.event import Document, Event
from tests.fix_pg_source import Source
from tests.pg_capture import CATALOG, Captured, declare

pytestmark = pytest.mark.integration

KILO: Final = 1_000
MEGA: Final = 1_000_000

TABLES: Final[LiteralString] = """
    CREATE TABLE doc_term (id int8 PRIMARY KEY, name varchar);
    CREATE TABLE doc_note (
        id int8 PRIMARY KEY, name varchar, large text, term_id jsonb,
        write_uid int, write_date timestamp);
    CREATE TABLE doc_file (id int8 PRIMARY KEY, res_model varchar, res_id int8, name varchar);
    CREATE TABLE note_term (note_id int8, term_id int8, PRIMARY KEY (note_id, term_id));
    INSERT INTO doc_term VALUES (1, 'one'), (2, 'two');
"""
READS: Final = {
    "doc.note": ["name", "large", "term_id.name", "file_ids.name", "term_ids.name"],
}


@dataclass
class Shop:
    """A database of notes, and capture of it."""

    captured: Captured
    connection: psycopg.Connection

    def run(self, statement: LiteralString, *values: Any) -> None:
        self.connection.execute(statement, values or None)

    def note(self, row: int, large: str = "", term: str | None = None) -> None:
        self.run("INSERT INTO doc_note VALUES (%s, 'a', %s, %s::jsonb)", row, large, term)

    def follow(self) -> list[Event]:
        return self.captured.follow()


@pytest.fixture
def shop(pg_source: Source, tmp_path: Path) -> Iterator[Shop]:
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute(CATALOG)
        connection.execute(TABLES)
        term_id = {"ttype": "many2one", "relation": "doc.term", "company_dependent": True}
        file_ids = {"ttype": "one2many", "relation": "doc.file", "relation_field": "res_id"}
        pair = {"relation_table": "note_term", "column1": "note_id", "column2": "term_id"}
        term_ids = {"ttype": "many2many", "relation": "doc.term", **pair}
        links = {"term_id": term_id, "file_ids": file_ids, "term_ids": term_ids}
        guards = {"write_uid": {"ttype": "many2one", "relation": "x"}, "write_date": "datetime"}
        declare(connection, "doc.note", name="char", large="text", **links, **guards)
        declare(connection, "doc.term", name="char")
        declare(connection, "doc.file", name="char", res_model="char", res_id="many2one_reference")
        captured = Captured(pg_source.dsn, pg_source.slot, tmp_path / "shadow", READS)
        yield Shop(captured, connection)


def last(events: list[Event]) -> Document:
    assert events[-1].after is not None
    return events[-1].after


@pytest.mark.parametrize("size", [65_000, 65_536, MEGA], ids="{} bytes".format)
def test_law_4_a_link_of_any_size_is_followed(shop: Shop, size: int) -> None:
    """Relations that depend on the company are one jsonb of all companies."""
    padded = '{"0": "' + "x" * size + '", "1": %s}'  # Postgres puts them into this order
    shop.note(1, term=padded % 1)
    loaded = shop.captured.begin()
    assert last(loaded)["term_id"] == {"id": 1, "name": "one"}

    shop.note(2, term=padded % 1)
    assert last(shop.follow())["term_id"] == {"id": 1, "name": "one"}
    shop.run("UPDATE doc_note SET name = 'b' WHERE id = 2")
    assert last(shop.follow())["term_id"] == {"id": 1, "name": "one"}
    shop.run("UPDATE doc_note SET term_id = %s WHERE id = 2", padded % 2)
    assert last(shop.follow())["term_id"] == {"id": 2, "name": "two"}
    shop.run("UPDATE doc_term SET name = 'zwei' WHERE id = 2")
    assert [(event.id, event.after and event.after["term_id"]) for event in shop.follow()] == [
        (2, {"id": 2, "name": "zwei"})
    ]
    shop.run("UPDATE doc_term SET name = 'eins' WHERE id = 1")
    assert [event.id for event in shop.follow()] == [1]


def test_law_9_rows_of_one_and_of_fifty_megabytes_are_held_and_told_as_far_as_kafka_takes_them(
    shop: Shop,
) -> None:
    for row, size in ((1, MEGA), (2, 50 * MEGA)):
        shop.run("INSERT INTO doc_note VALUES (%s, 'a', repeat('x', %s))", row, size)
    one, fifty = shop.captured.begin()
    assert one.after is not None
    assert one.after["large"] == "x" * MEGA
    assert (fifty.id, fifty.after, fifty.before) == (2, None, None)
    assert fifty.oversize is not None
    assert 50 * MEGA < fifty.oversize < 51 * MEGA

    # Its large value is left alone: both images have it, and neither is sent.
    shop.run("UPDATE doc_note SET name = 'b'")
    one, fifty = shop.follow()
    assert one.before is not None
    assert one.after is not None
    assert (one.before["name"], one.after["name"]) == ("a", "b")
    assert one.before["large"] == one.after["large"] == "x" * MEGA
    assert fifty.oversize is not None
    assert fifty.oversize > 100 * MEGA
    assert max(map(len, shop.captured.kafka.values)) <= LARGEST

    # Small again: from then on it is told, with a before image only where that fits.
    shop.run("UPDATE doc_note SET large = 'small' WHERE id = 2")
    (fifty,) = shop.follow()
    assert fifty.oversize is not None
    shop.run("UPDATE doc_note SET name = 'c' WHERE id = 2")
    (fifty,) = shop.follow()
    assert fifty.oversize is None
    assert last([fifty])["large"] == "small"


@pytest.mark.parametrize("room", [0, 1], ids=["as large as Kafka takes", "a byte larger"])
def test_an_event_is_oversize_from_the_first_byte_that_kafka_would_not_take(
    shop: Shop, room: int
) -> None:
    shop.captured.begin()
    shop.note(1, "x" * MEGA)
    shop.follow()
    shop.captured.largest = len(shop.captured.kafka.values[-1]) - room
    shop.note(2, "x" * MEGA)
    (event,) = shop.follow()
    assert (event.oversize is None) == (room == 0)
    assert (event.after is None) == (room == 1)


def test_ids_and_links_of_64_bits_lead_where_they_lead(shop: Shop) -> None:
    large, larger = 2**31 + 7, 2**63 - 1
    shop.note(large)
    shop.captured.begin()
    shop.note(larger)
    shop.run("INSERT INTO doc_file VALUES (1, 'doc.note', %s, 'file')", larger)
    shop.run("INSERT INTO note_term VALUES (%s, 1)", larger)
    event = shop.follow()[-1]
    assert event.id == larger
    assert last([event])["file_ids"] == [{"id": 1, "name": "file"}]
    assert last([event])["term_ids"] == [{"id": 1, "name": "one"}]
    shop.run("DELETE FROM doc_note WHERE id = %s", larger)
    shop.run("UPDATE doc_note SET name = 'b'")
    assert [event.id for event in shop.follow()] == [larger, large]


def test_law_7_rows_and_links_below_zero_are_passed_over(shop: Shop) -> None:
    """No id of Odoo's is; scripts write such."""

    def write(row: int) -> None:
        shop.note(row)
        shop.note(-row)
        shop.run("INSERT INTO doc_file VALUES (%s, 'doc.note', %s, 'lost')", row, -row)
        shop.run("INSERT INTO note_term VALUES (%s, -1), (-1, %s)", row, row)

    write(1)
    assert [event.id for event in shop.captured.begin()] == [1]
    write(2)
    shop.run("UPDATE doc_note SET name = 'b'")
    shop.run("DELETE FROM doc_note WHERE id < 0")
    shop.run("UPDATE doc_file SET res_id = abs(res_id)")
    events = shop.follow()
    assert {event.id for event in events} == {1, 2}
    assert last(events)["file_ids"] == [{"id": 2, "name": "lost"}]
    assert last(events)["term_ids"] == []


ODD: Final = {
    "deep": "[" * 3_000 + "]" * 3_000,
    "deep inside": '{"1": ' + "[" * 3_000 + "]" * 3_000 + "}",
    "a number of 5,000 digits": '{"1": ' + "9" * 5_000 + "}",
    "a text of 5,000 digits": '{"1": "' + "9" * 5_000 + '"}',
    "a list": "[1]",
    "a fraction": '{"1": 1.5}',
    "below zero": '{"1": -1}',
    "null": "null",
}


def test_law_7_a_relation_that_odoo_never_wrote_leads_nowhere(shop: Shop) -> None:
    shop.captured.begin()
    for row, text in enumerate(ODD.values(), 1):
        shop.note(row, term=text)
    events = shop.follow()
    assert len(events) == len(ODD)
    assert all(event.after is not None and event.after["term_id"] is None for event in events)


def test_law_7_dates_of_no_calendar_in_write_date_stop_nothing(shop: Shop) -> None:
    shop.captured.begin()
    for row, moment in enumerate(
        ("infinity", "-infinity", "0044-03-15 12:00:00 BC", "294276-12-31 23:59:59.999999"), 1
    ):
        shop.run(
            "INSERT INTO doc_note (id, name, write_uid, write_date) VALUES (%s, 'a', %s, %s)",
            row,
            -(2**31),
            moment,
        )
    assert [event.id for event in shop.follow()] == [1, 2, 3, 4]
