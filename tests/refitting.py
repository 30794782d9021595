"""A shadow over the small shop whose routes change while it is written: in memory but for LMDB."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.fold import Fold
from cdc.engine.keys import index_key
from cdc.engine.plan import RowPlan, TablePlan
from cdc.fitting import Fit, Wanted, begin, go_on
from cdc.loading import RangeRead
from cdc.ranges import follow, take_over
from cdc.selection import flatten
from cdc.shadow.store import Shadow
from schemas.avro import MARKER, SchemaBook, event_schema
from schemas.document import Shape
from schemas.event import Event
from tests.documents import MODELS
from tests.engine import World, relations_of

Values = list[bytes | None]


@dataclass(frozen=True)
class Read:
    """Rows as a range reader gives them."""

    rows: Sequence[Values]
    last: tuple[int, ...] | None


class Refitted:
    """The engine, put together anew whenever the shapes change or all is read."""

    def __init__(self, shadow: Shadow, shapes: tuple[Shape, ...]) -> None:
        self.shadow = shadow
        self.wanted = _wanted(shapes)
        self._holding, self._progress = begin(self.wanted)
        self._book = SchemaBook()
        self.fit: Fit
        self._read: RangeRead | None = None
        self._take()

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of what is published."""
        waiting = self.fit.progress.waiting
        roots = self.fit.plan.roots
        return tuple(root.shape for root in roots if root.shape.model not in waiting)

    @property
    def reading(self) -> bool:
        """Whether a table is not read to its end."""
        return bool(self.fit.progress.frontiers)

    def want(self, shapes: tuple[Shape, ...]) -> None:
        """Take other shapes, as a file that is read again."""
        self.wanted = _wanted(shapes)
        self._take()

    def restart(self) -> None:
        """Begin where the shadow stands, as after a kill: a mark on its way is forgotten."""
        self._take()

    def commit(self, messages: Iterable[bytes]) -> list[Event]:
        """Fold a transaction and return its events."""
        for message in messages:
            if self._fold.change(message):
                self._fold.spill()
        values = [made.value for made in self._events.of_transaction(Stamp(100, 0, 7))]
        self._fold.finish()
        return [self._book.decode(value) for value in values]

    def read(self, world: World, limit: int) -> None:
        """Read a range as of now; its mark is behind everything that has come by then."""
        table = self.fit.progress.next_table(self.fit.plan)
        if table is not None and self._read is None:
            found = _range(world, table, self.fit.progress.frontiers[table.name], limit)
            self._read = RangeRead(table, found)

    def mark(self) -> None:
        """Come to the mark of the range that was read."""
        read, self._read = self._read, None
        progress = self.fit.progress
        if read is None:
            return
        ranks = [r.rank for r in self.fit.plan.roots if r.shape.table == read.plan.name]
        take_over(read, self._fold, ranks, progress)
        self._events.forget()
        progress.complete(self.fit.plan)
        self._ready()
        for what in progress.dropping:
            while not self.shadow.drop(what, 2):
                pass
        progress.dropping.clear()
        if self.fit.passing and not progress.frontiers:
            self._take()

    def contents(self) -> dict[str, object]:
        """Return all that is held, by name."""
        plan, held = self.fit.plan, {}
        for each in plan.rows:
            # The form's number says how often the routes changed.
            held[each.name] = [(row, data[2:]) for row, data in self.shadow.rows(each.number)]
        for name, number in self._indexes():
            found = {v: list(self.shadow.members(index_key(number, v))) for v in range(4)}
            held[name] = found
        return held

    def _indexes(self) -> list[tuple[str, int]]:
        tables = self.fit.holding.tables.values()
        return [each for table in tables for each in table.indexes.items()]

    def _take(self) -> None:
        self._read = None
        if hasattr(self, "fit"):
            self._holding, self._progress = self.fit.holding, self.fit.progress
        self.fit = go_on(self.wanted, self._holding, self._progress)
        self.shadow.commit()
        self.shadow.read_as(self.fit.formers)
        self.shadow.begin()
        plan = self.fit.plan
        self._fold = Fold(plan, self.shadow, relations_of(plan))
        follow(self._fold, plan, self.fit.progress)
        heads = {
            root.rank: MARKER + self._book.add(json.dumps(event_schema("odoo_a", root.shape)))
            for root in plan.roots
        }
        self._events = Events(plan, self._fold, 1, heads)
        self._ready()

    def _ready(self) -> None:
        waiting = self.fit.progress.waiting
        roots = self.fit.plan.roots
        self._events.ready = frozenset(r.rank for r in roots if r.shape.model not in waiting)


def loaded(shadow: Shadow, shapes: tuple[Shape, ...], world: World) -> Refitted:
    """Return what begins with these shapes and has read everything."""
    made = Refitted(shadow, shapes)
    while made.reading:
        made.read(world, 5)
        made.mark()
    return made


def _wanted(shapes: tuple[Shape, ...]) -> Wanted:
    return Wanted(flatten(tuple(sorted(shapes, key=lambda s: s.model)), MODELS), MODELS, {})


def _range(world: World, table: TablePlan, after: tuple[int, ...] | None, limit: int) -> Read:
    if isinstance(table, RowPlan):
        rows = world.tables[table.name]
        ids = [row for row in sorted(rows) if after is None or (row,) > after][:limit]
        values = [[_value(rows[row].get(name)) for name in table.read] for row in ids]
        last = (ids[-1],) if len(ids) == limit else None
        return Read(values, last)
    pairs = [pair for pair in sorted(world.pairs[table.name]) if after is None or pair > after]
    pairs = pairs[:limit]
    found: list[Values] = [[b"%d" % left, b"%d" % right] for left, right in pairs]
    return Read(found, pairs[-1] if len(pairs) == limit else None)


def _value(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
