"""Odoo's models and fields, as `ir_model_fields` and the tables describe them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from schemas.errors import BadUsage

_ALIKE: Final = 0.6


class Kind(StrEnum):
    """How a value travels: the form of its text in Postgres and of its JSON."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    FLOAT = "float"  # double precision: a JSON number
    NUMERIC = "numeric"  # monetary and floats with digits: a string that keeps its digits
    TEXT = "text"  # char, text, html, selection, reference
    DATE = "date"
    DATETIME = "datetime"
    TRANSLATED = "translated"  # jsonb, language -> text
    COMPANY = "company"  # jsonb, company id -> value
    JSON = "json"
    BINARY = "binary"


class Unknown(BadUsage):
    """Odoo has no such model or field."""

    hint = "Write a name that Odoo has: Settings, Technical, Models lists them."

    def __init__(
        self, message: str, *, nearest: str = "", about: str = "", hint: str = ""
    ) -> None:
        """Name the nearest valid name where there is one, and say what it is about."""
        more = f" ({about})" if about else ""
        near = f'Did you mean "{nearest}"{more}?' if nearest else ""
        super().__init__(message, hint=hint or near)
        self.nearest = nearest


def nearest(name: str, valid: Iterator[str] | list[str], *, least: float = _ALIKE) -> str:
    """Return the valid name most like `name`, or "" where none is alike.

    `least` is how much they must have in common, of 1: more where long names share long parts.
    """
    return next(iter(alike(name, list(valid), most=1, least=least)), "")


def alike(name: str, valid: list[str], *, most: int = 3, least: float = _ALIKE) -> list[str]:
    """Return the valid names most like `name`, the nearest first."""
    return difflib.get_close_matches(name, valid, n=most, cutoff=least)


@dataclass(frozen=True, slots=True)
class Field:
    """One row of `ir_model_fields`, and whether the model's table has a column of that name."""

    name: str
    type: str  # Odoo's ttype
    kind: Kind | None = None  # None: relational or without a column
    relation: str = ""  # the other model of a relational field
    inverse: str = ""  # one2many: the many2one (or integer) in the other model
    table: str = ""  # many2many: its table ...
    column1: str = ""  # ... the column that holds this model's id ...
    column2: str = ""  # ... and the one with the other's
    related: str = ""  # path that a field without column reads through
    stored: bool = False  # the table has the column (many2many: the relation table exists)
    translated: bool = False
    company_dependent: bool = False
    label: str = ""
    generated: bool = False  # GENERATED ALWAYS AS: a column that is there, and does not travel

    @property
    def is_many(self) -> bool:
        """Whether the value is a set of records."""
        return self.type in {"one2many", "many2many"}

    @property
    def is_relation(self) -> bool:
        """Whether the value is records."""
        return self.type in {"many2one", "one2many", "many2many"}

    @property
    def about(self) -> str:
        """Say it in a few words: `many2one to res.partner, "Customer"`."""
        to = f" to {self.relation}" if self.relation else ""
        label = " ".join(self.label.split())
        return f"{self.type}{to}" + (f', "{label}"' if label else "")


@dataclass(frozen=True, slots=True)
class Model:
    """One model with its table and fields."""

    name: str
    table: str
    fields: Mapping[str, Field] = field(repr=False)

    def field(self, name: str) -> Field:
        """Return the field, or raise Unknown with the nearest name."""
        try:
            return self.fields[name]
        except KeyError:
            near = nearest(name, list(self.fields))
            about = self.fields[near].about if near else ""
            message = f'{self.name} has no field "{name}"'
            raise Unknown(message, nearest=near, about=about) from None


@dataclass(frozen=True, slots=True)
class Models:
    """All models of a database."""

    by_name: Mapping[str, Model] = field(repr=False)

    def model(self, name: str) -> Model:
        """Return the model, or raise Unknown with the nearest name."""
        try:
            return self.by_name[name]
        except KeyError:
            near = nearest(name, list(self.by_name))
            raise Unknown(f'the database has no model "{name}"', nearest=near) from None

    def __contains__(self, name: object) -> bool:
        return name in self.by_name
