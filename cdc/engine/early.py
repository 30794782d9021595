"""What changed before its documents could be built, noted in the store until they can be.

d rank(2) id(8)                 a document
r row's or pair's key           what changed; documents may show it that are yet to be loaded
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from cdc.engine.keys import KEY_SIZE, pack_id, row_key, unpack_key
from cdc.engine.store import Store

_DOCUMENT: Final = b"d"
_CHANGED: Final = b"r"


def note(store: Store, rank: int, documents: Iterable[int], changed: bytes) -> None:
    """Note what changed, a row or a pair by its key, and the documents that show it."""
    note_documents(store, rank, documents)
    store.early.put(_CHANGED + changed, b"")


def note_documents(store: Store, rank: int, documents: Iterable[int]) -> None:
    """Note documents of a model."""
    for row in documents:
        store.early.put(_DOCUMENT + row_key(rank, row), b"")


def note_pair(store: Store, table: int, left: int, right: int) -> None:
    """Note a pair that was made or taken."""
    store.early.put(_CHANGED + row_key(table, left) + pack_id(right), b"")


def take_documents(store: Store, rank: int) -> set[int]:
    """Return a model's documents, and forget them."""
    keys = [key for key, _ in store.early.scan(_DOCUMENT + rank.to_bytes(2, "big"))]
    for key in keys:
        store.early.delete(key)
    return {unpack_key(key[1:])[1] for key in keys}


def changed(store: Store) -> Iterator[tuple[int, int, bytes, int | None]]:
    """Yield (table, id, key, a pair's other id or None) of what changed."""
    for noted, _ in store.early.scan(_CHANGED):
        key = noted[1:]
        table, row = unpack_key(key[:KEY_SIZE])
        other = int.from_bytes(key[KEY_SIZE:], "big") if len(key) > KEY_SIZE else None
        yield table, row, key, other
