"""Partners by the million, written by plain SQL."""

from __future__ import annotations

import psycopg

MODEL = "res.partner"
_COLUMNS = """
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
    FROM pg_attribute
    WHERE attrelid = 'res_partner'::regclass AND attnum > 0 AND NOT attisdropped
        AND attname NOT IN ('id', 'name') AND attgenerated = ''
"""
_INSERT = """
    INSERT INTO res_partner (id, name, {columns})
    SELECT last + n, 'Many ' || n, {columns}
    FROM (SELECT * FROM res_partner WHERE active AND is_company ORDER BY id LIMIT 1) AS one,
        (SELECT max(id) AS last FROM res_partner) AS known,
        generate_series(1, {number}) AS n
"""
_REWRITE = "UPDATE res_partner SET color = coalesce(color, 0) + 1"  # no route selects it


def add(dsn: str, number: int) -> None:
    """Insert so many companies, copies of one, in one transaction."""
    with psycopg.connect(dsn) as connection:
        (columns,) = connection.execute(_COLUMNS).fetchone() or ("",)
        text = _INSERT.format(columns=columns, number=number)
        connection.execute(text.encode())


def rewrite(dsn: str) -> int:
    """Rewrite every partner as a module upgrade does; return how many there are."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(_REWRITE).rowcount
