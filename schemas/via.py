"""How a relational field leads from a record to others, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_CAST: Final = re.compile("0*[0-9]{1,10}")
_LARGEST: Final = 2**31 - 1  # Odoo's ids
_MOST: Final = 2**63 - 1  # what a column can hold


@dataclass(frozen=True, slots=True)
class ManyToOne:
    """The record's own column of the link's name holds the other's id.

    Where `company` is not 0, the field depends on the company: the column holds the ids of all,
    {"1": 7}, and that company's counts; where it has none, `default`, 0 for no record.
    """

    company: int = 0
    default: int = 0

    def id_of(self, text: str | bytes | None) -> int | None:
        """Return the other's id, from the column's text; None for no record.

        Where it depends on the company, what Odoo never wrote is no record; else ValueError.
        """
        if not self.company:
            return None if text is None else _id_of(text)
        name = str(self.company)
        try:
            values = {} if text is None else json.loads(text)
        except (ValueError, RecursionError):  # JSON, but more than can be read of it
            return None
        found = values.get(name, self.default) if isinstance(values, dict) else None
        if isinstance(found, str) and _CAST.fullmatch(found):  # Postgres would cast it
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            return None
        return found if 0 < found <= _LARGEST else None


def _id_of(text: str | bytes) -> int | None:
    """Read an id; a negative one is none of Odoo's."""
    number = int(text)
    if number > _MOST:
        raise ValueError(text)
    return number if number >= 0 else None


@dataclass(frozen=True, slots=True)
class OneToMany:
    """The other's column holds this record's id; `model_column` must hold this model's name."""

    inverse: str
    model_column: str = ""


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """A table of pairs: `column1` holds this record's id, `column2` the other's."""

    table: str
    column1: str
    column2: str


Via = ManyToOne | OneToMany | ManyToMany


def to_json(via: Via) -> list[str]:
    """Return it as JSON; `from_json` reads it back."""
    match via:
        case ManyToOne(0):
            return ["many2one"]
        case ManyToOne(company, default):
            return ["many2one", str(company), str(default)]
        case OneToMany(inverse, model_column):
            return ["one2many", inverse, model_column]
        case ManyToMany(table, column1, column2):
            return ["many2many", table, column1, column2]


def from_json(value: Sequence[str]) -> Via:
    """Read what `to_json` wrote."""
    kind, *names = value
    match kind:
        case "many2one":
            return ManyToOne(*map(int, names))
        case "one2many":
            return OneToMany(*names)
        case "many2many":
            return ManyToMany(*names)
        case _:
            raise ValueError(f"not a kind of link: {kind!r}")
