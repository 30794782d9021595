"""From a finished transaction to its events: one for each document that differs, in order.

Documents are visited in the order of (model, id) and only those that differ are counted, so a
transaction that is read again gives the same events under the same positions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Final

from cdc.engine import reach
from cdc.engine.encode import ABSENT, PRESENT, encode, plain_text, timestamp, zigzag
from cdc.engine.fold import Fold
from cdc.engine.keys import KEY_SIZE, pack_id, row_key, unpack_key
from cdc.engine.plan import Plan, Root
from cdc.engine.row import Links, guards_of, same
from cdc.engine.store import Store
from cdc.engine.view import Both, Documents, Now, Owns, Then
from schemas.event import Mode

LARGEST: Final = 8 * 1024 * 1024 - 4096  # bytes; what Kafka takes, less its own part of a record
_CROWD: Final = 50_000  # documents in memory
_PULSE: Final = 5_000  # changes between two pulses
_TRUE, _FALSE = b"\x01", b"\x00"
_DOCUMENT: Final = b"d"  # in the drawer for what came early: rank and id ...
_ROW: Final = b"r"  # ... and table and id

Writers = AbstractSet[int | None]


@dataclass(frozen=True, slots=True)
class Stamp:
    """When and why; `lsn` is the commit's or the mark's, `time` in ISO 8601, UTC."""

    lsn: int
    time: str
    transaction: int | None = None
    mode: Mode = Mode.STREAM


@dataclass(frozen=True, slots=True)
class Made:
    """One event: its model's rank, its record, the value of its Kafka record."""

    rank: int
    id: int
    value: bytes


class Events:
    """Makes events of a shadow's generation."""

    def __init__(
        self, plan: Plan, generation: int, heads: Mapping[int, bytes], largest: int = LARGEST
    ) -> None:
        """`heads` are marker and fingerprint of each root's schema, by rank."""
        self.ready: frozenset[int] = frozenset()
        """The ranks whose tables are complete: only their documents can be built."""
        self.awaited: frozenset[int] = frozenset()
        """The ranks whose early changes are noted, to be sent when they are complete."""
        self.pulse: Callable[[], object] = int
        """Called now and then while a large transaction is looked through."""
        self._plan = plan
        self._heads = {rank: head + zigzag(generation) for rank, head in heads.items()}
        self._largest = largest
        self._layouts = {rows.number: rows.layout for rows in plan.rows}
        self._owns = Owns()
        self._documents = Documents()

    def forget(self) -> None:
        """Remember nothing of the documents: rows have changed outside of transactions."""
        self._documents.forget()

    def of_transaction(self, fold: Fold, stamp: Stamp) -> Iterator[Made]:
        """Yield the events of what `fold` remembers."""
        touched = self._visit(fold)
        now = Now(fold.store, self._owns)
        then = Then(fold, now)
        ordinals = count(1)
        for rank, row, writers in touched.in_order():
            root = self._plan.roots[rank]
            after = encode(root.node, row, now)
            key = row_key(rank, row)
            before = self._documents.get(key) if root.followed else None
            if before is None:
                before = encode(root.node, row, then)
            self._documents.keep(key, after)
            if before == after:
                continue
            stored = now.row(root.node.table, row)
            written, _ = fold.before(row_key(root.node.table, row))
            if stored is None:
                stored = then.row(root.node.table, row)
            elif written:  # also where a touch changed nothing but its guards
                writers.update(self._layouts[root.node.table].writers_of(stored))
            images = _Images(before, after, stored, writers)
            yield self._made(root, row, stamp, next(ordinals), images)

    def of_shadow(
        self, root: Root, rows: Iterable[int], store: Store, stamp: Stamp, first: int = 1
    ) -> Iterator[Made]:
        """Yield documents as they are; of records that are gone, that they are gone.

        `first` is the first one's ordinal. A snapshot shows records for the first time; with
        any other mode what was before is not known.
        """
        now = Now(store, self._owns)
        known = stamp.mode is Mode.SNAPSHOT
        for ordinal, row in enumerate(rows, first):
            after, stored = encode(root.node, row, now), now.row(root.node.table, row)
            images = _Images(None, after, stored, known=known)
            yield self._made(root, row, stamp, ordinal, images)

    def take_early(self, root: Root, fold: Fold) -> list[int]:
        """Return the documents that changed before their model was complete, and forget them.

        Rows are followed up again: what shows them may have been loaded since.
        """
        early, ways = fold.store.early, Both(self._plan, fold, fold.store)
        prefix = _DOCUMENT + root.rank.to_bytes(2, "big")
        documents = [key for key, _ in early.scan(prefix)]
        found = {unpack_key(key[1:])[1] for key in documents}
        for key, _ in early.scan(_ROW):
            table, row = unpack_key(key[1 : 1 + KEY_SIZE])
            links = self._links(table, row, key[1:], fold.store)
            for use in self._plan.uses[table]:
                if use.rank == root.rank:
                    found |= reach.roots(use.climb, _starts(use, row, links), ways)
        for key in documents:
            early.delete(key)
        return sorted(found)

    def _links(self, table: int, row: int, key: bytes, store: Store) -> list[Links]:
        if len(key) > KEY_SIZE:
            return [_pair(row, int.from_bytes(key[KEY_SIZE:], "big"))]
        stored = store.get(key)
        return [] if stored is None else [self._layouts[table].links_of(stored)]

    def _visit(self, fold: Fold) -> _Touched:
        """Find every document that shows a changed row, with who changed it."""
        touched = _Touched(fold.store)
        ways = Both(self._plan, fold, fold.store)
        changes = chain(self._changed_rows(fold), self._changed_pairs(fold))
        for number, change in enumerate(changes, 1):
            if not number % _PULSE:
                self.pulse()
            for use in self._plan.uses[change.table]:
                if use.rank not in self.ready and use.rank not in self.awaited:
                    continue
                starts = _starts(use, change.row, change.links)
                found = reach.roots(use.climb, starts, ways)
                if use.rank in self.ready:
                    for row in found:
                        touched.add(use.rank, row, change.writers)
                else:
                    _note_early(fold.store, use.rank, found, change.key)
        return touched

    def _changed_rows(self, fold: Fold) -> Iterator[_Change]:
        """Yield the rows that differ in more than their guards."""
        get = fold.store.get
        for table, row, old in fold.changed_rows():
            key = row_key(table, row)
            new = get(key)
            if old == new or (old is not None and new is not None and same(old, new)):
                continue
            layout = self._layouts[table]
            writers = {None} if new is None else layout.writers_of(new)
            links = [layout.links_of(each) for each in (old, new) if each is not None]
            yield _Change(table, row, key, links, writers)

    def _changed_pairs(self, fold: Fold) -> Iterator[_Change]:
        for plan, left, right in fold.changed_pairs():
            key = row_key(plan.number, left) + pack_id(right)
            yield _Change(plan.number, left, key, [_pair(left, right)], frozenset())

    def _made(self, root: Root, row: int, stamp: Stamp, ordinal: int, images: _Images) -> Made:
        """Write one event; one that Kafka would not take goes without its images."""
        value = self._datum(root, row, stamp, ordinal, images)
        if len(value) > self._largest:
            value = self._datum(root, row, stamp, ordinal, images.dropped(len(value)))
        return Made(root.rank, row, value)

    def _datum(self, root: Root, row: int, stamp: Stamp, ordinal: int, images: _Images) -> bytes:
        """Return marker, fingerprint and datum, field by field as `schemas.avro.event_schema`."""
        date, uid = _guards(root, images.stored)
        writers = sorted(images.writers, key=lambda one: (one is not None, one))
        return b"".join(
            [
                self._heads[root.rank],
                zigzag(stamp.lsn),
                zigzag(ordinal),
                plain_text(stamp.mode.encode()),
                zigzag(row),
                plain_text(stamp.time.encode()),
                _number(stamp.transaction),
                _TRUE if images.known else _FALSE,
                ABSENT if images.before is None else PRESENT + images.before,
                ABSENT if images.after is None else PRESENT + images.after,
                ABSENT if date is None else timestamp(date),
                _number(uid),
                *([zigzag(len(writers)), *map(_number, writers)] if writers else ()),
                ABSENT,
                _number(images.oversize),
            ]
        )


