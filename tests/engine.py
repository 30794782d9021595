"""The engine over a small shop: tables as dicts, their changes as pgoutput says them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from typing import Any
from unittest.mock import patch

from cdc.engine.compile import compile_plan
from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.fold import LIMIT, Fold
from cdc.engine.keys import index_key
from cdc.engine.plan import Plan
from cdc.engine.records import STALE
from cdc.engine.relations import Relations
from cdc.pgoutput.messages import Relation, RelationColumn
from cdc.selection import flatten
from cdc.shadow.store import Shadow
from schemas.avro import MARKER, SchemaBook, event_schema
from schemas.document import Link, Read, Shape
from schemas.event import Document, Event
from schemas.via import ManyToMany, ManyToOne, OneToMany
from tests.documents import MODELS, shape_of

Row = dict[str, str | None]
Tables = dict[str, dict[int, Row]]
Pairs = dict[str, set[tuple[int, int]]]

TERM = 2  # of a partner that has no payment term of its own
ORDER = shape_of(
    [
        Read("name"),
        Read("amount_total"),
        Read("partner_id.name"),
        Read("partner_id.country_id.code"),
        Read("partner_id.property_payment_term_id.name"),
        Read("user_id.login", follow=False),
        Read("tag_ids.name"),
        Read("order_line", each=True),
        Read("order_line.name"),
        Read("order_line.product_id.name"),
        Read("order_line.tax_id.name"),
    ],
    default=TERM,
)
PARTNER = shape_of(
    [Read("name"), Read("parent_id.id"), Read("property_payment_term_id.id")],
    "res.partner",
    default=TERM,
)
UNCHANGED = "u"  # a TOAST value that an update left alone


@dataclass
class World:
    """What the database holds."""

    tables: Tables = field(default_factory=lambda: {plan.name: {} for plan in PLAN.rows})
    pairs: Pairs = field(default_factory=lambda: {plan.name: set() for plan in PLAN.pairs})

    def document(self, shape: Shape, row: int) -> Document | None:
        """Build a document by looking everything up."""
        held = self.tables[shape.table].get(row)
        if held is None:
            return None
        found: Document = {"id": row}
        found |= {column.name: held[column.name] for column in shape.columns}
        for column in shape.columns:
            if column.name in {"sequence", "priority"} and found[column.name] is not None:
                found[column.name] = int(found[column.name])
        found |= {link.name: self._behind(link, row, held) for link in shape.links}
        return found

    def _behind(self, link: Link, row: int, held: Row) -> Any:
        match link.via:
            case ManyToOne(company=company, default=default):
                value = held[link.name]
                if company:
                    value = json.loads(value or "{}").get("1", default)
                return None if value is None else self.document(link.shape, int(value))
            case OneToMany(inverse, _):
                ids = [
                    i for i, r in self.tables[link.shape.table].items() if r[inverse] == str(row)
                ]
            case ManyToMany(table, column1, column2):
                swapped = column1 > column2
                pairs = {(b, a) if swapped else (a, b) for a, b in self.pairs[table]}
                ids = [other for mine, other in pairs if mine == row]
        found = (self.document(link.shape, other) for other in sorted(ids))
        return [document for document in found if document is not None]


@dataclass
class Engine:
    """The engine on a shadow of its own."""

    shadow: Shadow
    fold: Fold
    events: Events
    book: SchemaBook
    relations: Relations

    def commit(self, messages: Iterable[bytes], lsn: int = 100) -> list[Event]:
        """Fold a transaction and return its events."""
        for message in messages:
            if self.fold.change(message):
                self.fold.spill()
                self.shadow.commit()
                self.shadow.begin()
        stamp = Stamp(lsn, 848_656_800_000_000, 7)
        values = [made.value for made in self.events.of_transaction(stamp)]
        self.fold.finish()
        return [self.book.decode(value) for value in values]

    def contents(self) -> tuple[list[list[tuple[int, bytes]]], list[list[int]]]:
        """Return all that the shadow holds of rows and indexes."""
        shadow = self.shadow
        rows = [list(shadow.rows(plan.number)) for plan in PLAN.rows]
        values = range(4)
        numbers = [entry.index for plan in PLAN.rows for entry in plan.layout.entries]
        numbers += [index for plan in PLAN.pairs for index in (plan.left, plan.right)]
        members = [list(shadow.members(index_key(n, value))) for n in numbers for value in values]
        return rows, members


PLAN: Plan = compile_plan(flatten((PARTNER, ORDER), MODELS))


@contextmanager
def engine(folder: Path, limit: int = LIMIT, records: int = STALE) -> Iterator[Engine]:
    """Give an engine whose tables are all loaded: they are empty.

    `limit` is what a transaction may remember in memory, `records` how many may be led to.
    """
    book = SchemaBook()
    heads = {
        root.rank: MARKER + book.add(_json(event_schema("odoo_a", root.shape)))
        for root in PLAN.roots
    }
    relations = relations_of(PLAN)
    with (
        patch("cdc.engine.records.STALE", records),
        patch("cdc.engine.records.LARGEST", records * 1_000),
        Shadow(folder) as shadow,
    ):
        fold = Fold(PLAN, shadow, relations, limit)
        events = Events(PLAN, fold, 1, heads)
        events.ready = frozenset(heads)
        yield Engine(shadow, fold, events, book, relations)


def relations_of(plan: Plan) -> Relations:
    """Return what the stream has said of the shop's tables, read as a plan wants it."""
    relations = Relations(plan, {})
    for table in PLAN.by_name:
        announce(relations, table)
    return relations


def announce(relations: Relations, table: str, *, keyed: bool = True) -> None:
    """Say how a table is made, with its primary key or without one."""
    plan = PLAN.by_name[table]
    key = plan.loaded_by if keyed else ()
    columns = tuple(RelationColumn(name in key, name, 25, -1) for name in plan.read)
    relations.learn(Relation(int.from_bytes(_oid(table), "big"), "public", table, "d", columns))


def insert(table: str, row: Row) -> bytes:
    """Say that a row was inserted."""
    return b"I" + _oid(table) + b"N" + _tuple(table, row)


def update(table: str, row: Row) -> bytes:
    """Say that a row was updated; UNCHANGED stands for a TOAST value left alone."""
    return b"U" + _oid(table) + b"N" + _tuple(table, row)


def delete(table: str, row: Row) -> bytes:
    """Say that a row was deleted: only its key is told."""
    key = {name: value for name, value in row.items() if name in ("id", *_pair(table))}
    return b"D" + _oid(table) + b"K" + _tuple(table, key)


def truncate(table: str) -> bytes:
    """Say that a table was emptied."""
    return b"T" + pack(">IB", 1, 0) + _oid(table)


def _pair(table: str) -> tuple[str, ...]:
    return next((plan.read for plan in PLAN.pairs if plan.name == table), ())


def _oid(table: str) -> bytes:
    return (1 + list(PLAN.by_name).index(table)).to_bytes(4, "big")


def _tuple(table: str, row: Row) -> bytes:
    cells = [_cell(row.get(name)) for name in PLAN.by_name[table].read]
    return pack(">H", len(cells)) + b"".join(cells)


def _cell(value: str | None) -> bytes:
    if value is None:
        return b"n"
    if value == UNCHANGED:
        return b"u"
    return b"t" + pack(">I", len(value.encode())) + value.encode()


def _json(schema: dict[str, Any]) -> str:
    return json.dumps(schema)
