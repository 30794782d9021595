"""The tables of the declared models, and the rows of ir_model ... that describe them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from embedded.odoo.declarations import Declared, DeclaredModel, models, relations

Row = tuple[Any, ...]

FIELD_COLUMNS: Final = (
    "id", "name", "complete_name", "model", "model_id", "ttype", "field_description", "state",
    "relation", "relation_field", "relation_table", "column1", "column2", "related", "domain",
    "currency_field", "on_delete", "store", "required", "readonly", "index", "copied",
    "translate", "company_dependent",
)  # fmt: skip

SEQUENCES: Final = ("ir_sequence_001", "ir_sequence_002")
"""They number sale and purchase orders; no rollback takes a number back."""


def tables() -> Iterator[str]:
    """Give the DDL of tables and sequences; `constraints` follows once they are filled."""
    for model in models().values():
        yield _table(model)
    for name, (one, other) in relations().items():
        yield (
            f"CREATE TABLE {name} ({one[0]} integer NOT NULL, {other[0]} integer NOT NULL,"
            f" PRIMARY KEY ({one[0]}, {other[0]}))"
        )
    for name in SEQUENCES:
        yield f"CREATE SEQUENCE {name}"


def constraints() -> Iterator[str]:
    """Give the DDL of indexes and foreign keys."""
    for model in models().values():
        yield from _after(model)
    for name, (one, other) in relations().items():
        yield f"CREATE INDEX ON {name} ({other[0]}, {one[0]})"
        for column, table in (one, other):
            yield _foreign_key(name, column, table, "CASCADE")


def model_rows() -> list[Row]:
    """Return (id, model, name, state, transient) for ir_model."""
    return [
        (number, model.name, _english(model.label), "base", model.transient)
        for number, model in enumerate(models().values(), 1)
    ]


def field_rows() -> list[Row]:
    """Return the values of FIELD_COLUMNS for ir_model_fields."""
    rows: list[Row] = []
    for model_id, model in enumerate(models().values(), 1):
        for one in model.fields.values():
            rows.append((len(rows) + 1, *_described(model, model_id, one)))
    return rows


def _described(model: DeclaredModel, model_id: int, one: Declared) -> Row:
    return (
        one.name,
        one.name,
        model.name,
        model_id,
        one.type,
        _english(one.label),
        "base",
        one.relation or None,
        one.inverse or None,
        one.table or None,
        one.column1 or None,
        one.column2 or None,
        one.related or None,
        "[]",
        one.currency or None,
        # Odoo writes no on_delete for a stored related many2one; its foreign key is SET NULL.
        (one.on_delete or ("set null" if one.type == "many2one" else None))
        if not one.related
        else None,
        one.store,
        one.required,
        not one.store,
        one.name == "id" or one.unique,
        one.store and one.name not in {"id", "display_name"},
        one.translate,
        one.company_dependent,
    )


def _table(model: DeclaredModel) -> str:
    lines = ["id serial PRIMARY KEY"]
    for one in model.fields.values():
        if one.column and one.name != "id":
            unique = " UNIQUE" if one.unique else ""
            required = " NOT NULL" if one.required else ""
            lines.append(f"{one.name} {one.column}{required}{unique}")
    return f"CREATE TABLE {model.table} ({', '.join([*lines, *model.constraints])})"


def _after(model: DeclaredModel) -> Iterator[str]:
    for columns in model.indexes:
        yield f"CREATE INDEX ON {model.table} ({columns})"
    for columns in model.unique_active:
        yield f"CREATE UNIQUE INDEX ON {model.table} ({columns}) WHERE active"
    for one in model.fields.values():
        if one.on_delete and one.column == "integer":
            other = models()[one.relation].table
            yield _foreign_key(model.table, one.name, other, one.on_delete.upper())
            if one.name not in {"create_uid", "write_uid"}:
                yield f"CREATE INDEX ON {model.table} ({one.name})"


def _foreign_key(table: str, column: str, other: str, on_delete: str) -> str:
    """Leave its name to Postgres, which cuts long ones to what is free: `TABLE_COLUMN_fkey`."""
    key = f"FOREIGN KEY ({column}) REFERENCES {other} (id) ON DELETE {on_delete}"
    return f"ALTER TABLE {table} ADD {key}"


def _english(text: str) -> str:
    return json.dumps({"en_US": text})
