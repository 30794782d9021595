"""A record that is not there yet, as the table that `load` takes. Pure.

`load` is the one public call that makes a record, its lines and their names in `ir_model_data` in
one transaction: a crash leaves all of it, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from streams.applying.facts import Facts
from streams.applying.values import cell, main_text
from streams.applying.wanted import Lines, Many, One, Ref, Scalar, Value, Wanted

ID: Final = "id"  # `load`'s column of external ids
BY_NUMBER: Final = "/.id"
SEQUENCE: Final = "sequence"
STEP: Final = 10  # between the sequences of two lines, as Odoo numbers them

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of one call of `load`."""

    columns: list[str]
    rows: list[list[str]]


class Rows:
    """Writes records as rows."""

    def __init__(self, facts: Facts, ids: Mapping[Ref, int], lang: str) -> None:
        """`ids` are of all that is referred to; of translated fields the text in `lang` counts."""
        self._facts = facts
        self._ids = ids
        self._lang = lang

    def table(self, records: Sequence[tuple[str, Wanted, Mapping[str, str]]]) -> Table:
        """Return records of one model: each its external id, what is wanted, more cells."""
        rows = [row for name, wanted, more in records for row in self._of(name, wanted, more)]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        return Table(columns, [[row.get(column, "") for column in columns] for row in rows])

    def _of(self, name: str, wanted: Wanted, more: Mapping[str, str]) -> list[Row]:
        """Return the rows of one record: its own cells, and beside and below them its lines'."""
        own: Row = {ID: name, **more}
        blocks: list[list[Row]] = []
        for field, value in wanted.values.items():
            if isinstance(value, Lines):
                blocks.append(self._inside(wanted.model, field, value))
            else:
                own |= self._cell(wanted.model, field, value)
        beside = [_joined(rows) for rows in zip_longest(*blocks)]
        first = beside[0] if beside else {}
        return [{**own, **first}, *beside[1:]]

    def _inside(self, model: str, field: str, value: Lines) -> list[Row]:
        fact = self._facts.of(model)[field]
        rows: list[Row] = []
        for place, line in enumerate(value.lines, 1):
            more = self.order(fact.relation, line.wanted, place)
            rows += self._of(line.key, line.wanted, more)
        return [{f"{field}/{name}": each for name, each in row.items()} for row in rows]

    def order(self, model: str, wanted: Wanted, place: int) -> dict[str, str]:
        """Return the cell that keeps a line in its place, where its model has such a field."""
        return {name: str(number) for name, number in in_order(self._facts, model, wanted, place)}

    def _cell(self, model: str, field: str, value: Value) -> Row:
        match value:
            case One(ref):
                return {f"{field}{BY_NUMBER}": "" if ref is None else str(self._ids[ref])}
            case Many(refs):
                numbers = ",".join(str(self._ids[ref]) for ref in refs)
                return {f"{field}{BY_NUMBER}": numbers}
            case Scalar(inside):
                fact = self._facts.of(model)[field]
                return {field: cell(fact, main_text(inside, self._lang))}
            case Lines():
                return {}


def in_order(facts: Facts, model: str, wanted: Wanted, place: int) -> Iterator[tuple[str, int]]:
    """Give (field, number) that keeps a line in its place, counted from 1."""
    fact = facts.of(model).get(SEQUENCE)
    if fact is not None and fact.type == "integer" and SEQUENCE not in wanted.values:
        yield SEQUENCE, place * STEP


def _joined(rows: Sequence[Any]) -> Row:
    """Put what stands side by side into one row."""
    found: Row = {}
    for row in rows:
        found |= row or {}
    return found
