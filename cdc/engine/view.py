"""The records of two moments: as the transaction at hand left them, and as it found them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from cdc.engine.encode import Node, encode
from cdc.engine.keys import index_key, row_key
from cdc.engine.plan import Plan
from cdc.engine.records import UNKNOWN, UNMARKED, Records
from cdc.engine.row import Entries
from cdc.engine.store import Store


class Past(Protocol):
    """What was changed since a moment: by a transaction (`Fold`), or for longer (`Since`)."""

    def before(self, key: bytes) -> tuple[bool, bytes | None]:
        """Return whether a row was changed, and what it was then."""

    def delta(self, key: bytes) -> Mapping[int, bool]:
        """Return the ids that an index key did not have then (true), and those it had (false)."""


class Now:
    """What holds."""

    def __init__(self, store: Store, records: Records) -> None:
        """Read from `store` what is not kept."""
        self._store = store
        self._records = records
        self._kept = records.now

    def record(self, node: Node, row: int) -> bytes | None:
        """Return a record, or None where there is none."""
        if not node.kept:
            return encode(node, row, self)
        found = self._kept[node.number].get(row, UNKNOWN)
        if found is UNKNOWN:
            found = encode(node, row, self)
            self._records.keep(node.number, row, found)
        return found

    def row(self, table: int, row: int) -> bytes | None:
        """Return a held row, or None."""
        return self._store.get(row_key(table, row))

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index has for a value, ascending."""
        return self._store.members(index_key(index, value))


class Then:
    """What held at a moment."""

    def __init__(self, past: Past, now: Now) -> None:
        """Differ from `now` in what was changed since."""
        self._past = past
        self._now = now

    def record(self, node: Node, row: int) -> bytes | None:
        """Return a record as it was, or None where there was none."""
        return encode(node, row, self)

    def row(self, table: int, row: int) -> bytes | None:
        """Return the row as it was, or None."""
        changed, was = self._past.before(row_key(table, row))
        return was if changed else self._now.row(table, row)

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index had for a value, ascending."""
        delta = self._past.delta(index_key(index, value))
        ids = self._now.members(index, value)
        if not delta:
            return ids
        lost = [row for row, made in delta.items() if not made]
        return sorted([row for row in ids if row not in delta] + lost)


class Kept(Then):
    """What held before the transaction's first change: most of it is kept."""

    def __init__(self, past: Past, now: Now, records: Records) -> None:
        """Look at what is kept first."""
        super().__init__(past, now)
        self._records = records

    def record(self, node: Node, row: int) -> bytes | None:
        """Return a record as it was, or None where there was none."""
        if not node.kept:
            return encode(node, row, self)
        found = self._records.then[node.number].get(row, UNMARKED)
        if found is UNMARKED and self._records.apart:
            return self._now.record(node, row)
        if found is UNMARKED or found is UNKNOWN:
            found = encode(node, row, self)
            self._records.keep_then(node.number, row, found)
        return found


class Both:
    """What holds or held: the ways from a changed row to its documents (`reach.Ways`)."""

    def __init__(self, plan: Plan, past: Past, store: Store) -> None:
        """Look at the store and at what was changed since."""
        self._plan = plan
        self._past = past
        self._store = store

    def members(self, index: int, value: int) -> Iterable[int]:
        """Return the ids that an index has or had for a value."""
        key = index_key(index, value)
        yield from self._store.each_member(key)
        for row, made in self._past.delta(key).items():
            if not made:
                yield row

    def owners(self, table: int, row: int, entries: Entries) -> Iterable[int]:
        """Return the values that a row has or had."""
        key = row_key(table, row)
        layout = self._plan.layouts[table]
        changed, was = self._past.before(key)
        for stored in {self._store.get(key), was if changed else None}:
            if stored is not None:
                value = entries.value(layout.links_of(stored))
                if value is not None:
                    yield value
