"""What was applied, durably: one row for each chain and route, in SQLite.

A row tells the newest delivery that was applied, and the one that is begun: Odoo was asked for
it and is not known to have left everything as it was. A row is never lost behind our back:
`begin` is on disk before Odoo is asked.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, TextIO, cast

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable
from schemas.folder import made
from streams.applying.incoming import Incoming, Operation

NAME: Final = "applied.sqlite"
FORMAT: Final = 1
_ENDINGS: Final = frozenset(("leave", "delete"))
_PATIENCE: Final = 0.2  # seconds; nobody else writes, but for people who look into it
_LOST: Final = (
    "Without it the service begins anew: keys still prevent doubles, and old deliveries that come"
    " after newer ones may be written once."
)
_TABLES: Final = (
    """
    CREATE TABLE applied (
        chain TEXT NOT NULL,
        route TEXT NOT NULL,
        sequence TEXT NOT NULL,         -- the newest that was applied, '' where none was
        operation TEXT,
        target_id INTEGER,
        at REAL,                        -- UTC seconds
        begun TEXT,                     -- the newest that may have been applied, if it is newer
        begun_operation TEXT,
        before TEXT,                    -- the operation that `begun` came upon
        PRIMARY KEY (chain, route)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE odoo (url TEXT NOT NULL, database TEXT NOT NULL)",
    f"PRAGMA user_version = {FORMAT}",
)


class MemoryInUse(BadUsage):
    """Another service has this state folder."""

    hint = "Stop the other one, or give each target.yaml a `state:` of its own."


class MemoryDamaged(DataAtRisk):
    """What was applied cannot be read."""

    hint = f"Restore the file, or move it away and start the service. {_LOST}"


class NotRemembered(ServiceUnavailable):
    """What is applied cannot be written down, so nothing is applied."""

    hint = "Look at the disk of `state:` in target.yaml: is it full, or may it not be written to?"


class MemoryOfAnother(DataAtRisk):
    """What was applied went to another Odoo than target.yaml names."""

    hint = (
        "Give each Odoo a `state:` of its own. Is it the same Odoo at another address, move the"
        f" file away. {_LOST}"
    )


class Mark(NamedTuple):
    """A delivery that may have been applied, and the operation that it came upon."""

    sequence: str
    operation: Operation
    before: Operation | None


@dataclass(frozen=True, slots=True)
class Stale:
    """It, or a newer one, was applied or is begun; `target_id` of the newest that was applied."""

    target_id: int | None


@dataclass(frozen=True, slots=True)
class Begun:
    """It may be applied.

    `last` is the operation that the record has behind it, None where nothing is known; where it
    can be one of several, an ending (leave, delete) rather than another. `before` was begun
    before, and is what stands again where this one fails.
    """

    last: Operation | None
    before: Mark | None = None


