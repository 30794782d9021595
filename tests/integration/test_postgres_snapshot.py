"""Ranges and marks, on every version that we read from."""

from __future__ import annotations

from struct import unpack_from

import psycopg
import pytest

from cdc.pgoutput.decoder import decode
from cdc.pgoutput.messages import Begin, Message
from cdc.postgres import publication, publishing, slot
from cdc.postgres.connect import Session
from cdc.postgres.replication import Replication
from cdc.postgres.snapshot import RangeReader
from tests.fix_pg_source import Source
from tests.pg_reading import messages_of

pytestmark = pytest.mark.integration


def cells(row: bytes, at: int) -> list[bytes | None]:
    """Return the cells of the tuple at `at`."""
    found: list[bytes | None] = []
    (count,) = unpack_from(">H", row, at)
    at += 2
    for _ in range(count):
        if row[at : at + 1] == b"n":
            found.append(None)
            at += 1
            continue
        (size,) = unpack_from(">I", row, at + 1)
        found.append(row[at + 5 : at + 5 + size])
        at += 5 + size
    return found


def test_marks_come_at_once_and_the_snapshot_between_them_sees_what_it_shows(
    pg_source: Source, pg_published: Session, pg_stream: Replication
) -> None:
    reader = RangeReader(pg_source.dsn)
    pg_published.execute("INSERT INTO note (body) VALUES ('before')")
    with psycopg.connect(pg_source.dsn) as writer:
        writer.execute("INSERT INTO note (body) VALUES ('open meanwhile')")
        low = reader.emit_mark("odoo-cdc", "low")
        rows = reader.read("note", ["id", "body"], ["id"], None, 10)
        high = reader.emit_mark("odoo-cdc", b"high")
    reader.close()

    seen, marks = [], []
    came = messages_of(pg_stream)
    while len(seen) < 2:
        data = next(came)
        if data[:1] == b"B":
            begin = decode(data)
            assert isinstance(begin, Begin)
            seen.append(rows.snapshot.sees(begin.xid))
        elif data[:1] == b"M":
            message = decode(data)
            assert isinstance(message, Message)
            marks.append((message.prefix, message.content, message.lsn))

    assert rows.rows == [[b"1", b"before"]]
    assert rows.last is None
    assert seen == [True, False]
    assert marks == [("odoo-cdc", b"low", low), ("odoo-cdc", b"high", high)]


TYPES = {
    "a_bool": ("boolean", "true"),
    "b_bool": ("boolean", "NULL"),
    "c_float": ("double precision", "0.1::float8 + 0.2"),
    "d_numeric": ("numeric", "12.50"),
    "e_date": ("date", "'2026-01-02'"),
    "f_time": ("timestamp", "'2026-01-02 03:04:05.6'"),
    "g_json": ("jsonb", """'{"en_US": "Ü", "fr_FR": "é"}'"""),
    "h_bytes": ("bytea", r"'\x00ff41'"),
    "i_text": ("text", "E'tab\\t, back\\\\slash, line\\n, €'"),
    "j_char": ("varchar(20)", "''"),
    "k_span": ("interval", "'1 day 02:03:04'"),
    "l_zone": ("timestamptz", "'2026-01-02 03:04:05+02'"),
}


def test_a_row_read_and_the_same_row_streamed_are_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, pg_source: Source, pg_session: Session
) -> None:
    """Whatever the database, the role and our environment are set to."""
    pg_session.execute(
        f"CREATE TABLE kinds (id int PRIMARY KEY, "
        f"{', '.join(f'{name} {kind}' for name, (kind, _) in TYPES.items())})".encode()
    )
    for setting in (
        "DateStyle TO German",
        "TimeZone TO 'Asia/Kathmandu'",
        "extra_float_digits TO 0",
        "bytea_output TO escape",
        "IntervalStyle TO sql_standard",
        "client_encoding TO LATIN1",
        "search_path TO pg_catalog",
    ):
        pg_session.execute(f"ALTER DATABASE {pg_source.name} SET {setting}".encode())
    monkeypatch.setenv("PGDATESTYLE", "German")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    statements = publishing.plan({"kinds": ()}, publication.look(pg_session, "cdc"))
    publishing.apply(pg_session, "cdc", statements)
    slot.create(pg_source.dsn, pg_source.slot)

    values = ", ".join(value for _, value in TYPES.values())
    pg_session.execute(f"INSERT INTO kinds VALUES (1, {values})".encode())  # noqa: S608 - likewise
    reader = RangeReader(pg_source.dsn)
    read = reader.read("kinds", ["id", *TYPES], ["id"], None, 10).rows
    reader.close()
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc"])
        streamed = next(data for data in messages_of(replication) if data[:1] == b"I")

    assert read == [cells(streamed, 6)]
    assert read[0][3:7] == [
        b"0.30000000000000004",
        b"12.50",
        b"2026-01-02",
        b"2026-01-02 03:04:05.6",
    ]
    assert read[0][8] == b"\\x00ff41"
    assert read[0][9] == "tab\t, back\\slash, line\n, €".encode()


def test_ranges_follow_each_other_to_the_end(pg_source: Source, pg_session: Session) -> None:
    pg_session.execute(
        "CREATE TABLE pair (tag int, note int, model text, PRIMARY KEY (note, tag))"
    )
    pg_session.execute(
        "INSERT INTO pair SELECT t, n, CASE WHEN t < 3 THEN 'a' ELSE 'b' END"
        " FROM generate_series(1, 4) t, generate_series(1, 5) n"
    )
    reader, after, found, calls = RangeReader(pg_source.dsn), None, [], 0
    while True:
        got = reader.read("pair", ["note", "tag"], ["note", "tag"], after, 6)
        found += got.rows
        calls += 1
        if (after := got.last) is None:
            break
    limited = reader.read(
        "pair", ["note", "tag"], ["note", "tag"], (5, 1), 6, ("model", frozenset("a"))
    )
    nothing = reader.read("pair", ["note"], ["note"], None, 6, ("model", frozenset()))
    reader.close()

    assert found == [[b"%d" % n, b"%d" % t] for n in range(1, 6) for t in range(1, 5)]
    assert calls == 4
    assert limited.rows == [[b"5", b"2"]]
    assert nothing.rows == []
    assert nothing.last is None


def test_reading_leaves_no_transaction_open(pg_source: Source, pg_session: Session) -> None:
    reader = RangeReader(pg_source.dsn)
    reader.read("note", ["id"], ["id"], None, 1)
    with pytest.raises(Exception, match="no_such"):
        reader.read("no_such", ["id"], ["id"], None, 1)
    states = pg_session.rows(
        "SELECT state FROM pg_stat_activity WHERE application_name = 'odoo-cdc-load'"
    )
    reader.close()
    assert states == [("idle",)]


def test_a_reader_connects_again_after_its_connection_was_ended(
    pg_source: Source, pg_session: Session
) -> None:
    reader = RangeReader(pg_source.dsn)
    reader.current_lsn()
    pg_session.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'odoo-cdc-load'"
    )
    with pytest.raises(Exception, match="does not answer") as lost:
        reader.current_lsn()
    assert reader.current_lsn() > 0
    reader.close()
    assert getattr(lost.value, "exit_code", None) == 3
