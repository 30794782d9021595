"""Transactions of a shop, as lists that JSON can hold."""

from __future__ import annotations

from typing import Any, Final

import psycopg

Op = list[Any]
Transaction = list[Op]

_STATEMENTS: Final[dict[str, str]] = {
    "partner": "INSERT INTO shop_partner (id, name, city) VALUES (%s, %s, 'city of ' || %s)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, city = excluded.city",
    "tag": "INSERT INTO shop_tag (id, name) VALUES (%s, %s)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    "order": "INSERT INTO shop_order (id, partner_id, name, amount)"
    " VALUES (%s, (SELECT id FROM shop_partner WHERE id = %s), %s, %s::int + 0.50)"
    " ON CONFLICT (id) DO UPDATE SET"
    " partner_id = excluded.partner_id, name = excluded.name, amount = excluded.amount",
    "note": "UPDATE shop_order SET note = repeat(%s, 3000) WHERE id = %s",
    "line": "INSERT INTO shop_line (id, order_id, name)"
    " SELECT %s, id, %s FROM shop_order WHERE id = %s"
    " ON CONFLICT (id) DO UPDATE SET order_id = excluded.order_id, name = excluded.name",
    "link": "INSERT INTO shop_order_tag SELECT o.id, t.id FROM shop_order o, shop_tag t"
    " WHERE o.id = %s AND t.id = %s ON CONFLICT DO NOTHING",
    "unlink": "DELETE FROM shop_order_tag WHERE order_id = %s AND tag_id = %s",
    "delete": "DELETE FROM {} WHERE id = %s",
    "memo": "UPDATE {} SET memo = %s",
    "truncate": "TRUNCATE {} CASCADE",
    "add a column": "ALTER TABLE {} ADD COLUMN IF NOT EXISTS more text DEFAULT random()::text",
    "drop it": "ALTER TABLE {} DROP COLUMN IF EXISTS more",
    "rewrite": "ALTER TABLE {} ALTER memo TYPE varchar USING left(memo, 20)",
}  # `{}` is a table: the first of the values
UNDONE: Final = "undone"


def commit(dsn: str, transactions: list[Transaction]) -> None:
    """Commit transactions, one after the other."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for operations in transactions:
            with connection.transaction():
                for operation in operations:
                    _do(connection, operation)


def _do(connection: psycopg.Connection, operation: Op) -> None:
    name, *values = operation
    if name == UNDONE:
        with connection.transaction(force_rollback=True):  # a savepoint, within another one
            for each in values[0]:
                _do(connection, each)
        return
    statement = _STATEMENTS[name]
    if "{}" in statement:
        table, *values = values
        statement = statement.format(table)
    connection.execute(statement.encode(), [str(value) for value in values] or None)
