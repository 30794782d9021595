"""The SQL that a DBA runs where the role of source.dsn may not: as little as is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from psycopg import sql

from cdc.postgres.connect import SCHEMA

CATALOG: Final[Mapping[str, tuple[str, ...]]] = {"ir_model": (), "ir_model_fields": ()}
"""Odoo's own description of its models; () is the whole table."""


def grants(role: str, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a GRANT for each table, of the columns that are read."""
    return [_grant(role, table, columns) for table, columns in sorted(tables.items())]


def script(
    role: str,
    tables: Mapping[str, Sequence[str]],
    publication: Iterable[str],
    slot: str,
) -> list[str]:
    """Return the lines of a script in three parts, each with who may run it.

    `publication` are the statements that are left to do; `slot` is "" where there is one.
    """
    lines = [
        "-- As a superuser. On Amazon RDS and Aurora: GRANT rds_replication TO the role instead.",
        f"ALTER ROLE {_name(role)} WITH LOGIN REPLICATION;",
        "",
        "-- As the owner of Odoo's tables (Odoo's own role), which needs CREATE on the database",
        "-- for the publication.",
        *(f"{statement};" for statement in grants(role, tables)),
        *(f"{statement};" for statement in publication),
    ]
    if slot:
        lines += [
            "",
            "-- As the role itself, last: Postgres keeps WAL for the slot from then on.",
            f"SELECT pg_create_logical_replication_slot({_text(slot)}, 'pgoutput');",
        ]
    return lines


def _grant(role: str, table: str, columns: Sequence[str]) -> str:
    inside = f" ({', '.join(map(_name, columns))})" if columns else ""
    place = sql.Identifier(SCHEMA, table).as_string()
    return f"GRANT SELECT{inside} ON {place} TO {_name(role)}"


def _name(text: str) -> str:
    return sql.Identifier(text).as_string()


def _text(text: str) -> str:
    return sql.Literal(text).as_string()
