"""Documents that one transaction shows in as they look its rows up: many are put off.

A country is renamed, and a million orders have another value. They are due since then (`since`),
and go out in portions; one that is changed itself before its turn takes it.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol

from cdc.engine import since
from cdc.engine.fold import Fold
from cdc.engine.keys import row_key
from cdc.engine.plan import Plan, Root
from cdc.engine.reach import Use
from cdc.engine.since import Since
from cdc.engine.view import Now, Then


class Book(Protocol):
    """What is due, and the moments that are remembered for it (`cdc.progress`)."""

    def begin_layer(self, layer: int) -> None:
        """Note that a moment is remembered; no other one has its number."""

    def spread(self, model: str, layer: int) -> None:
        """Note that one document more is due that a transaction shows in, since a layer."""


class Spread:
    """What the transaction at hand puts off, and which turns it takes.

    What it notes in the store and in its book may become durable at any moment, together; whose
    turn was taken is due until the transaction is done: read again, it makes the same events.
    """

    def __init__(self, plan: Plan, fold: Fold, now: Now, ignorable: frozenset[int]) -> None:
        """Put nothing off; `book` is set before anything may be.

        What `ignorable` users alone have written is told of at once, with their names.
        """
        self.widest = 0
        """So many documents of a model may look rows of a transaction up; 0: any number."""
        self.due: frozenset[int] = frozenset()
        """The ranks that have documents whose turn is yet to come."""
        self.layer, self.wide = 1, frozenset[int]()
        """What is put off gets this layer; of these layers is what was put off, not recovered."""
        self.book: Book
        self.taken: dict[str, list[int]] = {}
        """The documents whose turns were taken, by model."""
        self._plan, self._fold, self._now = plan, fold, now
        self._ignorable = ignorable
        self._found = Counter[int]()
        self._many: frozenset[int] = frozenset()

    def begin(self) -> None:
        """Come to another transaction."""
        self.taken, self._found, self._many = {}, Counter(), frozenset()

    def reaches(self, use: Use, documents: int) -> None:
        """Hear that a changed row shows in so many documents."""
        if use.spreads:
            self._found[use.rank] += documents

    def decide(self) -> None:
        """See which models have too many, and remember what these were before."""
        if not self.widest:
            return
        self._many = frozenset(rank for rank, many in self._found.items() if many > self.widest)
        if self._many:
            tables = {table for rank in self._many for table in self._plan.roots[rank].tables}
            self._fold.keeping.take(self._plan, tables, self.layer, self._fold)
            self.book.begin_layer(self.layer)

    def then(self, root: Root, row: int, writers: set[int | None], last: Then) -> Then | None:
        """Return what shows a document as it was last published, None where its turn comes yet.

        `last` shows it as it was before the transaction. One that is written itself takes its
        turn, if that was put off, and goes out like any where it was not.
        """
        rank, model, store = root.rank, root.shape.model, self._fold.store
        if rank not in self.due and rank not in self._many:
            return last
        written, _ = self._fold.before(row_key(root.node.table, row))
        layer = since.due_since(store, model, row) if rank in self.due else None
        if layer is not None:
            if not written or layer not in self.wide:
                return None
            self.taken.setdefault(model, []).append(row)
            return Then(Since(self._plan, store, layer), self._now)
        if written or rank not in self._many or self._are_ignorable(writers):
            return last
        since.make_due(store, model, (row,), self.layer)
        self.book.spread(model, self.layer)
        return None

    def _are_ignorable(self, writers: set[int | None]) -> bool:
        known = writers - {None}
        return bool(known) and known <= self._ignorable
