"""One table of the shadow's open transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import lmdb


class LmdbDrawer:
    """One of them (`Drawer` of the engine)."""

    def __init__(self, txn: lmdb.Transaction, table: Any) -> None:
        """Read and write with a transaction that the shadow ends."""
        self._txn = txn
        self._table = table

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None."""
        return cast("bytes | None", self._txn.get(key, db=self._table))

    def put(self, key: bytes, value: bytes) -> None:
        """Write or replace a value."""
        self._txn.put(key, value, db=self._table)

    def delete(self, key: bytes) -> None:
        """Drop a key, if it is there."""
        self._txn.delete(key, db=self._table)

    def scan(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield keys that begin with `prefix` and are greater than `after`, in order."""
        with self._txn.cursor(db=self._table) as cursor:
            if not cursor.set_range(after + b"\0" if after else prefix):
                return
            for key, value in cast("Iterator[tuple[bytes, bytes]]", cursor):
                if not key.startswith(prefix):
                    return
                yield key, value

    def clear(self) -> None:
        """Drop everything."""
        self._txn.drop(self._table, delete=False)
