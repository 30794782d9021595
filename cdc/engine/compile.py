"""From a selection to the plan: numbers, layouts, and every way from a row to its documents."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from struct import pack
from typing import Final, assert_never

from cdc.engine.encode import ENCODERS, ExternalId, Many, Node, One
from cdc.engine.holding import Holding, held_for, indexes_of
from cdc.engine.plan import PairPlan, Plan, Root, RowPlan, TablePlan
from cdc.engine.reach import ALL, EXISTENCE, Climb, Owner, Parent, Scan, Use, Whole
from cdc.engine.row import Entries, Layout
from cdc.selection import EXTERNAL_IDS, Index, PairTable, Selection, Table, index_of
from schemas.document import Link, Shape
from schemas.via import ManyToMany, ManyToOne, OneToMany

_MODEL_COLUMNS: Final = ("model", "res_model")  # beside a plain integer: whose id it is


def compile_plan(selection: Selection, holding: Holding | None = None) -> Plan:
    """Lay out the rows and documents of a selection, with the numbers that they are held by.

    Without `holding`, which has them, nothing is held yet.
    """
    return _Compiler(selection, holding or held_for(selection)).plan()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in a document a record stands.

    `climb` leads from it to the root; None where nothing leads up: its rows change no document.
    A changed row starts at the record itself, or at the one that it belongs to.
    """

    rank: int
    tables: set[str]  # that the documents need
    start: Whole | Owner
    climb: Climb | None

    def below(self, start: Whole | Owner, up: Scan | Parent | None) -> _Place:
        """Return the place of a record that this one shows; `up` leads back."""
        climb = None if self.climb is None or up is None else (up, *self.climb)
        return _Place(self.rank, self.tables, start, climb)


