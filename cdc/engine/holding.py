"""What a shadow holds, by name and number, and what another selection makes of it. Pure.

Numbers of tables and indexes are part of every key: once given they never mean anything else.
Where the routes change, a table whose rows, indexes or limits must be others is read again; what
nobody selects any more is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

from cdc.engine.forms import Form
from cdc.selection import PairTable, Selection, Table
from schemas.document import Shape


class Attribute(NamedTuple):
    """How a column is made: its type's oid, its `attnum`, and its type's modifier.

    The number tells a column from one that had its name before. The modifier is -1 where it
    changes no value. `base` is what a domain is made of, 0 for any other type: the stream names
    the domain, a query's result its base. `made` is the transaction that last altered the column
    (the `xmin` of its row in pg_attribute), `file` the table's `relfilenode`; 0 is not known.
    """

    type: int
    number: int = 0
    modifier: int = -1
    base: int = 0
    made: int = 0
    file: int = 0

    def is_as(self, found: Attribute | None) -> bool:
        """Say whether what was read of the column is what it holds, but for what the stream tells.

        ALTER TABLE ... USING writes all rows anew, and the stream does not tell: both the column
        was altered and the table has another file. VACUUM FULL and TRUNCATE alter no column, SET
        NOT NULL writes no rows.
        """
        if found is None or self[:4] != found[:4]:
            return False
        return 0 in (self.file, found.file) or self.made == found.made or self.file == found.file


def same(was: Attribute | None, found: Attribute | None) -> bool:
    """Say whether a column is there as it was, or is still not there."""
    return found is None if was is None else was.is_as(found)


Types = Mapping[str, Mapping[str, Attribute]]  # table -> column; one that is not read is not there


@dataclass(frozen=True, slots=True)
class HeldTable:
    """One table; `forms` are those that its rows may have, the last one is written.

    A many2many table has no rows and no form. `only` as `Table` has it. `lacks` says that
    something of what is selected is not read yet.
    """

    number: int
    indexes: Mapping[str, int]  # by name
    types: Mapping[str, Attribute]  # how the columns were made when they were read, by name
    forms: Mapping[int, Form] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    lacks: bool = True

    @property
    def form(self) -> int:
        """The number of the form that is written; 0 for a many2many table."""
        return max(self.forms, default=0)

    @property
    def first(self) -> bool:
        """Whether none of what its rows are to hold was read to the end."""
        return self.lacks and len(self.forms) == 1

    @property
    def columns(self) -> frozenset[str]:
        """The columns that every row holds, whatever its form."""
        return frozenset.intersection(*(form.names for form in self.forms.values()))

    def altered(self, need: Table | PairTable, types: Mapping[str, Attribute]) -> frozenset[str]:
        """Return the columns that are held of `need` and were made otherwise than in `types`."""
        names = {"id", *self.columns} if self.forms else set(need.read)
        names &= set(need.read)
        return frozenset(name for name in names if not same(self.types.get(name), types.get(name)))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; `from_json` reads it back."""
        return {
            "number": self.number,
            "indexes": dict(self.indexes),
            "types": dict(self.types),
            "forms": {str(number): form.to_json() for number, form in self.forms.items()},
            "only": sorted(self.only),
            "lacks": self.lacks,
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        forms = {int(n): Form.from_json(form) for n, form in found["forms"].items()}
        return cls(
            found["number"],
            found["indexes"],
            {name: _attribute(made) for name, made in found["types"].items()},
            forms,
            frozenset(found["only"]),
            found["lacks"],
        )


def _attribute(made: list[int] | int) -> Attribute:
    """Read how a column is made; of a shadow that has its type alone, it is read again."""
    return Attribute(made) if isinstance(made, int) else Attribute(*made)


@dataclass(frozen=True, slots=True)
class Holding:
    """All tables, by name, and the shapes of the documents that are published.

    `next_table` and `next_index` are the numbers that nothing had yet.
    """

    tables: Mapping[str, HeldTable] = field(default_factory=dict)
    next_table: int = 0
    next_index: int = 0
    shapes: tuple[Shape, ...] = ()

    def lacks(self, selection: Selection) -> bool:
        """Say whether documents of a selection cannot be built yet from what is held."""
        return any(
            need.name not in self.tables or _lacks(self.tables[need.name], need)
            for need in selection.needs
        )

    def read(self, reading: Collection[str]) -> Holding:
        """Return what is held once no other tables than `reading` are still being read."""
        tables = {
            name: held
            if name in reading
            else replace(
                held, lacks=False, forms={n: f for n, f in held.forms.items() if n == held.form}
            )
            for name, held in self.tables.items()
        }
        return replace(self, tables=tables)

    def to_json(self) -> dict[str, Any]:
        """Return it as a note of the shadow."""
        return {
            "tables": {name: held.to_json() for name, held in self.tables.items()},
            "next": [self.next_table, self.next_index],
            "shapes": [shape.to_json() for shape in self.shapes],
        }

    @classmethod
    def from_json(cls, note: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        next_table, next_index = note["next"]
        return cls(
            {name: HeldTable.from_json(held) for name, held in note["tables"].items()},
            next_table,
            next_index,
            tuple(Shape.from_json(shape) for shape in note["shapes"]),
        )


class Dropped(NamedTuple):
    """Keys to be dropped: a table's rows, or an index."""

    kind: str  # rows | index
    number: int


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is held for another selection.

    `again` are the tables to read from the start, `dropped` is what nobody asks for.
    """

    holding: Holding
    again: frozenset[str]
    dropped: tuple[Dropped, ...]


def fit(holding: Holding, selection: Selection, types: Types) -> Fitted:
    """Give a selection its numbers and forms, beside those that are held."""
    fitting = _Fitting(holding, types)
    for need in sorted(selection.needs, key=lambda need: need.name):
        fitting.take(need)
    return fitting.done()


def held_for(selection: Selection) -> Holding:
    """Return what a shadow would hold that began with a selection."""
    return fit(Holding(), selection, {}).holding


def form_of(table: Table) -> Form:
    """Return the form that the rows of a table are written in."""
    return Form(table.guards, table.links, table.columns)


def indexes_of(need: Table | PairTable) -> tuple[str, ...]:
    """Return the names of a table's indexes; of a many2many table one for each direction."""
    if isinstance(need, PairTable):
        return f"{need.name}.{need.left}", f"{need.name}.{need.right}"
    return tuple(sorted(index.name for index in need.indexes))


class _Fitting:
    def __init__(self, holding: Holding, types: Types) -> None:
        self._holding = holding
        self._types = types
        self._tables: dict[str, HeldTable] = {}
        self._next_table, self._next_index = holding.next_table, holding.next_index
        self._again: set[str] = set()
        self._dropped: list[Dropped] = []

    def take(self, need: Table | PairTable) -> None:
        held = self._holding.tables.get(need.name)
        if held is None:
            number, self._next_table = self._next_table, self._next_table + 1
            held = HeldTable(number, {}, {})
            self._again.add(need.name)
        forms = dict(held.forms)
        only: frozenset[str] = frozenset()
        if isinstance(need, Table):
            only, form = need.only, form_of(need)
            if not forms or forms[held.form] != form:
                forms[held.form + 1] = form
                self._again.add(need.name)
        indexes = self._indexes(held, indexes_of(need))
        if indexes != held.indexes or only != held.only:
            self._again.add(need.name)
        found = self._types.get(need.name, held.types)
        types = {name: found[name] for name in need.read if name in found}
        self._tables[need.name] = HeldTable(
            held.number, indexes, types, forms, only, lacks=_lacks(held, need)
        )

    def done(self) -> Fitted:
        for name, held in self._holding.tables.items():
            if name not in self._tables:
                self._dropped.append(Dropped("rows", held.number))
                self._dropped += [Dropped("index", number) for number in held.indexes.values()]
        holding = replace(
            self._holding,
            tables=self._tables,
            next_table=self._next_table,
            next_index=self._next_index,
        )
        return Fitted(holding, frozenset(self._again), tuple(self._dropped))

    def _indexes(self, held: HeldTable, names: Iterable[str]) -> dict[str, int]:
        found = {}
        for name in names:
            if name in held.indexes:
                found[name] = held.indexes[name]
            else:
                found[name], self._next_index = self._next_index, self._next_index + 1
        gone = (number for name, number in held.indexes.items() if name not in found)
        self._dropped += [Dropped("index", number) for number in gone]
        return found


def _lacks(held: HeldTable, need: Table | PairTable) -> bool:
    if held.lacks or not set(indexes_of(need)) <= set(held.indexes):
        return True
    if isinstance(need, PairTable):
        return False
    wider = bool(held.only) and not (need.only and need.only <= held.only)
    return wider or not form_of(need).names <= held.columns
