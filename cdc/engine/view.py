"""The rows of two moments: as the transaction at hand left them, and as it found them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cdc.engine.encode import Node, Own
from cdc.engine.fold import Fold
from cdc.engine.keys import index_key, row_key
from cdc.engine.plan import Plan
from cdc.engine.row import Entries
from cdc.engine.store import Store

_REMEMBERED: Final = 20_000  # rows, and rows' own parts
_LARGEST: Final = 16 * 1024 * 1024  # bytes of documents


class Owns:
    """Rows' own parts as they were encoded last: most rows of a document did not change."""

    def __init__(self) -> None:
        """Remember none."""
        self._owns: dict[int, tuple[bytes, Own]] = {}

    def own(self, node: Node, row: int, stored: bytes) -> Own:
        """Return `node.own(row, stored)`."""
        key = node.number << 64 | row
        known = self._owns.get(key)
        if known is not None and known[0] == stored:
            return known[1]
        made = node.own(row, stored)
        if len(self._owns) >= _REMEMBERED:
            self._owns.clear()
        self._owns[key] = stored, made
        return made


class Documents:
    """Documents as they were encoded last: before its next change, a document is still that.

    Only of models whose every shown row is followed: with one that is not, a document changes
    without being visited.
    """

    def __init__(self) -> None:
        """Remember none."""
        self._documents: dict[bytes, bytes] = {}
        self._size = 0

    def get(self, key: bytes) -> bytes | None:
        """Return the document of rank and id, None where it is not remembered."""
        return self._documents.get(key)

    def keep(self, key: bytes, document: bytes | None) -> None:
        """Remember what a document has become; None: the record is gone."""
        self._size -= len(self._documents.pop(key, b""))
        if document is None:
            return
        if self._size + len(document) > _LARGEST:
            self.forget()
        self._documents[key] = document
        self._size += len(document)

    def forget(self) -> None:
        """Forget all: rows have changed behind our back."""
        self._documents.clear()
        self._size = 0


class Now:
    """What holds. Forget it (`renew`) before the next change."""

    def __init__(self, store: Store, owns: Owns) -> None:
        """Read from `store`, each row once."""
        self.own = owns.own
        self._store = store
        self._rows: dict[bytes, bytes | None] = {}
        self._members: dict[bytes, Sequence[int]] = {}

    def renew(self) -> None:
        """Read everything again."""
        self._rows.clear()
        self._members.clear()

    def row(self, table: int, row: int) -> bytes | None:
        """Return a held row, or None."""
        return self.at(row_key(table, row))

    def at(self, key: bytes) -> bytes | None:
        """Return the row of a key, or None."""
        rows = self._rows
        if key in rows:
            return rows[key]
        if len(rows) >= _REMEMBERED:
            rows.clear()
        found = rows[key] = self._store.get(key)
        return found

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index has for a value, ascending."""
        return self.under(index_key(index, value))

    def under(self, key: bytes) -> Sequence[int]:
        """Return the ids under an index key."""
        known = self._members.get(key)
        if known is None:
            if len(self._members) >= _REMEMBERED:
                self._members.clear()
            known = self._members[key] = self._store.members(key)
        return known


class Then:
    """What held before the transaction's first change."""

    def __init__(self, fold: Fold, now: Now) -> None:
        """Differ from `now` in what `fold` remembers."""
        self.own = now.own
        self._fold = fold
        self._now = now

    def row(self, table: int, row: int) -> bytes | None:
        """Return the row as it was, or None."""
        key = row_key(table, row)
        changed, was = self._fold.before(key)
        return was if changed else self._now.at(key)

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index had for a value, ascending."""
        key = index_key(index, value)
        delta = self._fold.delta(key)
        ids = self._now.under(key)
        if not delta:
            return ids
        lost = [row for row, made in delta.items() if not made]
        return sorted([row for row in ids if row not in delta] + lost)


class Both:
    """What holds or held: the ways from a changed row to its documents (`reach.Ways`)."""

    def __init__(self, plan: Plan, fold: Fold, store: Store) -> None:
        """Look at the store and at what `fold` remembers."""
        self._rows = {plan.number: plan for plan in plan.rows}
        self._fold = fold
        self._store = store

    def members(self, index: int, value: int) -> Iterable[int]:
        """Return the ids that an index has or had for a value."""
        key = index_key(index, value)
        yield from self._store.each_member(key)
        for row, made in self._fold.delta(key).items():
            if not made:
                yield row

    def owners(self, table: int, row: int, entries: Entries) -> Iterable[int]:
        """Return the values that a row has or had."""
        key = row_key(table, row)
        changed, was = self._fold.before(key)
        for stored in {self._store.get(key), was if changed else None}:
            if stored is not None:
                value = entries.value(self._rows[table].layout.links_of(stored))
                if value is not None:
                    yield value
