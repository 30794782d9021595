"""Which rows the stream has touched before their ranges were read.

A range that is read later holds such a row older than it is, or as it is: what the stream has said
of it stands.
"""

from __future__ import annotations

from cdc.engine.store import Store


class Ahead:
    """How far tables are loaded that are being loaded, and what is touched beyond."""

    def __init__(self, store: Store) -> None:
        """Everything is loaded."""
        self.frontiers: dict[int, tuple[int, ...] | None] = {}
        """The last key that is loaded of each table, None for nothing."""
        self.doubted: frozenset[int] = frozenset()
        """Those of them that are held already, and may be held older than they are."""
        self._store = store

    def note(self, table: int, row: tuple[int, ...], key: bytes) -> bool:
        """Note that the stream was there before the load; say whether what is held may be old."""
        if not self.is_ahead(table, row):
            return False
        doubtful = self.is_doubtful(table, row, key)
        self._store.ahead.put(key, b"")
        return doubtful

    def is_ahead(self, table: int, row: tuple[int, ...]) -> bool:
        """Say whether a row is still to be loaded."""
        if table not in self.frontiers:
            return False
        frontier = self.frontiers[table]
        return frontier is None or row > frontier

    def is_doubtful(self, table: int, row: tuple[int, ...], key: bytes) -> bool:
        """Say whether a row may be held as it was before the stream left something out."""
        may = table in self.doubted and self.is_ahead(table, row)
        return may and self._store.ahead.get(key) is None
