"""The shadow's file: one LMDB environment, and one open write transaction, which is the epoch.

What an epoch wrote is readable at once and durable with its commit; an abort leaves nothing of
it. The environment is synced at every commit: an LSN may be confirmed to Postgres only then.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import lmdb

from cdc.engine.forms import Convert
from cdc.engine.holding import Dropped
from cdc.engine.keys import pack_id, unpack_key
from cdc.engine.undone import take_back
from cdc.shadow.drawer import LmdbDrawer
from cdc.shadow.folder import FILE, Lock
from cdc.shadow.length import cut_short
from cdc.shadow.mapped import Mapped
from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable

_MAP: Final = 1 << 40  # bytes of address space; the file grows as it is filled
_SMALL_MAP: Final = 1 << 34  # for systems that do not give that much
_MANY: Final = 1_000  # ids under one key that are not read at once
_DRAWERS: Final = (
    *("undo", "delta", "touched", "ahead", "early"),
    *("since_rows", "since_index", "due"),
)
_TABLES: Final = ("rows", "index", "meta", *_DRAWERS)


class ShadowInUse(BadUsage):
    """Another capture has this state folder."""

    hint = "Stop the other capture; each source needs a `state:` folder of its own."


class ShadowDamaged(DataAtRisk):
    """The shadow cannot be read."""

    hint = (
        "Move its folder below `state:` away; then `odoo-cdc capture --recover` loads everything"
        " again and sends it. What was deleted since it was damaged stays at the targets. Keep"
        " `state:` on a local disk, never on a network file system."
    )


class ShadowFull(ServiceUnavailable):
    """The disk that holds the shadow is full."""

    passing = False
    hint = "Make room on the disk of `state:`, then start capture again; nothing is lost."


class Shadow:
    """The store of one source; `Store` of the engine between `begin` and `commit`."""

    def __init__(self, folder: Path, lock: Lock | None = None) -> None:
        """Open the folder, made where there is none; `lock` is its lock where it was taken.

        A large transaction that a killed capture left half done is taken back. Raises
        ShadowInUse, ShadowDamaged, StateUnusable.
        """
        self.folder = folder
        self._lock = lock or Lock(folder)
        if not self._lock.take():
            self._lock.close()
            raise ShadowInUse(f"{folder} is used by another process")
        try:
            self._env = _open(folder)
            self._mapped = Mapped(folder / FILE)
            self._env.reader_check()  # a killed reader would keep pages from being used again
            self._tables: dict[str, Any] = {
                name: self._env.open_db(
                    name.encode(), dupsort=name == "index", dupfixed=name == "index"
                )
                for name in _TABLES
            }
        except lmdb.Error as error:
            self._lock.close()
            raise ShadowDamaged(f"{folder}: {error}") from error
        self._formers: Mapping[bytes, Convert] = {}
        self.begin()
        if take_back(self):
            self.commit()
            self.begin()

    def begin(self) -> None:
        """Begin an epoch."""
        tables = self._tables
        txn = self._txn = self._env.begin(write=True, db=tables["rows"])
        self._raw: Callable[[bytes], bytes | None] = txn.get
        self.get: Callable[[bytes], bytes | None]
        self.read_as(self._formers)
        self.put: Callable[[bytes, bytes], object] = txn.put
        self.delete: Callable[[bytes], object] = txn.delete
        self._cursor = txn.cursor(db=tables["index"])
        self._index = tables["index"]
        drawers = [LmdbDrawer(txn, tables[name]) for name in _DRAWERS]
        self.undo, self.delta, self.touched, self.ahead, self.early = drawers[:5]
        self.since_rows, self.since_index, self.due = drawers[5:]

    def read_as(self, formers: Mapping[bytes, Convert]) -> None:
        """Give rows of former forms in another one, by table and form, two bytes each.

        Holds for what is read from here on; nothing is open but the epoch that `begin` began.
        """
        self._formers = formers
        self.get = self._get_converted if formers else self._raw

    def _get_converted(self, key: bytes) -> bytes | None:
        stored = self._raw(key)
        return None if stored is None else self.converted(key, stored)

    def converted(self, key: bytes, stored: bytes) -> bytes:
        """Return, by its key, a row of a former form in the one that is wanted."""
        convert = self._formers.get(key[:2] + stored[:2])
        return stored if convert is None else convert(stored)

    def drop(self, what: Dropped, limit: int) -> bool:
        """Drop up to `limit` keys of a table's rows or of an index; say whether none is left."""
        prefix = what.number.to_bytes(2, "big")
        with self._txn.cursor(db=self._tables[what.kind]) as cursor:
            for _ in range(limit):
                if not cursor.set_range(prefix) or cursor.key()[:2] != prefix:
                    return True
                cursor.delete(dupdata=True)
        return False

    def commit(self) -> None:
        """Make the epoch durable. Raises ShadowFull; then nothing of it is left."""
        try:
            self._cursor.close()
            self._txn.commit()
            self.trim()
        except (lmdb.MapFullError, lmdb.DiskError) as error:
            raise ShadowFull(f"{self.folder}: {error}") from error

    def trim(self) -> None:
        """Let go of the file's pages where many are mapped; they count as memory until then."""
        self._mapped.trim()

    def abort(self) -> None:
        """Leave everything as it was."""
        with suppress(lmdb.Error):  # ended already
            self._cursor.close()
            self._txn.abort()

    def close(self) -> None:
        """Abort what is open and close the file."""
        self.abort()
        self._env.close()
        self._lock.close()

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it. Raises ShadowFull and ShadowDamaged for what LMDB has raised inside."""
        self.close()
        if isinstance(error, (lmdb.MapFullError, lmdb.DiskError)):
            raise ShadowFull(f"{self.folder}: {error}") from error
        if isinstance(error, lmdb.Error):
            raise ShadowDamaged(f"{self.folder}: {error}") from error

    @property
    def bytes_used(self) -> int:
        """How large the file is."""
        info = self._env.info()
        return int(info["last_pgno"] + 1) * int(self._env.stat()["psize"])

    def recall(self, name: str) -> dict[str, Any] | None:
        """Return a note that the shadow has of itself, None where it has none."""
        found = self._txn.get(name.encode(), db=self._tables["meta"])
        return None if found is None else json.loads(found)

    def note(self, name: str, note: Mapping[str, Any]) -> None:
        """Write a note; it is durable with the rows of the epoch."""
        self._txn.put(name.encode(), json.dumps(note).encode(), db=self._tables["meta"])

    def rows(self, table: int, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Yield (id, row) of a table behind an id, in order."""
        prefix = table.to_bytes(2, "big")
        with self._txn.cursor() as cursor:
            if not cursor.set_range(prefix + pack_id(after + 1)):
                return
            for key, value in cursor:
                if key[:2] != prefix:
                    return
                yield int.from_bytes(key[2:], "big"), self.converted(key, value)

    def last(self, table: int) -> int:
        """Return the highest id of a table, -1 where it has no row."""
        with self._txn.cursor() as cursor:
            if cursor.set_range((table + 1).to_bytes(2, "big")):
                found = cursor.prev()
            else:
                found = cursor.last()
            key = cursor.key() if found else b""
        return unpack_key(key)[1] if key[:2] == table.to_bytes(2, "big") else -1

    def entries(self, index: int, after: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Yield (value, id) of an index behind such a pair, in order."""
        value, row = after
        prefix = index.to_bytes(2, "big")
        with self._txn.cursor(db=self._index) as cursor:
            there = value >= 0 and cursor.set_range_dup(prefix + pack_id(value), pack_id(row + 1))
            if not there and not cursor.set_range(prefix + pack_id(value + 1)):
                return
            for key, found in cursor:
                if key[:2] != prefix:
                    return
                yield int.from_bytes(key[2:], "big"), int.from_bytes(found, "big")

    def members(self, key: bytes) -> Sequence[int]:
        """Return the ids under an index key, ascending."""
        cursor = self._cursor
        if not cursor.set_key(key):
            return ()
        return [int.from_bytes(value, "big") for value in cursor.iternext_dup()]

    def each_member(self, key: bytes) -> Iterable[int]:
        """Return them; very many come one by one, over a cursor of their own."""
        cursor = self._cursor
        if not cursor.set_key(key):
            return ()
        return self.members(key) if cursor.count() < _MANY else self._one_by_one(key)

    def _one_by_one(self, key: bytes) -> Iterator[int]:
        with self._txn.cursor(db=self._index) as cursor:
            if cursor.set_key(key):
                for value in cursor.iternext_dup():
                    yield int.from_bytes(value, "big")

    def add(self, key: bytes, row: int) -> bool:
        """Put an id under an index key; False where it was there."""
        return bool(self._txn.put(key, pack_id(row), dupdata=False, db=self._index))

    def remove(self, key: bytes, row: int) -> bool:
        """Take an id from an index key; False where it was not there."""
        return bool(self._txn.delete(key, pack_id(row), db=self._index))


def _open(folder: Path) -> lmdb.Environment:
    if why := cut_short(folder / FILE):
        raise lmdb.CorruptedError(why)
    for size in (_MAP, _SMALL_MAP):
        try:
            return lmdb.open(
                str(folder), map_size=size, max_dbs=len(_TABLES), max_readers=16, readahead=False
            )
        except (MemoryError, lmdb.MemoryError):
            if size == _SMALL_MAP:
                raise
    raise AssertionError