@dataclass(frozen=True, slots=True)
class _Change:
    """A row or pair that changed: the links that it had and has, and who wrote it."""

    table: int
    row: int
    key: bytes
    links: list[Links]
    writers: Writers


@dataclass(frozen=True, slots=True)
class _Images:
    """What an event shows; `stored` is the root's row, for its guards."""

    before: bytes | None
    after: bytes | None
    stored: bytes | None
    writers: Writers = frozenset()
    known: bool = True  # what was before
    oversize: int | None = None

    def dropped(self, size: int) -> _Images:
        """Return it without its images."""
        return replace(self, before=None, after=None, oversize=size)


class _Touched:
    """The documents that a transaction touched; many of them are put into the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[bytes, set[int | None]] = {}
        self._spilled = False

    def add(self, rank: int, row: int, writers: Writers) -> None:
        key = row_key(rank, row)
        known = self._found.get(key)
        if known is not None:
            known |= writers
            return
        if len(self._found) >= _CROWD:
            self._spill()
        self._found[key] = set(writers)

    def in_order(self) -> Iterator[tuple[int, int, set[int | None]]]:
        """Yield (rank, id, writers) in the order of (model, id)."""
        if not self._spilled:
            for key in sorted(self._found):
                yield *unpack_key(key), self._found[key]
            return
        self._spill()
        for key, value in self._store.touched.scan():
            yield *unpack_key(key), set(json.loads(value))

    def _spill(self) -> None:
        self._spilled = True
        touched = self._store.touched
        for key, writers in self._found.items():
            known = touched.get(key)
            both = writers | set(json.loads(known)) if known else writers
            touched.put(key, json.dumps(list(both)).encode())
        self._found.clear()


def _starts(use: reach.Use, row: int, links: Iterable[Links]) -> set[int]:
    """Return where a climb starts: at the row, or at the records that it belonged to."""
    if isinstance(use.start, reach.Whole):
        return {row}
    values = (use.start.entries.value(each) for each in links)
    return {value for value in values if value is not None}


def _pair(left: int, right: int) -> Links:
    """Return a pair as links, in the order of its table's columns."""
    return [b"%d" % left, b"%d" % right]


def _note_early(store: Store, rank: int, documents: Iterable[int], changed: bytes) -> None:
    for row in documents:
        store.early.put(_DOCUMENT + row_key(rank, row), b"")
    store.early.put(_ROW + changed, b"")


def _guards(root: Root, stored: bytes | None) -> tuple[bytes | None, int | None]:
    if stored is None:
        return None, None
    guards = guards_of(stored)
    date = guards[root.write_date] if root.write_date >= 0 else None
    uid = guards[root.write_uid] if root.write_uid >= 0 else None
    return date, None if uid is None else int(uid)


def _number(value: int | None) -> bytes:
    return ABSENT if value is None else PRESENT + zigzag(value)
