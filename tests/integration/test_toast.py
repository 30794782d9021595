"""Large values that an update leaves alone, in every way in which rows change: on every version.

Postgres keeps them beside the row and does not send them again. After each case the events are
held against what SQL says of the rows, before and after.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString

import psycopg
import pytest

from cdc.checks import tables
from cdc.postgres.connect import Session
from cdc.postgres.facts import gather
from cdc.postgres.publication import PublicationState
from cdc.selection import Selection, Table
from schemas.event import Document
from tests.fix_pg_source import Source
from tests.pg_capture import CATALOG, Away, Captured, Told, declare, texts

pytestmark = pytest.mark.integration

LARGE: Final = "(SELECT string_agg(md5(g::text), '') FROM generate_series(%s, %s + 400) g)"
ROWS: Final = 5

TABLES: Final[LiteralString] = """
    CREATE TABLE doc_note (
        id int PRIMARY KEY, code varchar, small varchar, large text, larger text,
        write_uid int, write_date timestamp);
    CREATE UNIQUE INDEX note_by_code ON doc_note (id, code);
    CREATE TABLE doc_line (
        id int PRIMARY KEY, small varchar, large text,
        note_id int REFERENCES doc_note ON DELETE CASCADE ON UPDATE CASCADE);
    ALTER TABLE doc_note ALTER large SET STORAGE EXTERNAL, ALTER larger SET STORAGE EXTERNAL;
    ALTER TABLE doc_line ALTER large SET STORAGE EXTERNAL;
    ALTER TABLE doc_note ALTER code SET NOT NULL;
