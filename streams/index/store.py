"""The file: one row for each delivery that any topic knows, and the words on them.

SQLite, in its write-ahead mode: who looks while another one reads on sees what was there before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, assert_never

from schemas.state import State
from streams.index.merged import Merged, Told
from streams.index.records import Kind, Read, said, told, words_in
from streams.index.row import TROUBLE, Counts, Row, Wanted
from streams.index.tables import FORMAT, SELECT, TABLES, TIMES, WRITE, merged_of, values_of, where

_CACHE: Final = 65_536  # KiB of pages that SQLite keeps
_SOME: Final = 1000  # rows in memory at a time
_PATIENCE: Final = 30.0  # seconds for another one's write
Reach = tuple[int, str]  # the offset to go on from, the topic's own id


@dataclass(frozen=True, slots=True)
class Known:
    """One delivery as `trace` shows it; words with their times in UTC seconds, as text."""

    row: Row
    superseded_by: str | None
    order: int | None
    steps: tuple[Told, ...]
    words: tuple[tuple[float, str], ...]


class Unfit(Exception):
    """The file is of another format."""


class Index:
    """An open file. Raises sqlite3.Error where it cannot be used."""

    def __init__(self, path: str) -> None:
        """Open it, made where there is none; Unfit where it is of another format."""
        self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version == 0:
            self._db.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif version != FORMAT:
            self._db.close()
            raise Unfit(f"format {version}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def reach(self, topic: str, partition: int) -> tuple[int, str]:
        """Return the offset up to which a partition is read, and the topic's own id then."""
        found = self._db.execute(
            "SELECT next, topic_id FROM reach WHERE topic = ? AND partition = ?",
            (topic, partition),
        ).fetchone()
        return found or (0, "")

    def seen(self) -> float | None:
        """Return when it was last up to date, in UTC seconds; None where it never was."""
        found = self._db.execute("SELECT next FROM reach WHERE topic = ''").fetchone()
        return None if found is None else float(found[0])

    def see(self, now: float) -> None:
        """Note that it is up to date."""
        self._db.execute("INSERT OR REPLACE INTO reach VALUES ('', 0, ?, '')", (now,))

    def take(
        self,
        kind: Kind,
        topic: str,
        partition: int,
        records: Iterable[Read],
        reach: tuple[int, str],
    ) -> None:
        """Take in what was read of a partition, all of it or nothing.

        `reach` is the offset to go on from, and the topic's own id.
        """
        with self._writing():
            if kind is Kind.RESPONSES:
                self._hear(partition, records)
            else:
                self._merge(kind, partition, records)
            self._db.execute(
                "INSERT OR REPLACE INTO reach VALUES (?, ?, ?, ?)", (topic, partition, *reach)
            )

    def age(self, kind: Kind, partition: int, start: int) -> None:
        """Forget what a topic has dropped: everything before an offset."""
        with self._writing():
            match kind:
                case Kind.RESPONSES:
                    self._db.execute(
                        "DELETE FROM words WHERE partition = ? AND place < ?", (partition, start)
                    )
                case Kind.LEDGER:
                    self._drop("place", partition, start, Merged.forgotten)
                case Kind.DEAD:
                    self._drop("letter", partition, start, Merged.unburied)
                case Kind.RETRIES:
                    pass  # compacted: what is gone has a tombstone
                case _:
                    assert_never(kind)

    def counts(self) -> dict[str, Counts]:
        """Return how many unsettled deliveries each target has, by state."""
        found: dict[str, Counts] = {}
        for target, state, final, number, oldest in self._db.execute(
            "SELECT target, state, final, count(*), min(waits) FROM deliveries WHERE unsettled"
            " GROUP BY target, state, final"
        ):
            counts = found.setdefault(target, Counts())
            counts.add(State(state), number, None if final else oldest)
        return found

    def given_up(self, before: float) -> dict[str, int]:
        """Return how many of each target are dead or rejected that came before a time."""
        names = ", ".join(f"'{state.value}'" for state in TROUBLE)
        query = (
            f"SELECT target, count(*) FROM deliveries WHERE unsettled AND state IN ({names})"
            " AND final AND coalesce(queued, since) < ? GROUP BY target ORDER BY target"
        )
        return dict(self._db.execute(query, (before,)).fetchall())

    def rows(self, wanted: Wanted, now: float, limit: int) -> tuple[int, list[Row]]:
        """Return how many rows are asked for, and the oldest of them."""
        condition, values = where(wanted, now)
        query = f"SELECT count(*) FROM deliveries WHERE {condition}"
        (number,) = self._db.execute(query, values).fetchone()
        query = f"{SELECT} WHERE {condition} ORDER BY since, id LIMIT ?"
        rows = (merged_of(each).row for each in self._db.execute(query, (*values, limit)))
        return number, [row for row in rows if row is not None]

    def has(self, delivery_id: str) -> bool:
        """Say whether any worker has seen a delivery."""
        query = "SELECT 1 FROM deliveries WHERE id = ?"
        return self._db.execute(query, (delivery_id,)).fetchone() is not None

    def steps(self, since: float) -> dict[tuple[str, str], dict[str, int]]:
        """Return how many deliveries took which step since a time, by (route, target).

        The steps are the names of TIMES.
        """
        counted = ", ".join(f"sum({name} >= ?1)" for name in TIMES)
        query = (
            f"SELECT route, target, {counted} FROM deliveries WHERE written >= ?1 GROUP BY 1, 2"
        )
        return {
            (route, target): dict(zip(TIMES, (each or 0 for each in numbers), strict=True))
            for route, target, *numbers in self._db.execute(query, (since,))
        }

    def chain(self, chain: str) -> list[Known]:
        """Return the deliveries of a chain, by id."""
        found = []
        query = f"{SELECT} WHERE id >= ? AND id < ? ORDER BY id"
        for each in self._db.execute(query, (f"{chain}/", f"{chain}0")).fetchall():
            merged = merged_of(each)
            if merged.row is not None:
                found.append(_known(merged, merged.row, self._words(merged.id)))
        return found

    def _words(self, delivery_id: str) -> tuple[tuple[float, str], ...]:
        query = "SELECT at, said FROM words WHERE id = ? ORDER BY partition, place, number"
        return tuple(self._db.execute(query, (delivery_id,)).fetchall())

    def _merge(self, kind: Kind, partition: int, records: Iterable[Read]) -> None:
        touched: dict[str, Merged] = {}
        for record in records:
            found = told(kind, record)
            if found is None:
                continue
            name, change = found
            if name not in touched:
                touched[name] = self._load(name) or Merged(name, partition)
            change(touched[name])
        for each in touched.values():
            self._save(each)

    def _hear(self, partition: int, records: Iterable[Read]) -> None:
        rows = [
            (partition, record.offset, number, word.id, record.written, said(word))
            for record in records
            for number, word in enumerate(words_in(record))
        ]
        self._db.executemany("INSERT OR REPLACE INTO words VALUES (?, ?, ?, ?, ?, ?)", rows)

    def _drop(
        self, column: str, partition: int, start: int, drop: Callable[[Merged], None]
    ) -> None:
        """Drop what a column says stands before an offset, some at a time."""
        query = f"{SELECT} WHERE partition = ? AND {column} < ? LIMIT {_SOME}"
        while found := self._db.execute(query, (partition, start)).fetchall():
            for merged in map(merged_of, found):
                drop(merged)
                self._save(merged)

    def _load(self, name: str) -> Merged | None:
        found = self._db.execute(f"{SELECT} WHERE id = ?", (name,)).fetchone()
        return None if found is None else merged_of(found)

    def _save(self, merged: Merged) -> None:
        row = merged.row
        if row is None:
            self._db.execute("DELETE FROM deliveries WHERE id = ?", (merged.id,))
            return
        self._db.execute(WRITE, values_of(merged, row))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:  # raised on; nothing of it stays
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _known(merged: Merged, row: Row, words: tuple[tuple[float, str], ...]) -> Known:
    return Known(row, merged.superseded_by, merged.order, merged.journey, words)