@dataclass(slots=True)
class _Compiler:
    selection: Selection
    holding: Holding
    indexes: dict[str, int] = field(default_factory=dict)  # by name
    rows: dict[str, RowPlan] = field(default_factory=dict)
    pairs: dict[str, PairPlan] = field(default_factory=dict)
    uses: dict[int, list[Use]] = field(default_factory=dict)
    nodes: int = 0

    def plan(self) -> Plan:
        for held in self.holding.tables.values():
            self.indexes |= held.indexes
        self.rows = {table.name: self._row_plan(table) for table in self.selection.tables}
        self.pairs = {pair.name: self._pair_plan(pair) for pair in self.selection.pairs}
        roots = tuple(self._root(rank, shape) for rank, shape in enumerate(self.selection.shapes))
        by_name: dict[str, TablePlan] = {**self.rows, **self.pairs}
        uses = tuple(tuple(self.uses.get(n, ())) for n in range(self.holding.next_table))
        return Plan(
            rows=tuple(self.rows.values()),
            pairs=tuple(self.pairs.values()),
            roots=roots,
            uses=uses,
            by_name=by_name,
            by_number={plan.number: plan for plan in by_name.values()},
            by_left_index={pair.left: pair for pair in self.pairs.values()},
            layouts={plan.number: plan.layout for plan in self.rows.values()},
            told_apart=frozenset(
                number for number, found in enumerate(uses) if len({u.cells for u in found}) > 1
            ),
            nodes=self.nodes,
        )

    def _number(self, table: str) -> int:
        return self.holding.tables[table].number

    def _row_plan(self, table: Table) -> RowPlan:
        cells = {name: cell for cell, name in enumerate(table.read)}
        layout = Layout(
            head=self.holding.tables[table.name].form.to_bytes(2, "big"),
            links=len(table.links),
            compared=len(table.links) + len(table.columns),
            guards=tuple(cells[name] for name in table.guards),
            written=table.guards[:1] == ("write_uid",),
            entries=tuple(self._entries(index, table) for index in table.indexes),
        )
        return RowPlan(
            table,
            self._number(table.name),
            layout,
            cells[table.model_column] if table.model_column else -1,
            frozenset(_cell(name) for name in table.only),
        )

    def _entries(self, index: Index, table: Table) -> Entries:
        number, link = self.indexes[index.name], table.links.index(index.column)
        if not index.model:
            return Entries(number, link, via=ManyToOne(index.company, index.default))
        limit = next(n for n in _MODEL_COLUMNS if n in table.links)
        return Entries(number, link, table.links.index(limit), index.model.encode())

    def _pair_plan(self, pair: PairTable) -> PairPlan:
        return PairPlan(
            pair,
            self._number(pair.name),
            *(self.indexes[name] for name in indexes_of(pair)),
        )

    def _root(self, rank: int, shape: Shape) -> Root:
        tables: set[str] = set()
        node = self._node(shape, _Place(rank, tables, Whole(), ()), ())
        guards = self.rows[shape.table].table.guards
        return Root(
            rank,
            shape,
            node,
            guards.index("write_date") if "write_date" in guards else -1,
            guards.index("write_uid") if "write_uid" in guards else -1,
            frozenset(tables),
        )

    def _use(self, table: str, use: Use) -> None:
        self.uses.setdefault(self._number(table), []).append(use)

    def _node(self, shape: Shape, place: _Place, above: tuple[int, ...]) -> Node:
        """Compile one record of a document; `above` are the nodes between it and the root."""
        place.tables.add(shape.table)
        number, self.nodes = self.nodes, self.nodes + 1
        nodes = (number, *above)
        plan = self.rows[shape.table]
        kinds = {column.name: column.kind for column in shape.columns}
        names = plan.table.links + plan.table.columns
        shown = [name for name in names if name in kinds]
        linked = _linked(shape)
        self._note_use(shape.table, place, nodes, {*shown, *linked})
        external_id = None
        if shape.external_id:
            external_id = self._external_id(shape, place, nodes)
        return Node(
            number=number,
            table=plan.number,
            kept=place.climb is not None and _followed(shape),
            cells=tuple(
                (ENCODERS[kinds[n]] if n in kinds else None, linked.get(n)) for n in names
            ),
            # A column may be shown here and decide an index there: it stands among the links.
            order=None if shown == sorted(shown) else _order(shown),
            external_id=external_id,
            parts=tuple(self._part(shape, link, place, nodes) for link in shape.links),
        )

    def _note_use(
        self, table: str, place: _Place, nodes: tuple[int, ...], shown: AbstractSet[str]
    ) -> None:
        """Note how a changed row of this node leads to the root."""
        if place.climb is None:
            return
        cells = self._bits(table, shown)
        match place.start:
            case Whole():
                use = Use(place.rank, place.start, place.climb, nodes, cells)
            case Owner(entries):
                cells |= _links_of(entries)
                above = nodes[1:]
                use = Use(place.rank, place.start, place.climb[1:], above, cells, part=nodes[0])
            case _:
                assert_never(place.start)
        self._use(table, use)

    def _bits(self, table: str, names: AbstractSet[str]) -> int:
        """Return which of a table's compared cells these columns are."""
        read = self.rows[table].table
        shown = (1 << i for i, name in enumerate(read.links + read.columns) if name in names)
        return sum(shown, EXISTENCE)

    def _part(self, shape: Shape, link: Link, place: _Place, nodes: tuple[int, ...]) -> One | Many:
        child = link.shape
        match link.via:
            case ManyToOne() as via:
                index = self.indexes.get(index_of(shape.table, link.name, via).name, -1)
                below = place.below(Whole(), Scan(index) if link.followed else None)
                links = [n for n in self.rows[shape.table].table.links if n in _linked(shape)]
                return One(links.index(link.name), self._node(child, below, nodes))
            case OneToMany(inverse, model_column):
                entries = self._child_entries(child.table, inverse, model_column, shape.model)
                up = Parent(self._number(child.table), entries)
                below = place.below(Owner(entries), up)
                return Many(entries.index, self._node(child, below, nodes))
            case ManyToMany(table, column1, column2):
                place.tables.add(table)
                down = self.indexes[f"{table}.{column1}"]
                if place.climb is not None:
                    owner = Owner(Entries(down, column1 > column2))
                    self._use(table, Use(place.rank, owner, place.climb, nodes, ALL))
                index = self.indexes[f"{table}.{column2}"]
                below = place.below(Whole(), Scan(index) if link.followed else None)
                return Many(down, self._node(child, below, nodes))

    def _child_entries(self, table: str, inverse: str, model_column: str, model: str) -> Entries:
        index = Index(table, inverse, model if model_column else "")
        number = self.indexes[index.name]
        return next(e for e in self.rows[table].layout.entries if e.index == number)

    def _external_id(self, shape: Shape, place: _Place, nodes: tuple[int, ...]) -> ExternalId:
        place.tables.add(EXTERNAL_IDS)
        entries = self._child_entries(EXTERNAL_IDS, "res_id", "model", shape.model)
        if place.climb is not None:
            cells = self._bits(EXTERNAL_IDS, {"module", "name"}) | _links_of(entries)
            use = Use(place.rank, Owner(entries), place.climb, nodes, cells)
            self._use(EXTERNAL_IDS, use)
        plan = self.rows[EXTERNAL_IDS]
        return ExternalId(
            entries.index,
            plan.number,
            module=plan.read.index("module") - 1,
            name=plan.read.index("name") - 1,
        )


def _linked(shape: Shape) -> dict[str, ManyToOne]:
    """Return the columns that lead to other records of the document, and how."""
    return {link.name: link.via for link in shape.links if isinstance(link.via, ManyToOne)}


def _links_of(entries: Entries) -> int:
    """Return which cells decide the entries of an index."""
    return 1 << entries.link | (1 << entries.limit if entries.limit >= 0 else 0)


def _order(names: list[str]) -> tuple[int, ...]:
    """Return the places that sort the names."""
    return tuple(names.index(name) for name in sorted(names))


def _cell(text: str) -> bytes:
    data = text.encode()
    return b"t" + pack(">I", len(data)) + data


def _followed(shape: Shape) -> bool:
    return all(link.followed and _followed(link.shape) for link in shape.links)