class Memory:
    """The open file; for one thread at a time.

    `begin`, `done` and `failed` are called inside `together`.
    """

    def __init__(
        self,
        folder: Path,
        url: str = "",
        database: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open `folder`/applied.sqlite, made where there is none; `url` and `database` are Odoo's.

        Raises StateUnusable, MemoryInUse, MemoryDamaged, MemoryOfAnother.
        """
        self._path = made(folder) / NAME
        self._clock = clock
        self._lock = _locked(folder)
        try:
            self._db = self._opened((url, database))
            (count,) = self._db.execute("SELECT count(*) FROM applied").fetchone()
            self.rows = int(count)
        except sqlite3.Error as error:
            self._lock.close()
            raise MemoryDamaged(f"{self._path}: {error}") from error
        except DataAtRisk:
            self._lock.close()
            raise

    def close(self) -> None:
        """Close the file, and let another service have it."""
        self._db.close()
        self._lock.close()

    @property
    def bytes(self) -> int:
        """How large the file is, what is not yet moved into it included."""
        files = (self._path, self._path.with_name(f"{NAME}-wal"))
        return sum(each.stat().st_size for each in files if each.exists())

    @contextmanager
    def together(self) -> Iterator[None]:
        """Put what is done inside on disk at the end, or none of it.

        Raises NotRemembered where that cannot be, and MemoryDamaged.
        """
        rows = self.rows
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            self.rows = rows
            with suppress(sqlite3.Error):  # where nothing is begun, or it has given up by itself
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):  # the disk, not the file
                raise NotRemembered(f"{self._path} cannot be written to: {error}") from error
            if isinstance(error, sqlite3.Error):
                raise MemoryDamaged(f"{self._path}: {error}") from error
            raise

    def begin(self, delivery: Incoming) -> Stale | Begun:
        """Note that Odoo is to be asked, unless it is for nothing."""
        row = self._db.execute(
            "SELECT sequence, operation, target_id, begun, begun_operation, before"
            " FROM applied WHERE chain = ? AND route = ?",
            (delivery.chain, delivery.route),
        ).fetchone()
        if row is None:
            self._db.execute(
                "INSERT INTO applied (chain, route, sequence, begun, begun_operation)"
                " VALUES (?, ?, '', ?, ?)",
                (delivery.chain, delivery.route, delivery.sequence, delivery.operation),
            )
            self.rows += 1
            return Begun(None)
        sequence, operation, target_id, *begun = row
        mark = None if begun[0] is None else Mark(*begun)
        if delivery.sequence <= sequence or (mark and delivery.sequence < mark.sequence):
            return Stale(target_id)
        last = _last(cast("Operation | None", operation), mark, delivery.sequence)
        self._mark(delivery, Mark(delivery.sequence, delivery.operation, last))
        return Begun(last, mark)

    def done(self, delivery: Incoming, target_id: int | None) -> None:
        """Note that it was applied; `target_id` is the record's in Odoo."""
        self._db.execute(
            "UPDATE applied SET sequence = ?, operation = ?, target_id = ?, at = ?,"
            " begun = NULL, begun_operation = NULL, before = NULL WHERE chain = ? AND route = ?",
            (
                delivery.sequence,
                delivery.operation,
                target_id,
                self._clock(),
                delivery.chain,
                delivery.route,
            ),
        )

    def failed(self, delivery: Incoming, begun: Begun) -> None:
        """Note that Odoo is as it was; `begun` is what `begin` said."""
        self._mark(delivery, begun.before)
        gone = self._db.execute(
            "DELETE FROM applied"
            " WHERE chain = ? AND route = ? AND sequence = '' AND begun IS NULL",
            (delivery.chain, delivery.route),
        )
        self.rows -= gone.rowcount

    def _mark(self, delivery: Incoming, mark: Mark | None) -> None:
        self._db.execute(
            "UPDATE applied SET begun = ?, begun_operation = ?, before = ?"
            " WHERE chain = ? AND route = ?",
            (*(mark or (None, None, None)), delivery.chain, delivery.route),
        )

    def _opened(self, odoo: tuple[str, str]) -> sqlite3.Connection:
        fresh = not self._path.exists()
        # Its user is a thread of its own, which is not the one that opens it.
        db = sqlite3.connect(
            self._path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version == 0:
                _make(db, odoo)
            self._examine(db, odoo)
        except BaseException:
            db.close()
            raise
        if fresh:
            _sync(self._path.parent)
        return db

    def _examine(self, db: sqlite3.Connection, odoo: tuple[str, str]) -> None:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version != FORMAT:
            raise MemoryDamaged(
                f"{self._path} is of format {version}, and this program reads {FORMAT}"
            )
        (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise MemoryDamaged(f"{self._path}: {said}")
        known = db.execute("SELECT url, database FROM odoo").fetchone()
        if known != odoo:
            there = " at ".join(reversed(known)) if known else "an unknown Odoo"
            raise MemoryOfAnother(
                f"{self._path} tells what was applied to {there},"
                f" and target.yaml names {odoo[1]} at {odoo[0]}"
            )


def _make(db: sqlite3.Connection, odoo: tuple[str, str]) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in _TABLES:
        db.execute(statement)
    db.execute("INSERT INTO odoo VALUES (?, ?)", odoo)
    db.execute("COMMIT")


def _last(operation: Operation | None, mark: Mark | None, sequence: str) -> Operation | None:
    if mark is None:
        return operation
    if mark.sequence == sequence or (mark.before in _ENDINGS and mark.operation not in _ENDINGS):
        return mark.before
    return mark.operation


def _locked(folder: Path) -> TextIO:
    lock = (folder / "lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise MemoryInUse(f"{folder} is used by another service") from None
    return lock


def _sync(folder: Path) -> None:
    """Put the names in a folder on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
