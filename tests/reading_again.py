"""A stream over a shop whose changes it does not always see, on a Kafka and a disk that hold.

What is published is folded as it comes: each event must follow on what was last published of its
document. The power may go at any point; then everything goes on from what is durable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, Final, cast

from cdc.backfill import Unpaced
from cdc.engine.fold import LIMIT
from cdc.engine.plan import PairPlan, TablePlan
from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import Marked, RangeRead
from cdc.progress import Progress
from cdc.ranges import doubt
from cdc.resending.resends import NoResends
from cdc.stream import Stream
from schemas.event import Document, Event, Mode
from tests.engine import (
    ORDER,
    PARTNER,
    PLAN,
    UNCHANGED,
    Engine,
    Row,
    World,
    delete,
    engine,
    insert,
    truncate,
    update,
)

TIME: Final = 848_656_800_000_000
MODELS: Final = (PARTNER.model, ORDER.model)
OFTEN_LARGE: Final = frozenset({"name", "amount_total", "property_payment_term_id"})

Change = tuple[str, bool, Any]  # table, made or deleted, a row or a pair


class PowerCut(Exception):
    """The process is gone."""


@dataclass
class Power:
    """Goes after so many steps of publishing and committing, once."""

    left: int | None = None

    def __call__(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise PowerCut


@dataclass
class Kafka:
    """Keeps what it was handed."""

    power: Power
    take: Callable[[bytes], None]

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        self.power()
        self.take(value)

    def flush(self) -> None:
        self.power()


@dataclass
class Held:
    """What the events come to, and what is wrong about them."""

    documents: dict[tuple[str, int], Document] = field(default_factory=dict)
    events: int = 0
    _positions: dict[tuple[str, int], list[tuple[int, int]]] = field(default_factory=dict)
    _seen: dict[tuple[str, int, int], bytes] = field(default_factory=dict)

    def take(self, event: Event, value: bytes) -> None:
        """Take the next event; the same one again is the same bytes."""
        whose, lsn = (event.model, event.id), event.position.lsn
        known = self._seen.setdefault((*whose, lsn), value)
        assert known == value, "two events of one document at one position"
        positions = self._positions.setdefault(whose, [])
        if known is not value:
            return
        at = (lsn, event.position.ordinal)
        assert not positions or positions[-1] < at, "an event came behind a later one"
        positions.append(at)
        self.events += 1
        if event.before_known and event.mode is not Mode.SNAPSHOT:
            assert followed(event.before) == followed(self.documents.get(whose)), whose
            assert event.before != event.after
        if event.after is None:
            self.documents.pop(whose, None)
        else:
            self.documents[whose] = event.after


def followed(document: Document | None) -> Document | None:
    """Leave out what alone makes no event."""
    return document and {name: value for name, value in document.items() if name != "user_id"}


class Rig:
    """Capture without its edges."""

    def __init__(self, tried: Engine, *, fresh: bool, widest: int) -> None:
        self.db, self.held, self.power = World(), Held(), Power()
        self._engine, self._lsn = tried, 0x1000
        self._log: list[tuple[int, list[bytes]]] = []
        self._meaning: dict[bytes, Marked] = {}
        self._outstanding: tuple[bytes, Marked] | None = None
        self._spoilt: set[str] = set()
        progress = Progress.begin(PLAN) if fresh else Progress()
        tried.shadow.note(PROGRESS, {"lsn": 1, **progress.to_json()})
        commit = tried.shadow.commit

        def commit_or_not() -> None:
            self.power()
            commit()
            self.power()

        cast("Any", tried.shadow).commit = commit_or_not
        topics = {root.rank: Topic(root.shape.model, 4) for root in PLAN.roots}
        self.epoch = Epoch(Kafka(self.power, self._published), tried.shadow, topics)
        self.stream = Stream(PLAN, tried.relations, tried.fold, tried.events, self.epoch)
        self.stream.readiness.widest = widest
        self.stream.readiness.snapshot = frozenset(root.shape.model for root in PLAN.roots)
        self.stream.readiness.backfill = cast("Any", Unpaced(MODELS))
        self.stream.marks = cast("Any", self)
        self.stream.resends = NoResends()
        self.epoch.end()
        self.stream.begin_again()

    @property
    def progress(self) -> Progress:
        """How far everything is."""
        return self.epoch.progress

    def commit(self, changes: Iterable[Change], unseen: frozenset[str] = frozenset()) -> None:
        """Commit a transaction, of which the stream does not see some tables."""
        rows = list(said(self.db, changes, unseen))
        if rows:
            self._lsn += 0x100
            self._log.append((self._lsn, rows))
            self._guarded(lambda: self._transaction(self._lsn, rows))

    def doubt(self, tables: frozenset[str]) -> None:
        """See that the stream has left out some tables."""

        seen = False

        def see() -> None:
            nonlocal seen
            doubt(self._engine.fold, PLAN, self.progress, tables)
            self.stream.readiness.refresh()
            self.epoch.end()
            seen = True

        self._outstanding = None
        self._guarded(see)
        if not seen:  # the power went
            self._guarded(see)

    def read(self, most: int) -> None:
        """Read the next range; its mark is to come."""
        table = self.progress.next_table(PLAN)
        if table is None or self._outstanding is not None:
            return
        self._spoilt.discard(table.name)
        keys = sorted(key for key in self._keys(table) if key > (self._frontier(table) or ()))
        some = keys[:most]
        rows = [self._cells(table, key) for key in some]
        last = some[-1] if len(some) == most else None
        found = SimpleNamespace(rows=rows, last=last, types={})
        self._mark(RangeRead(table, cast("Any", found)))

    def portion(self, most: int) -> None:
        """Let a portion be published; its mark is to come."""
        portion = Unpaced(MODELS).next(self.progress, 0.0)
        if portion is not None and self._outstanding is None:
            self._mark(portion._replace(documents=most))

    def come(self) -> None:
        """Let the stream come to the mark."""
        if self._outstanding is not None:
            (token, _), self._outstanding = self._outstanding, None
            self._lsn += 0x100
            lsn = self._lsn
            self._log.append((lsn, [token]))
            self._guarded(lambda: self._come(lsn, token))

    def end(self) -> None:
        """Make everything durable."""
        self._guarded(self.epoch.end)

    def finish(self) -> None:
        """Let everything be read and published."""
        self.power.left = None
        self.come()
        while not self.progress.done:
            assert not self.progress.waiting or self.progress.frontiers
            self.read(2)
            self.portion(2)
            assert self._outstanding is not None, "nothing goes on"
            self.come()
        assert not self.progress.waiting
        assert not self.progress.since

    def left_behind(self) -> int:
        """Count what is still remembered of the past."""
        shadow = self._engine.shadow
        drawers = (shadow.since_rows, shadow.since_index, shadow.due, shadow.ahead)
        return sum(len(list(drawer.scan())) for drawer in drawers)

    # The marks.
    def take(self, content: bytes) -> Marked | None:
        found = self._meaning.pop(content, None)
        spoilt = isinstance(found, RangeRead) and found.plan.name in self._spoilt
        return None if spoilt else found

    def spoil(self, table: str) -> None:
        self._spoilt.add(table)

    def _mark(self, meaning: Marked) -> None:
        token = b"%d" % len(self._log)
        self._outstanding = token, meaning
        self._meaning[token] = meaning

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except PowerCut:
            self._again()

    def _again(self) -> None:
        """Begin again where the shadow stands; the power does not go twice in a row."""
        self._outstanding = None
        self._meaning.clear()
        self.epoch.reset()
        self.stream.begin_again()
        durable = self.epoch.watermark.durable
        for lsn, rows in self._log:
            if lsn + 8 > durable and rows[0][:1] in b"IUDT":
                self._transaction(lsn, rows)

    def _transaction(self, lsn: int, rows: Iterable[bytes]) -> None:
        self._handle(b"B" + pack(">QqI", lsn, TIME, 7))
        for row in rows:
            self._handle(row)
        self._handle(b"C" + pack(">BQQq", 0, lsn, lsn + 8, TIME), lsn + 8)

    def _come(self, lsn: int, token: bytes) -> None:
        content = pack(">I", len(token)) + token
        self._handle(b"M" + pack(">BQ", 0, lsn) + b"odoo_cdc\0" + content, lsn)

    def _handle(self, message: bytes, lsn: int = 0) -> None:
        self.stream.handle(b"w" + pack(">QQq", lsn, lsn, TIME) + message)

    def _published(self, value: bytes) -> None:
        self.held.take(self._engine.book.decode(value), value)

    def _frontier(self, table: TablePlan) -> tuple[int, ...] | None:
        return self.progress.frontiers[table.name]

    def _keys(self, table: TablePlan) -> Iterable[tuple[int, ...]]:
        if isinstance(table, PairPlan):
            return self.db.pairs[table.name]
        return [(row,) for row in self.db.tables[table.name]]

    def _cells(self, table: TablePlan, key: tuple[int, ...]) -> list[bytes | None]:
        if isinstance(table, PairPlan):
            return [b"%d" % each for each in key]
        row = self.db.tables[table.name][key[0]]
        return [None if (v := row[name]) is None else v.encode() for name in table.read]


def said(db: World, changes: Iterable[Change], unseen: frozenset[str]) -> Iterator[bytes]:
    """Make changes, and say those that are seen as Postgres would."""
    for table, made, what in changes:
        said_of = list(_said(db, table, what, made=made))
        if table not in unseen:
            yield from said_of


def _said(db: World, table: str, what: Any, *, made: bool) -> Iterator[bytes]:
    if what is None:
        (db.tables[table] if table in db.tables else db.pairs[table]).clear()
        yield truncate(table)
    elif isinstance(what, tuple):
        names = next(plan.read for plan in PLAN.pairs if plan.name == table)
        pair: Row = dict(zip(names, map(str, what), strict=True))
        if made != (what in db.pairs[table]):
            (db.pairs[table].add if made else db.pairs[table].discard)(what)
            yield insert(table, pair) if made else delete(table, pair)
    else:
        row, held = int(what["id"]), db.tables[table]
        if made and row in held:
            was, held[row] = held[row], what
            yield update(table, {name: _left_alone(name, was, what) for name in what})
        elif made:
            held[row] = what
            yield insert(table, what)
        elif row in held:
            yield delete(table, held.pop(row))


def _left_alone(name: str, was: Row, what: Row) -> str | None:
    """Send no large value that an update leaves alone."""
    same = name in OFTEN_LARGE and was[name] == what[name] is not None
    return UNCHANGED if same else what[name]


def documents(db: World) -> dict[tuple[str, int], Document | None]:
    """Return all documents as they are."""
    found: dict[tuple[str, int], Document | None] = {}
    for shape in (PARTNER, ORDER):
        for row in db.tables[shape.table]:
            found[shape.model, row] = followed(db.document(shape, row))
    return found


@contextmanager
def rig(
    folder: Path, limit: int = LIMIT, *, fresh: bool = False, widest: int = 0
) -> Iterator[Rig]:
    """Give a stream whose tables are loaded: they are empty; or where nothing is loaded yet."""
    with engine(folder, limit) as tried:
        yield Rig(tried, fresh=fresh, widest=widest)
