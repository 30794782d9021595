"""Taking back a large transaction whose end never came."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final, Protocol

from cdc.engine.store import MADE, Store, row_of, scanned

_SOME: Final = 25_000  # rows and index entries between two commits


class Lasting(Store, Protocol):
    """A store that commits."""

    def commit(self) -> None:
        """Make everything durable."""

    def begin(self) -> None:
        """Begin again."""


def take_back(store: Lasting) -> bool:
    """Undo a large transaction whose end never came; say whether there was one.

    What it did stands in the store when the process was ended in its midst. It commits now and
    then, so that memory does not grow with it: what is taken back twice is as it was.
    """
    number = 0
    for number, _ in enumerate(chain(_entries(store), _rows(store)), 1):
        if not number % _SOME:
            store.commit()
            store.begin()
    store.delta.clear()
    store.undo.clear()
    store.touched.clear()
    return bool(number)


def _entries(store: Store) -> Iterator[None]:
    for key, value in scanned(lambda: store.delta):
        restore = store.remove if value == MADE else store.add
        restore(key[:10], int.from_bytes(key[10:], "big"))
        yield


def _rows(store: Store) -> Iterator[None]:
    for key, value in scanned(lambda: store.undo):
        old = row_of(value)
        if old is None:
            store.delete(key)
        else:
            store.put(key, old)
            store.ahead.delete(key)  # what is held of a doubted table is as old as it was
        yield
