"""From a finished transaction to its events: one for each document that differs, in order.

Documents are visited in the order of (model, id) and only those that differ are counted, so a
transaction that is read again gives the same events under the same positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Final, NamedTuple

from cdc.engine import early, reach
from cdc.engine.datum import Images, Stamp, Writer
from cdc.engine.encode import zigzag
from cdc.engine.fold import Fold
from cdc.engine.keys import number_of, pack_id, row_key
from cdc.engine.plan import Plan, Root
from cdc.engine.records import Records
from cdc.engine.row import Links, differing, links_part, same
from cdc.engine.touched import Touched
from cdc.engine.view import Both, Now, Then

LARGEST: Final = 8 * 1024 * 1024 - 4096  # bytes; what Kafka takes, less its own part of a record
_PULSE: Final = 5_000  # changes between two pulses


class Made(NamedTuple):
    """One event: its model's rank, its record, the value of its Kafka record."""

    rank: int
    id: int
    value: bytes


class Events:
    """Makes events of a shadow's generation."""

    def __init__(
        self,
        plan: Plan,
        fold: Fold,
        generation: int,
        heads: Mapping[int, bytes],
        largest: int = LARGEST,
    ) -> None:
        """`heads` are marker and fingerprint of each root's schema, by rank."""
        self.ready: frozenset[int] = frozenset()
        """The ranks whose tables are complete: only their documents can be built."""
        self.awaited: frozenset[int] = frozenset()
        """The ranks whose early changes are noted, to be sent when they are complete."""
        self.pulse: Callable[[], object] = int
        """Called now and then while a large transaction is looked through."""
        self._plan = plan
        self._fold = fold
        self._store = fold.store
        self._generation = zigzag(generation)
        self._heads = heads
        self._largest = largest
        self._records = Records(plan.nodes)
        self._now = Now(fold.store, self._records)
        self._then = Then(fold, self._now, self._records)
        self._ways = Both(plan, fold, fold.store)

    def forget(self) -> None:
        """Remember nothing of the documents: rows have changed outside of transactions."""
        self._records.forget()

    def image(self, root: Root, row: int) -> bytes | None:
        """Return a document as it is, None where there is none."""
        return self._now.record(root.node, row)

    def of_transaction(self, stamp: Stamp) -> Iterator[Made]:
        """Yield the events of what the fold remembers."""
        self._records.begin()
        touched = self._visit()
        now, then, writer = self._now, self._then, None
        ordinals = count(1)
        for rank, row, writers in touched.in_order():
            root = self._plan.roots[rank]
            before, after = then.record(root.node, row), now.record(root.node, row)
            if before == after:
                continue
            table = root.node.table
            stored = now.row(table, row)
            written, was = self._fold.before(row_key(table, row))
            if stored is None:
                stored = was
            elif written:  # even if only its guards differ
                writers.update(self._plan.layouts[table].writers_of(stored))
            writer = writer or Writer(self._generation, stamp, self._largest)
            images = Images(before, after, stored, writers)
            value = writer.write(self._heads[rank], root, row, next(ordinals), images)
            yield Made(rank, row, value)

    def of_shadow(
        self, root: Root, rows: Iterable[int], stamp: Stamp, first: int = 1
    ) -> Iterator[Made]:
        """Yield documents as they are; of records that are gone, that they are gone.

        `first` is the first one's ordinal. A snapshot shows records for the first time; with
        any other mode what was before is not known.
        """
        now = self._now
        writer = Writer(self._generation, stamp, self._largest)
        for ordinal, row in enumerate(rows, first):
            images = Images(None, now.record(root.node, row), now.row(root.node.table, row))
            value = writer.write(self._heads[root.rank], root, row, ordinal, images)
            yield Made(root.rank, row, value)

    def take_early(self, root: Root) -> list[int]:
        """Return the documents that changed before their model was complete, and forget them.

        Rows are followed up again: what shows them may have been loaded since.
        """
        found = early.take_documents(self._store, root.rank)
        for table, row, key, other in early.changed(self._store):
            links = self._links(table, key) if other is None else [_pair(row, other)]
            for use in self._plan.uses[table]:
                if use.rank == root.rank:
                    starts = use.starts(row, links)
                    found |= reach.roots(use, starts, self._ways, self._records.mark)
        return sorted(found)

    def _links(self, table: int, key: bytes) -> list[Links]:
        stored = self._store.get(key)
        return [] if stored is None else [self._plan.layouts[table].links_of(stored)]

    def _visit(self) -> Touched:
        """Find every document that shows a changed row, with who changed it."""
        touched = Touched(self._store)
        ways, ready, mark = self._ways, self.ready, self._records.mark
        changes = chain(self._changed_rows(), self._changed_pairs())
        for number, (table, row, key, cells, links, writers) in enumerate(changes, 1):
            if not number % _PULSE:
                self.pulse()
            for use in self._plan.uses[table]:
                if not cells & use.cells:
                    continue
                if use.rank not in ready and use.rank not in self.awaited:
                    continue
                found = reach.roots(use, use.starts(row, links), ways, mark)
                if use.part >= 0:
                    mark(use.part, (row,))
                if use.rank in ready:
                    touched.add(use.rank, found, writers)
                else:
                    early.note(self._store, use.rank, found, key)
        return touched

    def _changed_rows(self) -> Iterator[_Change]:
        """Yield the rows that differ in more than their guards."""
        get = self._store.get
        for key, old in self._fold.changed_rows():
            new = get(key)
            if old == new:
                continue
            table = number_of(key)
            layout = self._plan.layouts[table]
            if old is None or new is None:
                cells = reach.ALL
            elif table in self._plan.told_apart:
                cells = differing(old, new)
            else:
                cells = 0 if same(old, new) else reach.ALL
            if not cells:
                continue
            links = [] if new is None else [layout.links_of(new)]
            if old is not None and (new is None or links_part(old) != links_part(new)):
                links.append(layout.links_of(old))
            writers = (None,) if new is None else layout.writers_of(new)
            yield table, int.from_bytes(key[2:], "big"), key, cells, links, writers

    def _changed_pairs(self) -> Iterator[_Change]:
        for plan, left, right in self._fold.changed_pairs():
            key = row_key(plan.number, left) + pack_id(right)
            yield plan.number, left, key, reach.ALL, [_pair(left, right)], ()


_Change = tuple[int, int, bytes, int, list[Links], tuple[int | None, ...]]
"""A row or pair that changed: table, row, key, which of its cells, its links, who wrote it.

The links are those that it has and, where they were others, those that it had.
"""


def _pair(left: int, right: int) -> Links:
    """Return a pair as links, in the order of its table's columns."""
    return [b"%d" % left, b"%d" % right]
