"""From a finished transaction to its events: one for each document that differs, in order.

Documents are visited in the order of (model, id) and only those that differ are counted, so a
transaction that is read again gives the same events under the same positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Final, NamedTuple

from cdc.engine import early, reach, since
from cdc.engine.changes import Change, changes, pair_links
from cdc.engine.datum import Images, Stamp, Writer
from cdc.engine.encode import zigzag
from cdc.engine.fold import Fold
from cdc.engine.keys import row_key
from cdc.engine.plan import Plan, Root
from cdc.engine.records import Records
from cdc.engine.row import Links
from cdc.engine.since import Since
from cdc.engine.spread import Spread
from cdc.engine.touched import Touched
from cdc.engine.view import Both, Kept, Now, Then
from schemas.event import Mode

LARGEST: Final = 8 * 1024 * 1024 - 4096  # bytes; what Kafka takes, less its own part of a record
_PULSE: Final = 5_000  # changes between two pulses
_RELIEF: Final = 50_000  # changes between two reliefs
LOOKED_AT: Final = 8 * 1024 * 1024  # bytes of rows or events: as much of the store is mapped


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
        ignorable: frozenset[int] = frozenset(),
        largest: int = LARGEST,
    ) -> None:
        """`heads` are marker and fingerprint of each root's schema, by rank.

        `ignorable` are the users whose writes some route ignores.
        """
        self.ready: frozenset[int] = frozenset()
        """The ranks whose tables are complete: only their documents can be built."""
        self.awaited: frozenset[int] = frozenset()
        """The ranks whose early changes are noted, to be sent when they are complete."""
        self.pulse: Callable[[], object] = int
        """Called now and then while a large transaction is looked through."""
        self.relieve: Callable[[], object] = int
        """Called between two changes of a large transaction, all of which is in the store.

        It may commit: what is not committed is in memory.
        """
        self._plan = plan
        self._fold = fold
        self._store = fold.store
        self._generation = zigzag(generation)
        self._heads = heads
        self._largest = largest
        self._records = Records(plan.nodes)
        self._now = Now(fold.store, self._records)
        self._then = Kept(fold, self._now, self._records)
        self._ways = Both(plan, fold, fold.store)
        self.spread = Spread(plan, fold, self._now, ignorable)

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
        self.spread.decide()
        now, writer = self._now, None
        ordinals = count(1)
        for rank, row, writers in touched.in_order():
            root = self._plan.roots[rank]
            then = self.spread.then(root, row, writers, self._then)
            if then is None:
                continue
            before, after = then.record(root.node, row), now.record(root.node, row)
            if before == after:
                continue
            table = root.node.table
            written, was = self._fold.before(row_key(table, row))
            stored = now.row(table, row)
            if stored is None:
                stored = was
            elif written:  # even if only its guards differ
                writers.update(self._plan.layouts[table].writers_of(stored))
            writer = writer or Writer(self._generation, stamp, self._largest)
            if then is not self._then:  # others have written it too
                writers.clear()
            images = Images(before, after, stored, writers)
            value = writer.write(self._heads[rank], root, row, next(ordinals), images)
            yield Made(rank, row, value)

    def of_shadow(
        self, root: Root, rows: Iterable[int], stamp: Stamp, first: int = 1
    ) -> Iterator[Made]:
        """Yield documents as they are; of records that are gone, that they are gone.

        `first` is the first one's ordinal.
        """
        now = self._now
        writer = Writer(self._generation, stamp, self._largest)
        for ordinal, row in enumerate(rows, first):
            images = Images(None, now.record(root.node, row), now.row(root.node.table, row))
            value = writer.write(self._heads[root.rank], root, row, ordinal, images)
            yield Made(root.rank, row, value)

    def make_due(self, root: Root, layer: int) -> int:
        """Have the documents published in their turn that differ since a layer began; count them.

        All that show a row or pair which differs: which of them do is seen then.
        """
        past = Since(self._plan, self._store, layer)
        ways = Both(self._plan, past, self._store)
        model, found = root.shape.model, 0
        for change in self._pulsing(changes(self._plan, self._store, past)):
            for use in self._plan.uses[change.table]:
                if use.rank == root.rank and change.cells & use.cells:
                    starts = use.starts(change.row, change.links)
                    rows = reach.roots(use, starts, ways, _unmarked)
                    found += since.make_due(self._store, model, rows, layer)
        return found

    def of_due(
        self, root: Root, documents: Sequence[tuple[int, int]], stamp: Stamp
    ) -> Iterator[Made]:
        """Yield what differs of due documents, (id, layer): as they were last, and as they are.

        Those that were put off are changes of the stream, whatever the stamp says.
        """
        layers = {layer for _, layer in documents}
        pasts = {layer: Since(self._plan, self._store, layer) for layer in layers}
        thens = {layer: Then(past, self._now) for layer, past in pasts.items()}
        put_off = stamp._replace(mode=Mode.STREAM)
        stamps = {layer: put_off if layer in self.spread.wide else stamp for layer in layers}
        writers = {n: Writer(self._generation, at, self._largest) for n, at in stamps.items()}
        ordinals = count(1)
        for row, layer in documents:
            before = thens[layer].record(root.node, row)
            after = self._now.record(root.node, row)
            if before == after:
                continue
            table = root.node.table
            stored = self._now.row(table, row) or thens[layer].row(table, row)
            images, head = Images(before, after, stored), self._heads[root.rank]
            value = writers[layer].write(head, root, row, next(ordinals), images)
            yield Made(root.rank, row, value)

    def take_early(self, root: Root) -> list[int]:
        """Return the documents that changed before their model was complete, and forget them.

        Rows are followed up again: what shows them may have been loaded since.
        """
        found = early.take_documents(self._store, root.rank)
        for table, row, key, other in early.changed(self._store):
            links = self._links(table, key) if other is None else [pair_links(row, other)]
            for use in self._plan.uses[table]:
                if use.rank == root.rank:
                    starts = use.starts(row, links)
                    found |= reach.roots(use, starts, self._ways, self._records.mark)
        return sorted(found)

    def _links(self, table: int, key: bytes) -> list[Links]:
        stored = self._store.get(key)
        return [] if stored is None else [self._plan.layouts[table].links_of(stored)]

    def _changes(self) -> Iterator[Change]:
        if self._fold.spilled:
            self._fold.spill()
        found = changes(self._plan, self._store, self._fold)
        for number, change in enumerate(self._pulsing(found), 1):
            if not number % _RELIEF and self._fold.spilled:
                self.relieve()
            yield change

    def _pulsing(self, found: Iterator[Change]) -> Iterator[Change]:
        """Pulse by the number of changes, and by what of the store was looked at for them."""
        looked_at = 0
        for number, change in enumerate(found, 1):
            looked_at += change.size
            if not number % _PULSE or looked_at > LOOKED_AT:
                looked_at = 0
                self.pulse()
            yield change

    def _visit(self) -> Touched:
        """Find every document that shows a changed row, with who changed it."""
        touched = Touched(self._store)
        self.spread.begin()
        ways, ready, mark = self._ways, self.ready, self._records.mark
        for table, row, key, cells, links, writers, _ in self._changes():
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
                    self.spread.reaches(use, len(found))
                else:
                    early.note(self._store, use.rank, found, key)
        return touched


def _unmarked(_node: int, _rows: Iterable[int]) -> None:
    """Keep the records that are kept: they were forgotten when the rows changed."""
