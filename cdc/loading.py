"""Loading the shadow: tables in key ranges, each behind a mark, while the stream goes on.

A range is read over a second connection, then a mark is written into the WAL. When the stream
has come to the mark, everything that the range may have seen has been handled: rows that the
stream touched since the load began keep what the stream said, the others are taken over. No
lock, no pinned snapshot, no WAL held back; a kill resumes at the last range.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Protocol

from cdc.engine import early
from cdc.engine.fold import Fold
from cdc.engine.keys import KEY_SIZE, index_key, pack_id, row_key, unpack_key
from cdc.engine.plan import PairPlan, Plan, RowPlan, TablePlan
from cdc.engine.row import cells_of, compared_at
from cdc.engine.split import UNCHANGED, cells_of_values
from cdc.engine.store import Store
from cdc.progress import Frontier, Progress

PREFIX: Final = "odoo_cdc"  # of our marks
ROWS: Final = 5_000  # in one range
_EMPTY: Final = b""


class Rows(Protocol):
    """A range of a table's rows in the order of the key."""

    @property
    def rows(self) -> Sequence[Sequence[bytes | None]]:
        """The cells as pgoutput sends them."""

    @property
    def last(self) -> tuple[int, ...] | None:
        """The last key, None at the table's end."""


class Reader(Protocol):
    """The second connection."""

    def read(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        after: Frontier,
        limit: int,
        where: tuple[str, frozenset[str]] | None = None,
    ) -> Rows:
        """Read up to `limit` rows behind a key."""

    def emit_mark(self, prefix: str, content: bytes | str) -> int:
        """Write a mark into the WAL."""


@dataclass(frozen=True, slots=True)
class RangeRead:
    """A range whose mark is in the WAL."""

    plan: TablePlan
    range: Rows


@dataclass(frozen=True, slots=True)
class Portion:
    """So many of a model's documents may be published at this mark."""

    model: str
    documents: int


