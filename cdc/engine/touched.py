"""The documents that a transaction touched, with who changed them; many are put into the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from cdc.engine.keys import row_key, unpack_key
from cdc.engine.store import Store

_CROWD: Final = 25_000  # documents in memory

Writer = int | None  # a user; None: nobody knows who


class Touched:
    """The documents, by their model's rank and their id."""

    def __init__(self, store: Store) -> None:
        """Know none yet; `store` takes what is too many for memory."""
        self._store = store
        self._found: dict[bytes, tuple[Writer, ...]] = {}
        self._spilled = False

    def add(self, rank: int, rows: Iterable[int], writers: tuple[Writer, ...]) -> None:
        """Add documents of a model that a row shows up in, and who wrote the row."""
        for row in rows:
            key = row_key(rank, row)
            known = self._found.get(key)
            if known is not None:
                if known != writers:
                    self._found[key] = tuple({*known, *writers})
                continue
            if len(self._found) >= _CROWD:
                self._spill()
            self._found[key] = writers

    def in_order(self) -> Iterator[tuple[int, int, set[Writer]]]:
        """Yield (rank, id, writers) in the order of (model, id)."""
        if not self._spilled:
            for key in sorted(self._found):
                yield *unpack_key(key), set(self._found[key])
            return
        self._spill()
        for key, value in self._store.touched.scan():
            yield *unpack_key(key), set(json.loads(value))

    def _spill(self) -> None:
        touched = self._store.touched
        if not self._spilled:
            touched.clear()  # of an earlier transaction
        self._spilled = True
        for key, writers in self._found.items():
            known = touched.get(key)
            both = {*writers, *json.loads(known)} if known else writers
            touched.put(key, json.dumps([*both]).encode())
        self._found.clear()
