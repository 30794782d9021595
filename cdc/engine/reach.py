"""From a changed row up to the documents that show it.

A use says how a table's rows show up in the documents of one model: where to start, and which
steps lead to the root. Ways are walked through what holds and what held when the transaction
began, both at once: a document too many costs a comparison, one too few would be a loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from cdc.engine.row import Entries, Links


@dataclass(frozen=True, slots=True)
class Whole:
    """Start at the row itself."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Start at the record that the row belongs to: the value of one of its links."""

    entries: Entries


@dataclass(frozen=True, slots=True)
class Scan:
    """Go on to every row that has this one's id as its value in an index."""

    index: int


@dataclass(frozen=True, slots=True)
class Parent:
    """Go on to the record that this row of a table belongs to."""

    table: int
    entries: Entries


EXISTENCE: Final = 1 << 62  # a document may show nothing of a row but that it is there
ALL: Final = -1  # every cell: a row that came or went, or a pair

Climb = tuple[Scan | Parent, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """One place in the documents of a model; `rank` is the model's.

    `nodes` are the places in the document that the climb comes by, from its start to the root.
    `cells` are those compared cells, as bits, that the document shows or is put together by.
    `part` is the row's own place, where the climb does not start at the row.
    """

    rank: int
    start: Whole | Owner
    climb: Climb
    nodes: tuple[int, ...]
    cells: int
    part: int = -1

    @property
    def spreads(self) -> bool:
        """Whether one row shows up in any number of documents, which only look it up."""
        return any(isinstance(step, Scan) for step in self.climb)

    def starts(self, row: int, links: Iterable[Links]) -> set[int]:
        """Return where the climb starts; `links` are those that the row had and has."""
        if isinstance(self.start, Whole):
            return {row}
        value_of = self.start.entries.value
        return {value for each in links if (value := value_of(each)) is not None}


class Ways(Protocol):
    """The rows and indexes of both moments."""

    def members(self, index: int, value: int) -> Iterable[int]:
        """Return the ids that an index has or had for a value."""

    def owners(self, table: int, row: int, entries: Entries) -> Iterable[int]:
        """Return the values that a row has or had."""


Come = Callable[[int, Iterable[int]], object]
"""Takes a node and the records that the climb has come to there."""


def roots(use: Use, starts: set[int], ways: Ways, come: Come) -> set[int]:
    """Return the root ids that the climb leads to."""
    ids = starts
    for step, node in zip(use.climb, use.nodes, strict=False):
        if not ids:
            return ids
        come(node, ids)
        if isinstance(step, Scan):
            ids = {found for one in ids for found in ways.members(step.index, one)}
        else:
            ids = {found for one in ids for found in ways.owners(step.table, one, step.entries)}
    come(use.nodes[-1], ids)
    return ids
