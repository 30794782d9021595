"""Records as they were encoded last: most of a document is what it was.

A record is kept until a change leads to it; then it is what was, until the transaction's end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

STALE: Final = 20_000  # records that one transaction may lead to and still be told apart
LARGEST: Final = 8 * 1024 * 1024  # bytes of records kept ...
_EACH: Final = 200  # ... each with so much around it

Kept = dict[int, bytes | None]  # by row; None: there is no such row

UNKNOWN: Final[bytes] = b"not encoded yet"  # compared by identity
UNMARKED: Final[bytes] = b"not led to"  # likewise


class Records:
    """The kept records, by node and row."""

    def __init__(self, nodes: int) -> None:
        """Keep none of so many nodes."""
        self.now: list[Kept] = [{} for _ in range(nodes)]
        """What holds."""
        self.then: list[Kept] = [{} for _ in range(nodes)]
        """What held before this transaction, of those that it led to."""
        self.apart = True
        """Whether `then` has all that the transaction led to."""
        self._marked = 0
        self._size = 0
        self._size_then = 0

    def begin(self) -> None:
        """Forget what was: a transaction begins."""
        if self._marked:
            for past in self.then:
                past.clear()
            self._marked = self._size_then = 0
        self.apart = True

    def mark(self, node: int, rows: Iterable[int]) -> None:
        """Note that a change leads to these records."""
        if not self.apart:
            return
        now, then = self.now[node], self.then[node]
        for row in rows:
            if row not in then:
                record = then[row] = now.pop(row, UNKNOWN)
                if record is not UNKNOWN:
                    self._size -= _size(record)
                self._marked += 1
        if self._marked > STALE:
            self.apart = False
            self.forget()

    def keep(self, node: int, row: int, record: bytes | None) -> None:
        """Keep what holds."""
        self._size += _size(record)
        if self._size > LARGEST:
            self.forget()
            self._size = _size(record)
        self.now[node][row] = record

    def keep_then(self, node: int, row: int, record: bytes | None) -> None:
        """Keep what held, while there is room."""
        if self._size_then < LARGEST:
            self._size_then += _size(record)
            self._marked += 1
            self.then[node][row] = record

    def forget(self) -> None:
        """Forget what holds: rows have changed outside of transactions, or there is no room."""
        for kept in self.now:
            kept.clear()
        self._size = 0


def _size(record: bytes | None) -> int:
    return _EACH if record is None else _EACH + len(record)