"""
FIELDS: Final = ("code", "small", "large", "larger")

CASES: Final = {
    "another column": "UPDATE doc_note SET small = 'changed' WHERE id = 1",
    "one large of two": "UPDATE doc_note SET large = repeat('new', 3000) WHERE id = 1",
    "a large one emptied": "UPDATE doc_note SET larger = NULL WHERE id = 1",
    "nothing but who wrote": "UPDATE doc_note SET write_uid = 7, write_date = now()",
    "every row": "UPDATE doc_note SET small = small || '!'",
    "another id": "UPDATE doc_note SET id = 77 WHERE id = 2",
    "another id and column": "UPDATE doc_note SET id = 78, small = 'moved' WHERE id = 3",
    "ids in a circle": """
        BEGIN; UPDATE doc_note SET id = 900 WHERE id = 1; UPDATE doc_note SET id = 1 WHERE id = 2;
        UPDATE doc_note SET id = 2 WHERE id = 900; COMMIT""",
    "all ids moved up": "UPDATE doc_note SET id = id + 100",
    "an id given and taken back": """
        BEGIN; UPDATE doc_note SET id = 900 WHERE id = 1;
        UPDATE doc_note SET small = 'away' WHERE id = 900;
        UPDATE doc_note SET id = 1 WHERE id = 900; COMMIT""",
    "deleted, and its lines with it": "DELETE FROM doc_note WHERE id = 1",
    "a line goes elsewhere": "UPDATE doc_line SET note_id = 2 WHERE note_id = 1",
    "on conflict, a small column": """
        INSERT INTO doc_note (id, code, small, large) VALUES (1, 'x', 'again', 'short')
        ON CONFLICT (id) DO UPDATE SET small = excluded.small""",
    "on conflict, a large column": """
        INSERT INTO doc_note (id, code, small, large) VALUES (1, 'x', 'again', repeat('y', 9000))
        ON CONFLICT (id) DO UPDATE SET large = excluded.large""",
    "a savepoint rolled back": """
        BEGIN; UPDATE doc_note SET small = 'kept' WHERE id = 1; SAVEPOINT one;
        UPDATE doc_note SET large = 'lost', small = 'lost' WHERE id = 1;
        DELETE FROM doc_note WHERE id = 2; ROLLBACK TO one;
        UPDATE doc_note SET small = 'kept too' WHERE id = 2; COMMIT""",
    "a savepoint inside of one": """
        BEGIN; SAVEPOINT one; UPDATE doc_note SET large = repeat('a', 9000) WHERE id = 1;
        SAVEPOINT two; UPDATE doc_note SET large = repeat('b', 9000) WHERE id = 1;
        ROLLBACK TO two; UPDATE doc_note SET small = 'c' WHERE id = 1; RELEASE one; COMMIT""",
    "prepared and committed": """
        BEGIN; UPDATE doc_note SET small = 'prepared' WHERE id = 1;
        UPDATE doc_note SET id = 79 WHERE id = 4; PREPARE TRANSACTION 'ours';
        UPDATE doc_note SET small = 'meanwhile' WHERE id = 2; COMMIT PREPARED 'ours'""",
    "prepared and rolled back": """
        BEGIN; UPDATE doc_note SET small = 'never' WHERE id = 1; PREPARE TRANSACTION 'ours';
        UPDATE doc_note SET small = 'meanwhile' WHERE id = 2; ROLLBACK PREPARED 'ours'""",
    "inserted, updated, deleted, inserted": """
        BEGIN; INSERT INTO doc_note (id, code, large) VALUES (9, 'n', repeat('z', 9000));
        UPDATE doc_note SET small = 'b' WHERE id = 9; DELETE FROM doc_note WHERE id = 9;
        INSERT INTO doc_note (id, code, large) VALUES (9, 'm', repeat('w', 9000));
        UPDATE doc_note SET small = 'c' WHERE id = 9; COMMIT""",
    "there and gone in one transaction": """
        BEGIN; INSERT INTO doc_note (id, code, large) VALUES (9, 'n', repeat('z', 9000));
        UPDATE doc_note SET small = 'b' WHERE id = 9; DELETE FROM doc_note WHERE id = 9; COMMIT""",
    "deleted and there again": """
        BEGIN; DELETE FROM doc_line; DELETE FROM doc_note WHERE id = 1;
        INSERT INTO doc_note (id, code, small, large) VALUES (1, 'new', 'new', repeat('q', 9000));
        UPDATE doc_note SET code = 'newer' WHERE id = 1; COMMIT""",
    "updated many times": """
        DO $$ BEGIN FOR i IN 1..50 LOOP
        UPDATE doc_note SET small = i::text, larger = CASE WHEN i = 25 THEN repeat('l', 9000)
            ELSE larger END WHERE id = 1; END LOOP; END $$""",
    "merged": """
        MERGE INTO doc_note n USING (VALUES (1, 'u'), (2, 'd'), (9, 'i')) v(id, what)
        ON n.id = v.id WHEN MATCHED AND v.what = 'u' THEN UPDATE SET small = 'merged'
        WHEN MATCHED THEN DELETE
        WHEN NOT MATCHED THEN INSERT (id, code, large) VALUES (v.id, 'm', repeat('g', 9000))""",
    "in a with": """
        WITH gone AS (DELETE FROM doc_note WHERE id = 2 RETURNING large),
        changed AS (UPDATE doc_note SET small = 'with' WHERE id = 1 RETURNING id)
        UPDATE doc_note SET larger = (SELECT large FROM gone) WHERE id = 3""",
    "copied in": """
        COPY doc_note (id, code, small, large) FROM PROGRAM
        'printf "50,c,copied,"; head -c 9000 /dev/zero | tr "\\0" x' WITH (FORMAT csv);
        UPDATE doc_note SET small = 'copied in' WHERE id = 50""",
}

IDENTITIES: Final = {
    "default": "DEFAULT",
    "full": "FULL",
    "using index": "USING INDEX note_by_code",
}


@dataclass
class Notes:
    """The notes and lines of a database, as capture tells them and as SQL has them."""

    source: Source
    captured: Captured
    connection: psycopg.Connection
    told: Told

    def judge(self) -> None:
        """Follow, and hold what was told against SQL."""
        self.told.hear(self.captured.follow())
        assert self.told.of("doc.note") == {d["id"]: d for d in self._notes()}
        assert self.told.of("doc.line") == {d["id"]: d for d in self._lines()}

    def _notes(self) -> Iterator[Document]:
        for document in texts(self.connection, "doc_note", FIELDS):
            lines = self.connection.execute(
                "SELECT id, large FROM doc_line WHERE note_id = %s ORDER BY id", [document["id"]]
            )
            yield {**document, "line_ids": [{"id": row, "large": text} for row, text in lines]}

    def _lines(self) -> Iterator[Document]:
        rows = self.connection.execute(
            "SELECT l.id, l.large, l.small, n.id, n.large FROM doc_line l"
            " LEFT JOIN doc_note n ON n.id = l.note_id"
        )
        for row, large, small, note, shown in rows:
            behind = None if note is None else {"id": note, "large": shown}
            yield {"id": row, "large": large, "small": small, "note_id": behind}


@pytest.fixture
def notes(pg_source: Source, tmp_path: Path) -> Iterator[Notes]:
    with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
        connection.execute(CATALOG + TABLES)
        line_ids = {"ttype": "one2many", "relation": "doc.line", "relation_field": "note_id"}
        char = dict.fromkeys(FIELDS, "char")
        written = {"write_date": "datetime", "write_uid": {"ttype": "many2one", "relation": "x"}}
        declare(connection, "doc.note", **char, **written, line_ids=line_ids)
        note_id = {"ttype": "many2one", "relation": "doc.note"}
        declare(connection, "doc.line", small="char", large="text", note_id=note_id)
        for number in range(1, ROWS + 1):
            connection.execute(
                f"INSERT INTO doc_note VALUES (%s, 'c', 'small', {LARGE}, {LARGE})",  # noqa: S608
                [number, *[number * 1000] * 2, *[number * 2000] * 2],
            )
            connection.execute(
                f"INSERT INTO doc_line VALUES (%s, 'small', {LARGE}, %s)",  # noqa: S608
                [number, *[number * 3000] * 2, number],
            )
        reads = {
            "doc.note": [*FIELDS, "line_ids.large"],
            "doc.line": ["small", "large", "note_id.large"],
        }
        captured = Captured(pg_source.dsn, pg_source.slot, tmp_path / "shadow", reads)
        yield Notes(pg_source, captured, connection, Told())


def begin(notes: Notes) -> None:
    notes.told.hear(notes.captured.begin())
    notes.judge()
    assert len(notes.told.of("doc.note")) == ROWS


@pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)
def test_law_4_a_large_value_that_is_left_alone_is_told_whole(notes: Notes, identity: str) -> None:
    """One case after the other: each begins with what the one before has left."""
    notes.connection.execute(f"ALTER TABLE doc_note REPLICA IDENTITY {identity}".encode())
    begin(notes)
    for name, statements in CASES.items():
        notes.connection.execute(
            b"DELETE FROM doc_note; INSERT INTO doc_note SELECT g, 'c', 'small',"
            b" repeat(md5(g::text), 300), repeat(md5(g::text || 'r'), 300)"
            b" FROM generate_series(1, 5) g; INSERT INTO doc_line SELECT g, 'small',"
            b" repeat(md5(g::text || 'l'), 300), g FROM generate_series(1, 5) g"
        )
        alone = [statements] if "$$" in statements or "printf" in statements else []
        for statement in alone or statements.split(";"):
            notes.connection.execute(statement.encode())
        try:
            notes.judge()
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error


def test_law_1_rows_whose_ids_have_changed_outlive_a_kill(notes: Notes) -> None:
    begin(notes)
    for statement in ("UPDATE doc_note SET id = id + 100", "DELETE FROM doc_note WHERE id = 103"):
        notes.connection.execute(statement.encode())
    notes.captured.kafka.left = 4
    done = len(notes.captured.kafka.values)
    with pytest.raises(Away):
        notes.captured.follow()
    first = notes.captured.kafka.values[done:]

    notes.captured.kafka.left = -1
    notes.judge()

    assert len(first) == 4
    assert notes.captured.kafka.values[done + 4 :][:4] == first


SELECTED: Final = Selection((), (Table("doc_note", (), ("code",), (), ()),), ())
PUBLISHED: Final = PublicationState("cdc", exists=True)


@pytest.mark.parametrize(
    ("columns", "refused"), [("id, code", False), ("code", True)], ids=["with the id", "without"]
)
def test_an_identity_that_does_not_tell_the_id_is_refused(
    notes: Notes, columns: str, *, refused: bool
) -> None:
    """Otherwise capture would stop at the table's first row."""
    for statement in (
        "UPDATE doc_note SET code = id::text",
        f"CREATE UNIQUE INDEX told ON doc_note ({columns})",
        "ALTER TABLE doc_note REPLICA IDENTITY USING INDEX told",
    ):
        notes.connection.execute(statement.encode())
    with Session.connect(notes.source.dsn) as session:
        found = tables.findings(gather(session, ["doc_note"]), SELECTED, PUBLISHED)
    assert [("USING INDEX over (code)" in each.message) for each in found] == [True] * refused
