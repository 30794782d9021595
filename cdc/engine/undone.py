"""Taking back a large transaction whose end never came."""

from __future__ import annotations

from cdc.engine.store import MADE, Store, row_of


def take_back(store: Store) -> bool:
    """Undo a large transaction whose end never came; say whether there was one.

    What it did stands in the store when the process was ended in its midst.
    """
    found = False
    for key, value in list(store.delta.scan()):
        found = True
        restore = store.remove if value == MADE else store.add
        restore(key[:10], int.from_bytes(key[10:], "big"))
    for key, value in list(store.undo.scan()):
        found = True
        old = row_of(value)
        if old is None:
            store.delete(key)
        else:
            store.put(key, old)
            store.ahead.delete(key)  # what is held of a doubted table is as old as it was
    store.delta.clear()
    store.undo.clear()
    store.touched.clear()
    return found
