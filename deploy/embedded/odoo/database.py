"""Fills an empty database with the tables and rows of an Odoo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from embedded.odoo import schema
from embedded.odoo.declarations import models
from embedded.odoo.rows import ADMIN, EPOCH, SMALL, Size, Values
from embedded.odoo.seed import first_rows

OWN_MODULE = "base"
"""The module that external ids of models and fields belong to."""


def create(dsn: str, *, seed: int = 1, size: Size = SMALL) -> None:
    """Make everything in an empty database, in one transaction.

    The same seed and size give the same rows, magic columns included.
    """
    rows = first_rows(Random(seed), size)  # noqa: S311 - data to play with
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        cursor = connection.cursor()
        for statement in schema.tables():
            cursor.execute(statement.encode())
        described = schema.field_rows()
        _describe(cursor, described)
        rows["ir_default"] = [_default(row, described) for row in rows["ir_default"]]
        for table, values in rows.items():
            _fill(cursor, table, values)
        _name_models(cursor)
        for statement in schema.constraints():
            cursor.execute(statement.encode())
        _set_sequences(cursor, rows)


def _describe(cursor: psycopg.Cursor, described: list[schema.Row]) -> None:
    columns = ("id", "model", "name", "state", "transient")
    _copy(cursor, "ir_model", columns, schema.model_rows())
    _copy(cursor, "ir_model_fields", schema.FIELD_COLUMNS, described)
    for table in ("ir_model", "ir_model_fields"):
        cursor.execute(
            sql.SQL(
                "UPDATE {} SET create_uid = %s, create_date = %s, write_uid = %s, write_date = %s"
            ).format(sql.Identifier(table)),
            [ADMIN, EPOCH, ADMIN, EPOCH],
        )


def _default(row: Values, described: list[schema.Row]) -> Values:
    model, name = row["field"]
    places = [schema.FIELD_COLUMNS.index(column) for column in ("id", "model", "name")]
    number = next(
        found[places[0]] for found in described if [found[p] for p in places[1:]] == [model, name]
    )
    return {name: value for name, value in row.items() if name != "field"} | {"field_id": number}


def _fill(cursor: psycopg.Cursor, table: str, rows: Sequence[Values]) -> None:
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    _copy(cursor, table, columns, ([row.get(name) for name in columns] for row in rows))


def _copy(
    cursor: psycopg.Cursor, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with cursor.copy(
        sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    ) as copy:
        for row in rows:
            copy.write_row(row)


def _name_models(cursor: psycopg.Cursor) -> None:
    """Give models and fields their external ids, as Odoo does."""
    model = "'model_' || replace(model, '.', '_')"
    for described, name in (
        ("ir.model", model),
        ("ir.model.fields", "replace(" + model + ", 'model_', 'field_') || '__' || name"),
    ):
        cursor.execute(
            sql.SQL(
                "INSERT INTO ir_model_data"
                " (id, module, name, model, res_id, create_date, write_date)"
                " SELECT (SELECT coalesce(max(id), 0) FROM ir_model_data) + id,"
                " %s, {}, %s, id, %s, %s FROM {}"
            ).format(sql.SQL(name), sql.Identifier(models()[described].table)),
            [OWN_MODULE, described, EPOCH, EPOCH],
        )


def _set_sequences(cursor: psycopg.Cursor, rows: dict[str, list[Values]]) -> None:
    for model in models().values():
        cursor.execute(
            sql.SQL("SELECT setval(%s, coalesce(max(id), 1), max(id) IS NOT NULL) FROM {}").format(
                sql.Identifier(model.table)
            ),
            [f"{model.table}_id_seq"],
        )
    for name, table in zip(schema.SEQUENCES, ("sale_order", "purchase_order"), strict=True):
        count = len(rows.get(table, ()))
        cursor.execute("SELECT setval(%s, %s, %s)", [name, max(1, count), count > 0])
