"""The forms in which a table's rows are held: which columns, in which order.

A row says by its first two bytes which form it has. Where the routes change, rows are read again
from the database and written in another form; until then those of a former one are given in the
form that is wanted, with `UNCHANGED` for what they do not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from cdc.engine.row import GUARDS_AT, Layout, cells_of, compared_at
from cdc.engine.split import NULL, UNCHANGED

Convert = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Form:
    """Names of columns, in the order of a held row's parts."""

    guards: tuple[str, ...]
    links: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every column whose value such a row holds."""
        return frozenset((*self.guards, *self.links, *self.columns))

    def to_json(self) -> list[list[str]]:
        """Return it as JSON; `from_json` reads it back."""
        return [list(self.guards), list(self.links), list(self.columns)]

    @classmethod
    def from_json(cls, parts: list[Any]) -> Self:
        """Read what `to_json` wrote."""
        guards, links, columns = parts
        return cls(tuple(guards), tuple(links), tuple(columns))


def converter(former: Form, form: Form, layout: Layout) -> Convert:
    """Return what gives rows of a former form in another one, which `layout` packs."""
    guards = _places(form.guards, former, NULL)
    compared = _places(form.links + form.columns, former, UNCHANGED)

    def convert(stored: bytes) -> bytes:
        at = compared_at(stored)
        cells = [*cells_of(stored[:at], GUARDS_AT), *cells_of(stored, at), NULL, UNCHANGED]
        return layout.join([cells[i] for i in guards], [cells[i] for i in compared])

    return convert


def _places(names: tuple[str, ...], former: Form, missing: bytes) -> list[int]:
    """Return where each value stands among a former row's cells, or the cell of none."""
    held = (*former.guards, *former.links, *former.columns)
    places: Mapping[str, int] = {name: at for at, name in enumerate(held)}
    none = len(held) + (missing == UNCHANGED)
    return [places.get(name, none) for name in names]
