"""Which cell each column of a relation becomes, compiled once per Relation message.

A relation comes again after any ALTER, index, GRANT or VACUUM, often without a difference. Rows
behind one that is not what the database was seen to have are refused: they would mean something
else. Behind the place where the database was looked at, a relation may be older than that look: a
table that is read from its start after it needs nothing of such rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from cdc.engine.holding import Types
from cdc.engine.plan import Plan, RowPlan, TablePlan
from cdc.engine.split import NULL, SKIP, UNCHANGED, Tuples
from cdc.pgoutput.decoder import MalformedMessage
from cdc.pgoutput.messages import Relation
from schemas.errors import DataAtRisk


class SchemaChanged(DataAtRisk):
    """A captured table is not what it was when capture looked at the database.

    Capture looks again and goes on; `table` is "" where several may be concerned.
    """

    hint = "`odoo-cdc check` holds the routes against the database; start capture again."

    def __init__(self, message: str = "", table: str = "") -> None:
        """Name the table."""
        super().__init__(message)
        self.table = table


class KeyLost(Exception):
    """The rows of `table` cannot be told apart any more: it is to be left out."""

    def __init__(self, table: str) -> None:
        """Name the table."""
        super().__init__(f"{table} has lost its key")
        self.table = table


@dataclass(frozen=True, slots=True)
class Reader:
    """How a relation's tuples are read."""

    plan: TablePlan
    tuples: Tuples


@dataclass(frozen=True, slots=True)
class Looked:
    """When the database was looked at, and what is read from there on; names of tables.

    Up to `until`, an LSN, rows of tables in `skipped` are passed over, and columns in `fresh`
    may be lacking or of another type: a range that is read behind it has them.
    """

    until: int = 0
    skipped: frozenset[str] = frozenset()
    fresh: Mapping[str, frozenset[str]] = field(default_factory=dict)


_NEVER: Final = Looked()
_GONE: Final = "is gone, renamed or not published"
_OTHER: Final = "has another type than it had"
_NONE: Final[frozenset[str]] = frozenset()


class Relations:
    """The captured ones, as the stream has announced them; `readers` by oid, 4 bytes.

    A relation without a reader is one whose rows are refused.
    """

    def __init__(self, plan: Plan, types: Types, looked: Looked = _NEVER) -> None:
        """Know none yet. Selected columns that `types` lacks are not there, or not to be read."""
        self.readers: dict[bytes, Reader | None] = {}
        self._plan = plan
        self._types = types
        self._looked = looked
        self._behind = not looked.until
        self._absent: AbstractSet[str] = _NONE
        self._known: dict[int, Relation] = {}
        self._refused: dict[bytes, SchemaChanged | KeyLost] = {}

    def begin_again(self) -> None:
        """Follow the stream again, maybe from a former place on."""
        self._behind = not self._looked.until
        self._compile_again()

    def begin(self, lsn: int) -> None:
        """Come to a transaction that ends at an LSN."""
        if not self._behind and lsn > self._looked.until:
            self._behind = True
            self._compile_again()

    def leave_out(self, tables: AbstractSet[str]) -> None:
        """Pass over rows of tables that come without all that is read, until others are named.

        Whoever names others has these read again.
        """
        if tables != self._absent:
            self._absent = frozenset(tables)
            self._compile_again()

    def learn(self, relation: Relation) -> None:
        """Take in a relation."""
        known = self._known.get(relation.oid)
        if known == relation:
            return
        self._known[relation.oid] = relation
        self._take(relation, known)

    def plans(self, oids: Iterable[int]) -> list[TablePlan]:
        """Return the captured tables among relations. Raises SchemaChanged."""
        found = []
        for oid in oids:
            key = oid.to_bytes(4, "big")
            refused, reader = self._refused.get(key), self.readers.get(key)
            if isinstance(refused, SchemaChanged):
                raise refused
            if refused is not None:
                found.append(self._plan.by_name[refused.table])
            elif reader is not None:
                found.append(reader.plan)
        return found

    def refusal(self, key: bytes) -> Exception:
        """Return what is to be raised for a row of a relation without a reader."""
        refused = self._refused.get(key)
        if isinstance(refused, KeyLost):
            return KeyLost(refused.table)  # one for each row, or its traceback grows with them
        return refused or MalformedMessage("a row before its relation")

    def refuse_unlike(self, table: str, types: Mapping[str, int]) -> None:
        """Raise SchemaChanged where a range's columns are of other types than they were."""
        made = self._types.get(table, {})
        for name, oid in types.items():
            if name in made and oid != (made[name].base or made[name].type):
                raise SchemaChanged(f"{table}.{name} {_OTHER}", table)

    def _compile_again(self) -> None:
        for relation in self._known.values():
            self._take(relation, None)

    def _take(self, relation: Relation, known: Relation | None) -> None:
        key = relation.oid.to_bytes(4, "big")
        self._refused.pop(key, None)
        try:
            self._refuse_renamed(relation, known)
            self.readers[key] = self._compile(relation)
        except (SchemaChanged, KeyLost) as error:
            self._refused[key] = error  # of no matter before a row comes
            self.readers.pop(key, None)

    def _refuse_renamed(self, relation: Relation, known: Relation | None) -> None:
        """Raise SchemaChanged where a captured table is called another name: it would be lost."""
        if known is None or self._plan_of(known) is None:
            return
        had, has = (f"{one.namespace}.{one.name}" for one in (known, relation))
        if had != has:
            raise SchemaChanged(f"the table {had} is called {has}", known.name)

    def _plan_of(self, relation: Relation) -> TablePlan | None:
        return self._plan.by_name.get(relation.name) if relation.namespace == "public" else None

    def _compile(self, relation: Relation) -> Reader | None:
        plan = self._plan_of(relation)
        if plan is None or plan.name in self._absent:
            return None
        if not self._behind and plan.name in self._looked.skipped:
            return None
        if not all(self._is_read(plan.name, name) for name in plan.loaded_by):
            return None  # whoever needs it waits until it is read again
        places = {column.name: at for at, column in enumerate(relation.columns)}
        slots, blank = [SKIP] * len(places), [NULL] * len(plan.read)
        for cell, name in enumerate(plan.read):
            at = self._place(relation, name, places)
            if at is not None:
                slots[at] = cell
            elif self._is_read(plan.name, name):
                blank[cell] = UNCHANGED
        self._refuse_unidentified(plan, relation, places)
        return Reader(plan, Tuples(slots, blank))

    def _place(self, relation: Relation, name: str, places: Mapping[str, int]) -> int | None:
        """Return where a column stands, None where its value is not known, or SchemaChanged."""
        table = relation.name
        if not self._is_read(table, name):
            return None
        at = places.get(name)
        made = self._types.get(table, {}).get(name)
        if at is not None and (made is None or made.type == relation.columns[at].type_oid):
            return at
        if not self._behind and name in self._looked.fresh.get(table, _NONE) - self._needed(table):
            return None
        raise SchemaChanged(f"{table}.{name} {_GONE if at is None else _OTHER}", table)

    def _needed(self, table: str) -> set[str]:
        """Return the columns without which nothing can be done with a row."""
        plan = self._plan.by_name[table]
        return {*plan.loaded_by, plan.table.model_column if isinstance(plan, RowPlan) else ""}

    def _is_read(self, table: str, name: str) -> bool:
        made = self._types.get(table)
        return made is None or name in made

    def _refuse_unidentified(
        self, plan: TablePlan, relation: Relation, places: Mapping[str, int]
    ) -> None:
        key = plan.loaded_by
        if not all(relation.columns[places[name]].key for name in key):
            raise KeyLost(relation.name)