@dataclass(frozen=True, slots=True)
class Piece:
    """So many documents of a resend may be published at this mark."""

    job: str
    documents: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was committed before this mark has come."""


Marked = RangeRead | Portion | Piece | CaughtUp


class Marks:
    """Work that ends in a mark, done beside the stream; what a mark means is remembered here."""

    def __init__(self, reader: Reader) -> None:
        """Do nothing yet."""
        self._reader = reader
        self._meanings: dict[bytes, Marked] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._busy: Future[None] | None = None
        self._unseen: bytes = _EMPTY

    @property
    def idle(self) -> bool:
        """Whether nothing is being read and no mark is on its way. Raises what went wrong."""
        if self._busy is not None and self._busy.done():
            self._busy.result()
            self._busy = None
        return self._busy is None and not self._unseen

    def read(self, plan: TablePlan, after: Frontier) -> None:
        """Read a range and write its mark."""
        self._begin(lambda: RangeRead(plan, self._range(plan, after)))

    def mark(self, meaning: Marked) -> None:
        """Write a mark."""
        self._begin(lambda: meaning)

    def take(self, content: bytes) -> Marked | None:
        """Return what a mark means that the stream came to; None for one of a former life."""
        found = self._meanings.pop(content, None)
        if content == self._unseen:
            self._unseen = _EMPTY
        return found

    def forget(self) -> None:
        """Wait for what is being done, and forget all marks: the stream begins again."""
        if self._busy is not None:
            self._busy.exception()
        self._busy = None
        self._meanings.clear()
        self._unseen = _EMPTY

    def close(self) -> None:
        """End the thread."""
        self._worker.shutdown()

    def _begin(self, work: _Work) -> None:
        token = secrets.token_hex(16).encode()
        self._unseen = token
        self._busy = self._worker.submit(self._do, token, work)

    def _do(self, token: bytes, work: _Work) -> None:
        self._meanings[token] = work()
        self._reader.emit_mark(PREFIX, token)

    def _range(self, plan: TablePlan, after: Frontier) -> Rows:
        where = None
        if isinstance(plan, RowPlan) and plan.table.only:
            where = plan.table.model_column, plan.table.only
        return self._reader.read(plan.name, plan.read, plan.loaded_by, after, ROWS, where)


class _Work(Protocol):
    def __call__(self) -> Marked: ...


def frontiers(plan: Plan, progress: Progress) -> dict[int, Frontier]:
    """Return how far each table is loaded, by its number; complete ones are left out."""
    return {plan.by_name[name].number: key for name, key in progress.frontiers.items()}


def take_over(read: RangeRead, fold: Fold, ranks: Iterable[int], progress: Progress) -> None:
    """Put a range into the store, at its mark; rows that the stream touched win.

    `ranks` are the models whose records stand in the table.
    """
    plan, last = read.plan, read.range.last
    if last is None:
        fold.frontiers.pop(plan.number, None)
    else:
        fold.frontiers[plan.number] = last
    if isinstance(plan, RowPlan):
        _take_rows(plan, read.range.rows, fold, again=plan.name in progress.again)
    else:
        _take_pairs(plan, read.range.rows, fold)
    for key in _reached(plan, last, fold.store):
        _settle(plan, key, ranks, fold.store)
    fold.finish()
    progress.loaded(plan.name, last)


def _take_rows(
    plan: RowPlan, rows: Iterable[Sequence[bytes | None]], fold: Fold, *, again: bool
) -> None:
    store = fold.store
    for cells in map(cells_of_values, rows):
        row = int(cells[0][5:])
        key = row_key(plan.number, row)
        if store.ahead.get(key) is None:
            fold.put(plan, row, cells)
        elif (held := store.get(key)) is not None and _is_partial(held):
            fold.write(plan, row, key, held, plan.layout.fill(held, cells))
        if again:
            _rewrite(plan, row, key, store)


def _rewrite(plan: RowPlan, row: int, key: bytes, store: Store) -> None:
    """Write a held row in the form that the plan has, with all its index entries."""
    held = store.get(key)
    if held is not None:
        store.put(key, held)
        links = plan.layout.links_of(held)
        for entry in plan.layout.entries:
            if (value := entry.value(links)) is not None:
                store.add(index_key(entry.index, value), row)


def _take_pairs(plan: PairPlan, rows: Iterable[Sequence[bytes | None]], fold: Fold) -> None:
    store = fold.store
    for left, right in ((int(row[0] or b""), int(row[1] or b"")) for row in rows):
        key = row_key(plan.number, left) + pack_id(right)
        if store.ahead.get(key) is None:
            fold.link(plan, left, right, held=True)


def _reached(plan: TablePlan, last: Frontier, store: Store) -> list[bytes]:
    """Return, up to the last key read, what the stream touched before the load came there."""
    ahead = (key for key, _ in store.ahead.scan(plan.number.to_bytes(2, "big")))
    if last is None:
        return list(ahead)
    end = row_key(plan.number, last[0]) + b"".join(map(pack_id, last[1:]))
    return list(takewhile(lambda key: key <= end, ahead))


def _settle(plan: TablePlan, key: bytes, ranks: Iterable[int], store: Store) -> None:
    """Forget that the stream came first.

    What is not held was taken away before it was read: the documents that showed it have
    changed. Of a line only its parent could tell, which Odoo writes with it.
    """
    store.ahead.delete(key)
    row = unpack_key(key[:KEY_SIZE])[1]
    if isinstance(plan, PairPlan):
        right = int.from_bytes(key[KEY_SIZE:], "big")
        if right not in store.members(index_key(plan.left, row)):
            early.note_pair(store, plan.number, row, right)
    elif store.get(key) is None:
        for rank in ranks:
            early.note_documents(store, rank, [row])


def _is_partial(held: bytes) -> bool:
    return UNCHANGED in cells_of(held, compared_at(held))
