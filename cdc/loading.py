"""Loading the shadow: tables in key ranges, each behind a mark, while the stream goes on.

A range is read over a second connection, then a mark is written into the WAL. When the stream
has come to the mark, everything that the range may have seen has been handled: rows that the
stream touched since the load began keep what the stream said, the others are taken over. No
lock, no pinned snapshot, no WAL held back; a kill resumes at the last range.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Protocol

from cdc.aside import Aside
from cdc.engine.plan import RowPlan, TablePlan
from cdc.progress import Frontier, Portion

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

    @property
    def types(self) -> Mapping[str, int]:
        """The oid of each column's type, of those that were read."""


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

    def estimate(self, table: str) -> int | None:
        """Return about how many rows a table has, None where the server does not know."""

    def emit_mark(self, prefix: str, content: bytes | str) -> int:
        """Write a mark into the WAL."""


@dataclass(frozen=True, slots=True)
class RangeRead:
    """A range whose mark is in the WAL, read `at` a time; the table has about `of` rows."""

    plan: TablePlan
    range: Rows
    of: int | None = None
    at: float = 0.0  # monotonic seconds


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that was committed before this mark has come."""


@dataclass(frozen=True, slots=True)
class Piece:
    """So many documents of a resend may be published at this mark."""

    job: str
    documents: int


@dataclass(frozen=True, slots=True)
class Returned:
    """Behind this mark the stream leaves tables out no longer: each with its place there."""

    members: Mapping[str, int]


Marked = RangeRead | Portion | Piece | CaughtUp | Returned


class LoadRate:
    """How fast tables are read: so many rows a second, 0 for as fast as possible."""

    def __init__(self, rows_per_second: int) -> None:
        """Begin at once; a range has no more rows than may be read in a second."""
        self.rows = min(ROWS, rows_per_second or ROWS)
        self._pause = self.rows / rows_per_second if rows_per_second else 0.0
        self._next = 0.0

    def may_read(self, now: float) -> bool:
        """Say whether a range may be read; then it counts. A second missed is made up for."""
        if now < self._next:
            return False
        self._next = max(self._next, now - 1.0) + self._pause
        return True


class Marks:
    """Work that ends in a mark, done beside the stream; what a mark means is remembered here."""

    def __init__(self, reader: Reader) -> None:
        """Do nothing yet."""
        self._reader = reader
        self._meanings: dict[bytes, Marked] = {}
        self._worker = Aside("load")
        self._busy: Future[None] | None = None
        self._unseen: bytes = _EMPTY
        self._spoilt: set[str] = set()
        self._estimates: dict[str, int | None] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing is being read and no mark is on its way. Raises what went wrong."""
        if self._busy is not None and self._busy.done():
            self._busy.result()
            self._busy = None
        return self._busy is None and not self._unseen

    def read(self, plan: TablePlan, after: Frontier, most: int = ROWS) -> None:
        """Read a range of so many rows at most, and write its mark."""
        self._spoilt.discard(plan.name)
        self._begin(lambda: self._range(plan, after, most))

    def mark(self, meaning: Marked) -> None:
        """Write a mark."""
        self._begin(lambda: meaning)

    def take(self, content: bytes) -> Marked | None:
        """Return what a mark means that the stream came to.

        None for one of a former life, and for a range that is not what it was: it is read again.
        """
        found = self._meanings.pop(content, None)
        if content == self._unseen:
            self._unseen = _EMPTY
        spoilt = isinstance(found, RangeRead) and found.plan.name in self._spoilt
        return None if spoilt else found

    def spoil(self, table: str) -> None:
        """Make nothing of a range of this table whose mark is yet to come."""
        self._spoilt.add(table)

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

    def _range(self, plan: TablePlan, after: Frontier, most: int) -> RangeRead:
        where = None
        if isinstance(plan, RowPlan) and plan.table.only:
            where = plan.table.model_column, plan.table.only
        if plan.name not in self._estimates:
            # Of some of the rows nobody has an estimate.
            self._estimates[plan.name] = None if where else self._reader.estimate(plan.name)
        rows = self._reader.read(plan.name, plan.read, plan.loaded_by, after, most, where)
        return RangeRead(plan, rows, self._estimates[plan.name], time.monotonic())


class _Work(Protocol):
    def __call__(self) -> Marked: ...


def inside(mark: int) -> int:
    """Return an LSN of the mark's own.

    A message says where its record ends (decode.c, logicalmsg_decode), a commit where its record
    begins: the next record may be a commit, and what it changes is newer than what the mark shows.
    """
    return mark - 1
