"""What held when models began to wait: it is what was last published of them.

since rows    layer(2) table(2) id(8)             the row as it was, or that there was none
since index   layer(2) index(2) value(8) id(8)    `+` the entry was there, `-` it was not
due           model 0x00 id(8)                    layer(2): when the document was as last published

A layer is one moment: all models that begin to wait at once share it, and a later moment has
another. Of every row and entry the first change behind the moment is noted, for what it was; one
that is taken back leaves a note that is true still. A layer stays until no model needs it. The
name of a model is what configurations leave as it is, so it is the key, and not its rank.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from cdc.engine.keys import KEY_SIZE, number_of, pack_id, unpack_key
from cdc.engine.plan import PairPlan, Plan
from cdc.engine.store import Store, noted, row_of

_THERE: Final = b"+"
_ABSENT: Final = b"-"
_SIZE: Final = 2  # of a layer
_END: Final = b"\0"

Layers = tuple[bytes, ...]


class Entire(Protocol):
    """All that a transaction has changed (`Fold`)."""

    def changed_rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield (key, the row as it was) of every row that was written."""

    def changed_entries(self) -> Iterator[tuple[bytes, int, bool]]:
        """Yield (key, id, whether it was made) of every index entry that was made or taken."""


@dataclass(slots=True)
class Keeping:
    """Notes what is about to change, in the layers that need it."""

    store: Store
    tables: dict[int, Layers] = field(default_factory=dict)
    indexes: dict[int, Layers] = field(default_factory=dict)

    def begin(self, plan: Plan, layers: Mapping[str, Iterable[int]]) -> None:
        """Keep what the tables named are to be remembered by."""
        self.tables, self.indexes = {}, {}
        for name, numbers in layers.items():
            mine = tuple(map(_prefix, sorted(numbers)))
            table = plan.by_name[name]
            self.tables[table.number] = mine
            if isinstance(table, PairPlan):
                self.indexes |= {table.left: mine, table.right: mine}
            else:
                self.indexes |= {entries.index: mine for entries in table.layout.entries}

    def take(self, plan: Plan, tables: Iterable[str], layer: int, changed: Entire) -> None:
        """Begin a layer as of before what has just changed, in these tables."""
        known, self.tables, self.indexes = (self.tables, self.indexes), {}, {}
        self.begin(plan, dict.fromkeys(tables, (layer,)))
        for key, old in changed.changed_rows():
            self.row(key, old)
        for key, row, made in changed.changed_entries():
            self.entry(key, row, made=made)
        self.tables, self.indexes = known

    def row(self, key: bytes, old: bytes | None) -> None:
        """Note what a row is before it changes."""
        drawer = self.store.since_rows
        for layer in self.tables.get(number_of(key), ()):
            if drawer.get(layer + key) is None:
                drawer.put(layer + key, noted(old))

    def entry(self, key: bytes, row: int, *, made: bool) -> None:
        """Note whether an index entry was there before it changed."""
        drawer = self.store.since_index
        for layer in self.indexes.get(number_of(key), ()):
            at = layer + key + pack_id(row)
            if drawer.get(at) is None:
                drawer.put(at, _ABSENT if made else _THERE)


class Since:
    """What has changed since a layer began (`view.Past`)."""

    def __init__(self, plan: Plan, store: Store, layer: int) -> None:
        """Read what is noted; it may grow meanwhile."""
        self._pairs = plan.by_left_index
        self._layouts = plan.layouts
        self._store = store
        self._layer = _prefix(layer)

    def before(self, key: bytes) -> tuple[bool, bytes | None]:
        """Return whether a row was changed, and what it was then."""
        found = self._store.since_rows.get(self._layer + key)
        return (False, None) if found is None else (True, self._row(key, found))

    def delta(self, key: bytes) -> Mapping[int, bool]:
        """Return the ids that an index key did not have then (true), and those it had (false)."""
        scan = self._store.since_index.scan(self._layer + key)
        return {int.from_bytes(at[-8:], "big"): value == _ABSENT for at, value in scan}

    def changed_rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield (key, the row as it was) of every row that was changed, and is selected still."""
        for key, value in self._store.since_rows.scan(self._layer):
            if number_of(key[_SIZE:]) in self._layouts:
                yield key[_SIZE:], self._row(key[_SIZE:], value)

    def _row(self, key: bytes, value: bytes) -> bytes | None:
        """Return a row as it was, in the form that rows have since: fewer columns, if others."""
        row = row_of(value)
        return row and self._store.converted(key, row)

    def changed_pairs(self) -> Iterator[tuple[PairPlan, int, int]]:
        """Yield (table, left, right) of every pair that was made or taken."""
        for number, plan in sorted(self._pairs.items()):
            of_index = self._layer + number.to_bytes(2, "big")
            for key, _ in self._store.since_index.scan(of_index):
                _, left = unpack_key(key[_SIZE : _SIZE + KEY_SIZE])
                yield plan, left, int.from_bytes(key[_SIZE + KEY_SIZE :], "big")


def make_due(store: Store, model: str, rows: Iterable[int], layer: int) -> int:
    """Have documents published that are as they were last when a layer began; count them.

    Those that are due already stay so, with the older layer.
    """
    count, drawer = 0, store.due
    for row in rows:
        key = _due(model) + pack_id(row)
        if drawer.get(key) is None:
            drawer.put(key, _prefix(layer))
            count += 1
    return count


def due_since(store: Store, model: str, row: int) -> int | None:
    """Return the layer of a document that waits for its turn, None where it does not."""
    found = store.due.get(_due(model) + pack_id(row))
    return None if found is None else int.from_bytes(found, "big")


def due(store: Store, model: str) -> Iterator[tuple[int, int]]:
    """Yield (id, layer) of a model's due documents, in order."""
    for key, layer in store.due.scan(_due(model)):
        yield int.from_bytes(key[-8:], "big"), int.from_bytes(layer, "big")


def done(store: Store, model: str, rows: Iterable[int]) -> None:
    """Forget that documents are due."""
    for row in rows:
        store.due.delete(_due(model) + pack_id(row))


def keep_due(store: Store, models: Collection[str]) -> None:
    """Forget what is due of all but these models: nobody counts it, and its layer may be gone."""
    kept, drawer = {_due(model) for model in models}, store.due
    for key in [key for key, _ in drawer.scan() if key[: -len(pack_id(0))] not in kept]:
        drawer.delete(key)


def forget(store: Store) -> None:
    """Forget what was: no model waits, and none has documents that are due."""
    store.since_rows.clear()
    store.since_index.clear()
    store.due.clear()


def _prefix(layer: int) -> bytes:
    return layer.to_bytes(_SIZE, "big")


def _due(model: str) -> bytes:
    return model.encode() + _END
