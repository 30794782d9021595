"""A database as text, to compare it with another."""

from __future__ import annotations

import psycopg
from psycopg import sql


def dump(dsn: str) -> dict[str, list[str]]:
    """Return the rows of every table as text, sorted, and where the sequences stand."""
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "SELECT relname::text, relkind::text FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
        ).fetchall()
        dumped: dict[str, list[str]] = {}
        for name, kind in found:
            shown = "last_value, is_called" if kind == "S" else "t"
            rows = connection.execute(
                sql.SQL("SELECT ({})::text FROM {} t").format(sql.SQL(shown), sql.Identifier(name))
            )
            dumped[name] = sorted(row[0] for row in rows)
        return dumped
