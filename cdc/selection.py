"""Which tables, columns and indexes the routes of a configuration need from a database.

The tree of a document (`schemas.document.Shape`) is laid flat here: every table is held once,
however many documents show its rows, and an index leads from a value to the rows that have it,
downwards (an order's lines) and upwards (the orders that show a partner).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from schemas import domain, mapping
from schemas.config import Config
from schemas.document import Read, Shape
from schemas.fields import Field, Kind, Models
from schemas.shaping import Unreadable, build
from schemas.via import ManyToMany, ManyToOne, OneToMany

EXTERNAL_IDS: Final = "ir_model_data"
LARGE: Final = frozenset(  # kinds whose values Postgres may keep beside the row (TOAST)
    {Kind.TEXT, Kind.TRANSLATED, Kind.COMPANY, Kind.JSON, Kind.BINARY, Kind.NUMERIC}
)
GUARDS: Final = ("write_uid", "write_date")


@dataclass(frozen=True, slots=True, order=True)
class Index:
    """From a value of `column` to the rows that have it; `model` limits it to such rows.

    Where `company` is not 0, the values are those of one company, as `ManyToOne` says.
    """

    table: str
    column: str
    model: str = ""
    company: int = 0
    default: int = 0

    @property
    def name(self) -> str:
        """`sale_order_line.order_id`, `ir_model_data.res_id=sale.order`.

        Of a company `res_partner.property_payment_term_id@1`, with the default behind a colon:
        where either changes, the rows have other values.
        """
        limit = f"={self.model}" if self.model else ""
        whose = f"@{self.company}" if self.company else ""
        return f"{self.table}.{self.column}{limit}{whose}" + (
            f":{self.default}" if self.default else ""
        )


@dataclass(frozen=True, slots=True)
class Table:
    """A table with an `id`, and what is held of its rows.

    `links` are the columns that decide index entries, `columns` the other selected ones,
    `guards` are held and published but never make a change. `only` limits the rows to those
    whose `model_column` has one of the values.
    """

    name: str
    links: tuple[str, ...]
    columns: tuple[str, ...]
    guards: tuple[str, ...]
    indexes: tuple[Index, ...]
    model_column: str = ""
    only: frozenset[str] = frozenset()

    @property
    def read(self) -> tuple[str, ...]:
        """Every column that is read, the key first, none twice."""
        return tuple(dict.fromkeys(("id", *self.links, *self.columns, *self.guards)))


@dataclass(frozen=True, slots=True)
class PairTable:
    """A many2many table: two columns, `left` < `right`; `indexes` from either to the other."""

    name: str
    left: str
    right: str

    @property
    def read(self) -> tuple[str, str]:
        """The two columns, which are the key."""
        return self.left, self.right


@dataclass(frozen=True, slots=True)
class Selection:
    """All that capture holds for a configuration; everything sorted by name."""

    shapes: tuple[Shape, ...]  # the root of each captured model
    tables: tuple[Table, ...]
    pairs: tuple[PairTable, ...]

    @property
    def needs(self) -> tuple[Table | PairTable, ...]:
        """Every captured table, with what is held of it."""
        return *self.tables, *self.pairs

    @property
    def names(self) -> tuple[str, ...]:
        """Every captured table."""
        return tuple(sorted(self.columns))

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """What is read of every captured table."""
        tables = {table.name: table.read for table in self.tables}
        return tables | {pair.name: pair.read for pair in self.pairs}

    @property
    def keys(self) -> dict[str, tuple[str, ...]]:
        """The columns that tell the rows of every captured table apart."""
        return {table.name: ("id",) for table in self.tables} | {
            pair.name: pair.read for pair in self.pairs
        }


def reader(columns: Mapping[str, Sequence[str]]) -> str:
    """Return what Postgres is told of who reads the stream: what it reads, in short.

    `columns` are those of each table, in any order.
    """
    read = json.dumps(sorted((table, sorted(names)) for table, names in columns.items()))
    return f"odoo-cdc-capture {hashlib.sha256(read.encode()).hexdigest()[:12]}"


def index_of(table: str, name: str, via: ManyToOne) -> Index:
    """Return the index from a record to the rows that lead to it by a many2one."""
    return Index(table, name, company=via.company, default=via.default)


def select(config: Config, models: Models) -> Selection:
    """Lay the routes of `config` flat.

    Raises Unknown or Unreadable for what is not there, BadDomain for what no document answers.
    """
    routes = sorted(config.routes, key=lambda route: route.model)
    context = config.source.context
    shapes: list[Shape] = []
    for model, group in groupby(routes, key=lambda route: route.model):
        reads: list[Read] = []
        for route in group:
            live = bool(config.source.odoo)
            reads += [replace(read, live=read.live and live) for read in route.reads()]
            reads += domain.implied_reads(
                route.domain, models, model, context, active_test=route.active_test
            )
            implied = mapping.implied_reads(route.mapping, models, model, context)
            reads += [replace(read, follow=route.follow_lookups) for read in implied]
        reads = [Read("key"), Read("external_id"), *reads]
        shapes.append(build(models, model, reads, context.many2one))
    return flatten(tuple(shapes), models)


def flatten(shapes: tuple[Shape, ...], models: Models) -> Selection:
    """Return the tables that documents of `shapes` are made of."""
    drafts = _Drafts(models)
    for shape in shapes:
        drafts.take(shape)
    return Selection(
        shapes,
        tuple(draft.table() for _, draft in sorted(drafts.tables.items())),
        tuple(pair for _, pair in sorted(drafts.pairs.items())),
    )


@dataclass(slots=True)
class _Draft:
    name: str
    guards: tuple[str, ...]
    columns: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    indexes: set[Index] = field(default_factory=set)
    model_column: str = ""
    only: set[str] = field(default_factory=set)
    whole: bool = False  # some document shows rows whatever their model column says

    def table(self) -> Table:
        limited = bool(self.model_column) and not self.whole
        return Table(
            self.name,
            tuple(sorted(self.links)),
            tuple(sorted(self.columns - self.links)),
            self.guards,
            tuple(sorted(self.indexes)),
            self.model_column if limited else "",
            frozenset(self.only) if limited else frozenset(),
        )


@dataclass(slots=True)
class _Drafts:
    models: Models
    tables: dict[str, _Draft] = field(default_factory=dict)
    pairs: dict[str, PairTable] = field(default_factory=dict)

    def take(self, shape: Shape, *, whole: bool = True) -> _Draft:
        draft = self._draft(shape.model, shape.table)
        draft.whole = draft.whole or whole
        draft.columns.update(column.name for column in shape.columns)
        if shape.external_id:
            self._children("ir.model.data", EXTERNAL_IDS, OneToMany("res_id", "model"), shape)
            self.tables[EXTERNAL_IDS].columns.update(("module", "name"))
        for link in shape.links:
            match link.via:
                case ManyToOne() as via:
                    draft.links.add(link.name)
                    if link.followed:
                        draft.indexes.add(index_of(shape.table, link.name, via))
                    self.take(link.shape)
                case OneToMany() as via:
                    self._children(link.shape.model, link.shape.table, via, shape)
                    self.take(
                        link.shape, whole=not via.model_column or _may_be_left_out(link.shape)
                    )
                case ManyToMany(table, column1, column2):
                    self._pair(f"{shape.model}.{link.name}", table, column1, column2)
                    self.take(link.shape)
        return draft

    def _children(self, model: str, table: str, via: OneToMany, parent: Shape) -> None:
        draft = self._draft(model, table)
        draft.links.add(via.inverse)
        draft.indexes.add(Index(table, via.inverse, parent.model if via.model_column else ""))
        if via.model_column:
            draft.links.add(via.model_column)
            draft.model_column = via.model_column
            draft.only.add(parent.model)

    def _pair(self, name: str, table: str, column1: str, column2: str) -> None:
        if any(model.table == table for model in self.models.by_name.values()):
            raise Unreadable(
                f'the relation table of {name}, "{table}", is a model\'s own table',
                hint="Select the one2many that leads to that model.",
            )
        left, right = sorted((column1, column2))
        self.pairs[table] = PairTable(table, left, right)

    def _draft(self, model: str, table: str) -> _Draft:
        if table not in self.tables:
            fields = self.models.model(model).fields
            guards = tuple(n for n in GUARDS if n in fields and _is_guard(fields[n]))
            self.tables[table] = _Draft(table, guards)
        return self.tables[table]


def _is_guard(found: Field) -> bool:
    """Whether it is a number or a moment, as Odoo has them: short, and left out of comparisons."""
    return found.stored and found.kind in {None, Kind.INTEGER, Kind.DATETIME}


def _may_be_left_out(shape: Shape) -> bool:
    """Whether an update that moves a row here may come without a value, which must be held then.

    Postgres sends no large value that an update leaves alone; Odoo's composer makes attachments
    of another model and moves them.
    """
    of_companies = (
        link for link in shape.links if isinstance(link.via, ManyToOne) and link.via.company
    )
    return any(of_companies) or any(column.kind in LARGE for column in shape.columns)
