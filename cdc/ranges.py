"""A range at its mark: what was read is taken over, except where the stream has been first.

What is held of a table that is read again may be old, or more than is wanted any longer: there
the range decides what is held up to its last key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from cdc.engine import early
from cdc.engine.fold import Fold
from cdc.engine.held import Key, held_behind
from cdc.engine.keys import KEY_SIZE, index_key, pack_id, row_key, unpack_key
from cdc.engine.plan import PairPlan, Plan, RowPlan, TablePlan
from cdc.engine.row import cells_of, compared_at
from cdc.engine.split import UNCHANGED, cells_of_values
from cdc.engine.store import Store
from cdc.loading import RangeRead
from cdc.progress import Frontier, Progress

Cells = Sequence[bytes | None]


def follow(fold: Fold, plan: Plan, progress: Progress) -> None:
    """Tell the fold how far each table is loaded, and what of its past is to be remembered."""
    numbers = {name: plan.by_name[name].number for name in progress.frontiers}
    fold.ahead.frontiers = {numbers[name]: key for name, key in progress.frontiers.items()}
    fold.ahead.doubted = frozenset(numbers[name] for name in progress.doubted)
    fold.keeping.begin(plan, progress.remembered(plan))


def doubt(fold: Fold, plan: Plan, progress: Progress, tables: Iterable[str]) -> None:
    """Have tables read again from their beginning: the stream has left out what changed."""
    found = {name for name in tables if name in plan.by_name}
    progress.doubt(plan, found)
    for name in found:  # what the stream touched before may have changed since
        forget_ahead(fold.store, plan.by_name[name])
    follow(fold, plan, progress)


def forget_ahead(store: Store, plan: TablePlan) -> None:
    """Forget which rows of a table the stream has touched before they were read."""
    for key in [key for key, _ in store.ahead.scan(plan.number.to_bytes(2, "big"))]:
        store.ahead.delete(key)


def take_over(
    read: RangeRead,
    fold: Fold,
    ranks: Iterable[int],
    progress: Progress,
    pulse: Callable[[], object] = int,
) -> None:
    """Put a range into the store, at its mark; rows that the stream touched win.

    `ranks` are the models whose records stand in the table.
    """
    plan, last = read.plan, read.range.last
    former = progress.frontiers[plan.name]
    if last is None:
        fold.ahead.frontiers.pop(plan.number, None)
    else:
        fold.ahead.frontiers[plan.number] = last
    if plan.number in fold.ahead.doubted or plan.name in progress.again:
        _drop_others(plan, former, read, fold, pulse)
    if isinstance(plan, RowPlan):
        _take_rows(plan, read.range.rows, fold, again=plan.name in progress.again)
    else:
        _take_pairs(plan, read.range.rows, fold)
    for key in _reached(plan, last, fold.store):
        _settle(plan, key, ranks, fold.store)
    fold.finish()
    progress.read(plan.name, len(read.range.rows), read.of, read.at)
    progress.loaded(plan.name, last)
    if last is None:
        fold.ahead.doubted -= {plan.number}


def _drop_others(
    plan: TablePlan,
    former: Frontier,
    read: RangeRead,
    fold: Fold,
    pulse: Callable[[], object],
) -> None:
    """Drop what is held up to the last key, was not read, and was not touched by the stream."""
    last = read.range.last
    found = {_key_of(plan, row) for row in read.range.rows}
    at = former
    while held := held_behind(fold.store, plan, at):
        mine = held if last is None else [key for key in held if key <= last]
        for key in mine:
            if key not in found and fold.store.ahead.get(_packed(plan, key)) is None:
                fold.drop(plan, key)
        fold.finish()  # nothing is told of it now: it need not be remembered
        pulse()
        if len(mine) < len(held):
            return
        at = held[-1]


def _take_rows(plan: RowPlan, rows: Iterable[Cells], fold: Fold, *, again: bool) -> None:
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


def _take_pairs(plan: PairPlan, rows: Iterable[Cells], fold: Fold) -> None:
    for left, right in (_key_of(plan, row) for row in rows):
        if fold.store.ahead.get(_packed(plan, (left, right))) is None:
            fold.link(plan, left, right, held=True)


def _key_of(plan: TablePlan, row: Cells) -> Key:
    """Return the key of a row that was read; it stands first."""
    size = 2 if isinstance(plan, PairPlan) else 1
    return tuple(int(cell or b"") for cell in row[:size])


def _packed(plan: TablePlan, key: Key) -> bytes:
    return row_key(plan.number, key[0]) + b"".join(map(pack_id, key[1:]))


def _reached(plan: TablePlan, last: Frontier, store: Store) -> list[bytes]:
    """Return, up to the last key read, what the stream touched before the load came there."""
    ahead = (key for key, _ in store.ahead.scan(plan.number.to_bytes(2, "big")))
    if last is None:
        return list(ahead)
    end = _packed(plan, last)
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
