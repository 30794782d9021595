"""What the engine needs of a store: one open change that reads its own writes. Ports only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

MADE: Final = b"+"  # an index entry
TAKEN: Final = b"-"
_NOTHING: Final = b"0"
_ROW: Final = b"1"


def noted(row: bytes | None) -> bytes:
    """Return a row, or that there was none, as a drawer remembers it."""
    return _NOTHING if row is None else _ROW + row


def row_of(note: bytes) -> bytes | None:
    """Read what `noted` wrote."""
    return note[1:] if note[:1] == _ROW else None


class Drawer(Protocol):
    """An ordered map of bytes."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value, or None."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write or replace a value."""

    def delete(self, key: bytes) -> None:
        """Drop a key, if it is there."""

    def scan(self, prefix: bytes = b"", after: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield keys that begin with `prefix` and are greater than `after`, in order.

        What the scan has not reached may change meanwhile.
        """

    def clear(self) -> None:
        """Drop everything."""


def scanned(find: Callable[[], Drawer]) -> Iterator[tuple[bytes, bytes]]:
    """Yield all that a drawer holds, in order; the store may commit between two.

    Then `find` finds the drawer again.
    """
    after, over = b"", False
    while not over:
        drawer, over = find(), True
        for key, value in drawer.scan(after=after):
            yield key, value
            if find() is not drawer:
                after, over = key, False
                break


class Store(Protocol):
    """Rows, indexes, and room for what does not fit into memory."""

    @property
    def get(self) -> Callable[[bytes], bytes | None]:
        """Return a row by its key."""

    @property
    def converted(self) -> Callable[[bytes, bytes], bytes]:
        """Return, by its key, a row of a former form in the one that is wanted."""

    @property
    def put(self) -> Callable[[bytes, bytes], object]:
        """Write a row."""

    @property
    def delete(self) -> Callable[[bytes], object]:
        """Drop a row."""

    @property
    def undo(self) -> Drawer:
        """What a large transaction found: row's key -> `noted`."""

    @property
    def delta(self) -> Drawer:
        """Index entries that a large transaction made or took: key and id -> `+` or `-`."""

    @property
    def touched(self) -> Drawer:
        """The documents that a large transaction touched."""

    @property
    def ahead(self) -> Drawer:
        """The keys that the stream touched before the load has reached them."""

    @property
    def early(self) -> Drawer:
        """What changed before its documents could be built."""

    @property
    def since_rows(self) -> Drawer:
        """Rows as they were when models began to wait (`since`)."""

    @property
    def since_index(self) -> Drawer:
        """Index entries as they were then (`since`)."""

    @property
    def due(self) -> Drawer:
        """Documents to be published when it is their turn (`since`)."""

    def rows(self, table: int, after: int = -1) -> Iterator[tuple[int, bytes]]:
        """Yield (id, row) of a table behind an id, in order."""

    def entries(self, index: int, after: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Yield (value, id) of an index behind such a pair, in order."""

    def members(self, key: bytes) -> Sequence[int]:
        """Return the ids under an index key, ascending."""

    def each_member(self, key: bytes) -> Iterable[int]:
        """Return them, not all at once: there may be very many."""

    def add(self, key: bytes, row: int) -> bool:
        """Put an id under an index key; False where it was there."""

    def remove(self, key: bytes, row: int) -> bool:
        """Take an id from an index key; False where it was not there."""
