"""The changes of one transaction: made in the store as they come, remembered until its end.

What a row was before its first change is kept (`undo`), and how index entries have changed on
the whole (`delta`). That is the transaction's before image, and what takes it back where it was
not finished. Above a limit both move into the store: memory does not grow with a transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cdc.engine.ahead import Ahead
from cdc.engine.held import Key, ShadowIncomplete, held_behind
from cdc.engine.keys import KEY_SIZE, index_key, number_of, pack_id, row_key, unpack_key
from cdc.engine.plan import PairPlan, Plan, RowPlan, TablePlan
from cdc.engine.relations import Relations
from cdc.engine.row import Entries, Links, links_part
from cdc.engine.since import Keeping
from cdc.engine.split import UNCHANGED, Cells, number, rows_of
from cdc.engine.store import MADE, TAKEN, Store, noted, row_of, scanned

LIMIT: Final = 25_000  # rows and index entries remembered in memory; a kilobyte is another one


class Fold:
    """One transaction's changes."""

    def __init__(self, plan: Plan, store: Store, relations: Relations, limit: int = LIMIT) -> None:
        """Begin with none."""
        self.store = store
        self.spilled, self.count = False, 0
        self.ahead = Ahead(store)
        self.keeping = Keeping(store)
        self._plan = plan
        self._relations = relations
        self.readers = relations.readers
        self._limit = limit
        self._undo: dict[bytes, bytes | None] = {}
        self._delta: dict[bytes, dict[int, bool]] = {}
        self.remembered = 0  # so much by the measure of `limit`

    def change(self, data: bytes, at: int = 0) -> bool:
        """Make the change of the row message (I, U or D) at `at`.

        Say whether what is remembered should move into the store. Raises MalformedMessage,
        ShadowIncomplete, SchemaChanged, KeyLost.
        """
        try:
            reader = self.readers[data[at + 1 : at + 5]]
        except KeyError:
            raise self._relations.refusal(data[at + 1 : at + 5]) from None
        if reader is None:
            return False
        self.count += 1
        old, new = rows_of(data, at, reader.tuples)
        self._apply(reader.plan, old, new)
        return self.remembered > self._limit

    def _apply(self, plan: TablePlan, old: Cells | None, new: Cells | None) -> None:
        if isinstance(plan, RowPlan):
            after = None if new is None else number(new[0])
            if old is not None and (before := number(old[0])) != after:
                if new is not None and UNCHANGED in new:
                    self._complete_moved(plan, before, new)
                self.put(plan, before, None)
            if new is not None and after is not None:
                self.put(plan, after, new)
        else:
            if old is not None:
                self.put_pair(plan, number(old[0]), number(old[1]), held=False)
            if new is not None:
                self.put_pair(plan, number(new[0]), number(new[1]), held=True)

    def _complete_moved(self, plan: RowPlan, before: int, cells: Cells) -> None:
        """Complete a row that has got another id: its large values are held under the old one.

        What is not held, since its table is being loaded, no range would fill: none has both ids.
        """
        key = row_key(plan.number, max(before, 0))
        held = self.store.get(key) if before >= 0 else None
        if held is not None and not self.ahead.is_doubtful(plan.number, (before,), key):
            plan.layout.complete(cells, held)
        if UNCHANGED in cells:
            raise ShadowIncomplete(f"{plan.name} {before}")

    def put(self, plan: RowPlan, row: int, cells: Cells | None) -> None:
        """Write a row as the stream has it, or drop it where `cells` is None.

        One whose id is negative is none of Odoo's: it is passed over.
        """
        if row < 0:
            return
        if cells is not None and not plan.holds(cells):
            cells = None
        key = row_key(plan.number, row)
        old = self.store.get(key)
        new: bytes | None = None
        doubtful = bool(self.ahead.frontiers) and self.ahead.note(plan.number, (row,), key)
        if cells is not None:
            if UNCHANGED in cells:
                self._complete(plan, row, cells, None if doubtful else old)
            new = plan.layout.pack(cells)
        if new != old:
            self.write(plan, row, key, old, new)
        elif new is not None and self.ahead.is_ahead(plan.number, (row,)):
            self.store.put(key, new)  # a former form holds more of it, which may have changed

    def _complete(self, plan: RowPlan, row: int, cells: Cells, old: bytes | None) -> None:
        if old is not None:
            plan.layout.complete(cells, old)
        elif not self.ahead.is_ahead(plan.number, (row,)):  # no range would fill it
            raise ShadowIncomplete(f"{plan.name} {row}")

    def write(
        self, plan: RowPlan, row: int, key: bytes, old: bytes | None, new: bytes | None
    ) -> None:
        """Replace a held row by another, and its index entries."""
        if key not in self._undo and not (self.spilled and self.store.undo.get(key)):
            self._undo[key] = old
            self.remembered += 1
        self.remembered += (len(old or b"") + len(new or b"")) >> 10
        if self.keeping.tables:
            self.keeping.row(key, old)
        if new is None:
            self.store.delete(key)
        else:
            self.store.put(key, new)
        layout = plan.layout
        if layout.entries and (old is None or new is None or links_part(old) != links_part(new)):
            before = None if old is None else layout.links_of(old)
            after = None if new is None else layout.links_of(new)
            self._reindex(layout.entries, row, before, after)

    def drop(self, plan: TablePlan, key: Key) -> None:
        """Drop a row or take a pair, as the stream does."""
        if isinstance(plan, RowPlan):
            self.put(plan, key[0], None)
        else:
            self.put_pair(plan, key[0], key[1], held=False)

    def put_pair(self, plan: PairPlan, left: int, right: int, *, held: bool) -> None:
        """Make or take a pair of a many2many table."""
        if left < 0 or right < 0:  # of rows that are passed over
            return
        if self.ahead.frontiers:
            self.ahead.note(
                plan.number, (left, right), row_key(plan.number, left) + pack_id(right)
            )
        self.link(plan, left, right, held=held)

    def link(self, plan: PairPlan, left: int, right: int, *, held: bool) -> None:
        """Make or take a pair's two index entries."""
        self._entry(index_key(plan.left, left), right, made=held)
        self._entry(index_key(plan.right, right), left, made=held)

    def empty(self, plan: TablePlan) -> Iterator[None]:
        """Drop all that is held of a table, as TRUNCATE does.

        Yields when what is remembered should move into the store, which may commit meanwhile.
        """
        at: Key | None = None
        while some := held_behind(self.store, plan, at):
            for key in some:
                self.drop(plan, key)
                self.count += 1
            at = some[-1]
            if self.remembered > self._limit:
                yield

    def before(self, key: bytes) -> tuple[bool, bytes | None]:
        """Return whether a row was changed, and what it was then."""
        if key in self._undo:
            return True, self._undo[key]
        if self.spilled and (found := self.store.undo.get(key)):
            return True, row_of(found)
        return False, None

    def delta(self, key: bytes) -> Mapping[int, bool]:
        """Return the ids that an index key gained (true) and lost (false)."""
        found = self._delta.get(key, {})
        if self.spilled:
            spilled = {
                int.from_bytes(at[-8:], "big"): value == MADE
                for at, value in self.store.delta.scan(key)
            }
            return _merged(spilled, found)
        return found

    def changed_rows(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield (key, the row as it was) of every row that was written."""
        yield from self._undo.items()
        if self.spilled:
            for key, value in scanned(lambda: self.store.undo):
                yield key, row_of(value)

    def changed_pairs(self) -> Iterator[tuple[PairPlan, int, int]]:
        """Yield (table, left, right) of every pair that was made or taken."""
        pairs = self._plan.by_left_index
        for key, right, _ in self.changed_entries():
            if (plan := pairs.get(number_of(key))) is not None:
                yield plan, unpack_key(key)[1], right

    def changed_entries(self) -> Iterator[tuple[bytes, int, bool]]:
        """Yield (key, id, whether it was made) of every index entry that was made or taken."""
        if self.spilled:
            self.spill()  # or what undoes a spilled entry would be told beside it
            for at, value in scanned(lambda: self.store.delta):
                yield at[:KEY_SIZE], int.from_bytes(at[KEY_SIZE:], "big"), value == MADE
        for key, ids in self._delta.items():
            for row, made in ids.items():
                yield key, row, made

    def spill(self) -> None:
        """Move what is remembered into the store."""
        self.spilled = True
        undo, delta = self.store.undo, self.store.delta
        for key, old in self._undo.items():
            undo.put(key, noted(old))
        for key, ids in self._delta.items():
            for row, made in ids.items():
                at = key + pack_id(row)
                if delta.get(at) is None:
                    delta.put(at, MADE if made else TAKEN)
                else:  # the one undoes the other
                    delta.delete(at)
        self._forget()

    def finish(self) -> None:
        """Forget the transaction: what it changed stands."""
        self._forget()
        self.count = 0
        if self.spilled:
            self.store.undo.clear()
            self.store.delta.clear()
            self.store.touched.clear()
            self.spilled = False

    def _forget(self) -> None:
        self._undo.clear()
        self._delta.clear()
        self.remembered = 0

    def _reindex(
        self, entries: Iterable[Entries], row: int, before: Links | None, after: Links | None
    ) -> None:
        for entry in entries:
            was = None if before is None else entry.value(before)
            now = None if after is None else entry.value(after)
            if was != now:
                if was is not None:
                    self._entry(index_key(entry.index, was), row, made=False)
                if now is not None:
                    self._entry(index_key(entry.index, now), row, made=True)

    def _entry(self, key: bytes, row: int, *, made: bool) -> None:
        if not (self.store.add if made else self.store.remove)(key, row):
            return
        if self.keeping.indexes:
            self.keeping.entry(key, row, made=made)
        ids = self._delta.setdefault(key, {})
        if row in ids:  # made and taken again, or the other way round
            del ids[row]
            if not ids:
                del self._delta[key]
        else:
            ids[row] = made
            self.remembered += 1


def _merged(first: Mapping[int, bool], then: Mapping[int, bool]) -> dict[int, bool]:
    both = dict(first)
    for row, made in then.items():
        if row in both:
            del both[row]
        else:
            both[row] = made
    return both
