"""What differs between two moments of the shadow, row by row and pair by pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from cdc.engine.keys import number_of, pack_id, row_key
from cdc.engine.plan import PairPlan, Plan
from cdc.engine.reach import ALL
from cdc.engine.row import Links, differing, links_part, same
from cdc.engine.store import Store


class Changed(Protocol):
    """What was changed since a moment: by a transaction (`Fold`), or for longer (`Since`)."""

    def changed_rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield (key, the row as it was) of every row that was written."""

    def changed_pairs(self) -> Iterator[tuple[PairPlan, int, int]]:
        """Yield (table, left, right) of every pair that was made or taken."""


class Change(NamedTuple):
    """A row or pair that changed.

    The links are those that it has and, where they were others, those that it had; `size` is that
    of the row, as it was and as it is, in bytes.
    """

    table: int
    row: int
    key: bytes
    cells: int  # which of the compared cells differ, as bits
    links: list[Links]
    writers: tuple[int | None, ...]
    size: int = 0


_NOBODY: Final = (None,)


def changes(plan: Plan, store: Store, since: Changed) -> Iterator[Change]:
    """Yield the rows that differ in more than their guards, and the pairs."""
    for key, old in since.changed_rows():
        change = _of_row(plan, key, old, store.get(key))
        if change is not None:
            yield change
    for pairs, left, right in since.changed_pairs():
        key = row_key(pairs.number, left) + pack_id(right)
        yield Change(pairs.number, left, key, ALL, [pair_links(left, right)], ())


def pair_links(left: int, right: int) -> Links:
    """Return a pair as links, in the order of its table's columns."""
    return [b"%d" % left, b"%d" % right]


def _of_row(plan: Plan, key: bytes, old: bytes | None, new: bytes | None) -> Change | None:
    if old == new:
        return None
    table = number_of(key)
    layout = plan.layouts[table]
    if old is None or new is None:
        cells = ALL
    elif table in plan.told_apart:
        cells = differing(old, new)
    else:
        cells = 0 if same(old, new) else ALL
    if not cells:
        return None
    links = [] if new is None else [layout.links_of(new)]
    if old is not None and (new is None or links_part(old) != links_part(new)):
        links.append(layout.links_of(old))
    writers = _NOBODY if new is None else layout.writers_of(new)
    size = len(old or b"") + len(new or b"")
    return Change(table, int.from_bytes(key[2:], "big"), key, cells, links, writers, size)
