"""The SQL that a DBA runs where the role of source.dsn may not: as little as is enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from psycopg import sql

from cdc.postgres.connect import SCHEMA
from cdc.postgres.rights import Rights

CATALOG: Final[Mapping[str, tuple[str, ...]]] = {"ir_model": (), "ir_model_fields": ()}
"""Odoo's own description of its models; () is the whole table."""


def grants(role: str, tables: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a GRANT for each table, of the columns that are read."""
    return [_grant(role, table, columns) for table, columns in sorted(tables.items())]


def script(
    rights: Rights,
    tables: Mapping[str, Sequence[str]],
    publication: Iterable[str],
    made: str,
) -> list[str]:
    """Return the lines of a script in parts, each with who may run it; only what is missing.

    `publication` are the statements that are left to do, `made` is what makes the slot, or "".
    """
    parts = [
        (("As a superuser, or who may make roles.",), _role(rights)),
        (("As the database's owner.",), _doors(rights)),
        (
            (
                "As the owner of Odoo's tables (Odoo's own role), which needs CREATE on the",
                "database to make a publication.",
            ),
            [*grants(rights.role, lacking(rights, tables)), *publication],
        ),
        (
            ("As the role itself, last: Postgres keeps WAL for the slot from then on.",),
            [made] if made else [],
        ),
    ]
    lines: list[str] = []
    for who, statements in parts:
        if statements:
            lines += [""] * bool(lines)
            lines += [*(f"-- {line}" for line in who), *(f"{each};" for each in statements)]
    return lines or ["-- Nothing is missing."]


def slot(name: str, *, failover: bool) -> str:
    """Return the statement that makes the slot."""
    more = ", failover => true" if failover else ""
    return f"SELECT pg_create_logical_replication_slot({_text(name)}, 'pgoutput'{more})"


def lacking(rights: Rights, tables: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return what is not readable yet of what is to be read."""
    found: dict[str, Sequence[str]] = {}
    for table, columns in tables.items():
        readable = rights.readable.get(table, frozenset())
        hidden = [column for column in columns if column not in readable]
        if hidden or (not columns and table not in rights.whole):
            found[table] = hidden
    return found


def _role(rights: Rights) -> list[str]:
    name = _name(rights.role)
    made = [] if rights.exists else [f"CREATE ROLE {name} WITH LOGIN"]
    if rights.exists and not rights.login:
        made = [f"ALTER ROLE {name} WITH LOGIN"]
    if rights.replication:
        return made
    if rights.amazon:
        return [*made, f"GRANT rds_replication TO {name}"]
    return [f"{made[0]} REPLICATION"] if made else [f"ALTER ROLE {name} WITH REPLICATION"]


def _doors(rights: Rights) -> list[str]:
    name, database = _name(rights.role), _name(rights.database)
    connect = f"GRANT CONNECT ON DATABASE {database} TO {name}"
    usage = f"GRANT USAGE ON SCHEMA {_name(SCHEMA)} TO {name}"
    return [connect] * (not rights.connect) + [usage] * (not rights.usage)


def _grant(role: str, table: str, columns: Sequence[str]) -> str:
    inside = f" ({', '.join(map(_name, columns))})" if columns else ""
    place = sql.Identifier(SCHEMA, table).as_string()
    return f"GRANT SELECT{inside} ON {place} TO {_name(role)}"


def _name(text: str) -> str:
    return sql.Identifier(text).as_string()


def _text(text: str) -> str:
    return sql.Literal(text).as_string()
