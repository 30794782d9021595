"""Which cell each column of a relation becomes, compiled once per Relation message.

A relation comes again after any ALTER, index, GRANT or VACUUM, often without a difference. One
that changes a selected column is refused: rows behind it would mean something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cdc.engine.plan import Plan, RowPlan, TablePlan
from cdc.engine.split import SKIP, Slots
from cdc.pgoutput.messages import Relation
from schemas.errors import DataAtRisk

Types = Mapping[str, Mapping[str, int]]  # table -> column -> type oid
_START_OVER = (
    "Stop capture and move its folder below `state:` away; then `odoo-cdc capture --recover` loads"
    " everything again and sends it."
)


class SchemaChanged(DataAtRisk):
    """A selected column is not what it was when its table was loaded."""

    hint = f"Correct the routes that read it (`odoo-cdc check`). {_START_OVER}"


@dataclass(frozen=True, slots=True)
class Reader:
    """How a relation's tuples are read."""

    plan: TablePlan
    slots: Slots
    size: int
    columns: int


@dataclass(slots=True)
class Relations:
    """What the stream has said of tables; `readers` is keyed by the 4 bytes of the oid."""

    plan: Plan
    types: Types
    readers: dict[bytes, Reader | None] = field(default_factory=dict)
    _known: dict[int, Relation] = field(default_factory=dict)

    def learn(self, relation: Relation) -> None:
        """Take in a relation. Raises SchemaChanged."""
        if self._known.get(relation.oid) == relation:
            return
        self._refuse_renamed(relation)
        self._known[relation.oid] = relation
        self.readers[relation.oid.to_bytes(4, "big")] = self._compile(relation)

    def plans(self, oids: Iterable[int]) -> list[TablePlan]:
        """Return the captured tables among relations."""
        readers = (self.readers.get(oid.to_bytes(4, "big")) for oid in oids)
        return [reader.plan for reader in readers if reader is not None]

    def _refuse_renamed(self, relation: Relation) -> None:
        """Raise SchemaChanged where a captured table is called another name: it would be lost."""
        known = self._known.get(relation.oid)
        if known is None or self.readers.get(relation.oid.to_bytes(4, "big")) is None:
            return
        had, has = (f"{one.namespace}.{one.name}" for one in (known, relation))
        if had != has:
            raise SchemaChanged(f"the table {had} is called {has}")

    def _compile(self, relation: Relation) -> Reader | None:
        plan = self.plan.by_name.get(relation.name)
        if plan is None or relation.namespace != "public":
            return None
        places = {column.name: at for at, column in enumerate(relation.columns)}
        for name in plan.read:
            self._compare(relation, name, places)
        key = ("id",) if isinstance(plan, RowPlan) else plan.read
        if not all(relation.columns[places[name]].key for name in key):
            raise SchemaChanged(
                f"{relation.name}: {', '.join(key)} no longer identify its rows",
                hint="Give the table its primary key back. " + _START_OVER,
            )
        slots = [SKIP] * (1 + max(places[name] for name in plan.read))
        for cell, name in enumerate(plan.read):
            slots[places[name]] = cell
        return Reader(plan, tuple(slots), len(plan.read), len(relation.columns))

    def _compare(self, relation: Relation, name: str, places: Mapping[str, int]) -> None:
        if name not in places:
            raise SchemaChanged(f"{relation.name}.{name} is gone, renamed or not published")
        had = self.types.get(relation.name, {}).get(name)
        has = relation.columns[places[name]].type_oid
        if had is not None and had != has:
            raise SchemaChanged(f"{relation.name}.{name} has another type than it had")
