"""What a target was last sent of each record by each route: a file, read again for every use.

SQLite, without any care for crashes: whoever begins again writes another one. Memory holds some
pages of it, however many records there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, Self

_TABLES: Final = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8192;
    CREATE TABLE outcomes (id TEXT PRIMARY KEY, outcome INTEGER) WITHOUT ROWID;
    CREATE TABLE last (
        record INTEGER, route TEXT, sequence TEXT, standing INTEGER, digest BLOB,
        PRIMARY KEY (record, route)
    ) WITHOUT ROWID;
    CREATE TABLE facts (forgets INTEGER);
"""
UNKEPT: Final = (sqlite3.Error, OSError)
"""What is raised where a file cannot be used."""


class Outcome(IntEnum):
    """What has become of a delivery, as far as it matters here."""

    TAKEN = 0  # it has arrived, or is on its way and needs nobody
    FAILED = 1  # it has not, and will not


class Standing(IntEnum):
    """What a target was last told of a record."""

    GONE = 0  # that it is not, or no longer, for it
    HELD = 1  # its fields
    UNKNOWN = 2  # one of the two: nobody knows whether it has arrived


class Last(NamedTuple):
    """The latest delivery of a record and route that did not fail; `digest` of its fields."""

    standing: Standing
    digest: bytes


class Told(NamedTuple):
    """One delivery, as it stands in the send queue."""

    id: str
    record: int
    route: str
    sequence: str
    last: Last
    seen: bool  # a worker has had it: then its outcome is known, or is forgotten


class LastSent:
    """An open file. Raises UNKEPT where it cannot be used."""

    def __init__(self, path: Path) -> None:
        """Open a file that was filled."""
        self._db = sqlite3.connect(path, isolation_level=None)

    @classmethod
    def begin(cls, path: Path) -> Self:
        """Begin it anew."""
        path.unlink(missing_ok=True)
        made = cls(path)
        made._db.executescript(_TABLES)
        return made

    def note(self, outcomes: Iterable[tuple[str, Outcome | None]]) -> None:
        """Note what has become of deliveries, by id; None where that is forgotten.

        All of them are noted before the first one that was `told`.
        """
        self._db.execute("BEGIN")
        for name, outcome in outcomes:
            if outcome is None:
                self._db.execute("DELETE FROM outcomes WHERE id = ?", (name,))
            else:
                self._db.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (name, outcome))
        self._db.execute("COMMIT")

    def told(self, deliveries: Iterable[Told]) -> None:
        """Take in deliveries of a send queue, in any order: the highest sequence is the last."""
        self._db.execute("BEGIN")
        for each in deliveries:
            found = self._db.execute("SELECT outcome FROM outcomes WHERE id = ?", (each.id,))
            (outcome,) = found.fetchone() or (None if each.seen else Outcome.TAKEN,)
            if outcome == Outcome.FAILED:
                continue
            standing = Standing.UNKNOWN if outcome is None else each.last.standing
            self._db.execute(
                "INSERT INTO last VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                " sequence = excluded.sequence, standing = excluded.standing,"
                " digest = excluded.digest WHERE excluded.sequence > sequence",
                (each.record, each.route, each.sequence, standing, each.last.digest),
            )
        self._db.execute("COMMIT")

    def complete(self, *, forgets: bool) -> None:
        """Note that all is in it; `forgets`: the send queue has dropped some."""
        self._db.execute("DROP TABLE outcomes")
        self._db.execute("INSERT INTO facts VALUES (?)", (forgets,))

    @cached_property
    def forgets(self) -> bool:
        """Whether of a record that is not in it nobody knows if it was sent."""
        return bool(self._db.execute("SELECT forgets FROM facts").fetchone()[0])

    @property
    def highest(self) -> int:
        """The highest id of a record in it, -1 where there is none."""
        (found,) = self._db.execute("SELECT max(record) FROM last").fetchone()
        return -1 if found is None else int(found)

    def of(self, record: int) -> dict[str, Last]:
        """Return what is known of a record, by route."""
        rows = self._db.execute(
            "SELECT route, standing, digest FROM last WHERE record = ?", (record,)
        )
        return {route: Last(Standing(standing), digest) for route, standing, digest in rows}

    def records(self, after: int) -> Iterator[int]:
        """Yield the records behind an id, in order."""
        rows = self._db.execute(
            "SELECT DISTINCT record FROM last WHERE record > ? ORDER BY record", (after,)
        )
        yield from (record for (record,) in rows)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
