"""The memory of capture on one large transaction."""

from __future__ import annotations

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place

ROWS = 1_000_000
_INSERT = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Many ' || n, 'Many ' || n, 'contact', true, true, 0 FROM generate_series(1, %s) n
"""
_HOUR = 3600.0


def one_million_rows(place: Place, runs: int) -> list[Figure]:
    """Return the peak; one run, whatever `runs` says: it takes minutes and varies little."""
    del runs
    with place.site() as site:
        place.say(f"one transaction of {ROWS:,} rows")
        with psycopg.connect(site.dsn) as connection:
            connection.execute(_INSERT, [ROWS])
        place.say("draining it")
        spent = site.programs.caught_up(timeout=_HOUR).spent
    return [
        Figure(
            "one transaction of 1,000,000 rows: capture's peak memory",
            "MB",
            (spent.peak / 1e6,),
            "flat under 200",
        ),
        Figure(
            "one transaction of 1,000,000 rows: CPU per change",
            "us",
            (spent.cpu / ROWS * 1e6,),
        ),
    ]
