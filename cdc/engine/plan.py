"""What the engine does with every table; `compile` makes it, once, from the selection.

Tables and indexes have the numbers that the shadow holds them by (`cdc.engine.holding`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cdc.engine.encode import Node
from cdc.engine.reach import Use
from cdc.engine.row import Layout
from cdc.engine.split import Cells
from cdc.selection import PairTable, Table
from schemas.document import Shape


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A table with an `id`."""

    table: Table
    number: int
    layout: Layout
    model_cell: int = -1  # with `allowed`: rows whose cell is none of these are not held
    allowed: frozenset[bytes] = frozenset()
    loaded_by: tuple[str, ...] = ("id",)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    def holds(self, cells: Cells) -> bool:
        """Whether a row is one that documents may show."""
        return self.model_cell < 0 or cells[self.model_cell] in self.allowed

    @property
    def read(self) -> tuple[str, ...]:
        """The selected columns, in the order of the cells."""
        return self.table.read


@dataclass(frozen=True, slots=True)
class PairPlan:
    """A many2many table: `left` leads from the left column's value to the right one's."""

    table: PairTable
    number: int
    left: int
    right: int

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def read(self) -> tuple[str, ...]:
        """The two columns."""
        return self.table.read

    @property
    def loaded_by(self) -> tuple[str, ...]:
        """The two columns, which are the key."""
        return self.table.read


TablePlan = RowPlan | PairPlan


@dataclass(frozen=True, slots=True)
class Root:
    """One captured model: how its documents are written, and which tables they need."""

    rank: int  # place among the captured models, sorted by name
    shape: Shape
    node: Node
    write_date: int  # place among the guards, or -1
    write_uid: int
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """All of it.

    `uses` says by table number which documents a row of the table shows up in; `nodes` counts
    the places that records have in documents.
    """

    rows: tuple[RowPlan, ...]
    pairs: tuple[PairPlan, ...]
    roots: tuple[Root, ...]
    uses: tuple[tuple[Use, ...], ...]
    by_name: Mapping[str, TablePlan]
    by_number: Mapping[int, TablePlan]
    by_left_index: Mapping[int, PairPlan]
    layouts: Mapping[int, Layout]  # by table number
    told_apart: frozenset[int]  # tables whose rows show up here with these columns, there others
    nodes: int
