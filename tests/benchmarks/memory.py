"""The memory of capture on one large transaction."""

from __future__ import annotations

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place

ROWS = 1_000_000
_INSERT = """
    INSERT INTO res_partner
    SELECT copied.*
    FROM (SELECT * FROM res_partner WHERE active AND is_company ORDER BY id LIMIT 1) AS one,
        (SELECT max(id) AS last FROM res_partner) AS known,
        generate_series(1, %s) AS n,
        LATERAL jsonb_populate_record(
            NULL::res_partner,
            to_jsonb(one) || jsonb_build_object('id', last + n, 'name', 'Many ' || n)) AS copied
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
            "one transaction of 1,000,000 rows: capture's peak memory (VmHWM)",
            "MB",
            (spent.peak / 1e6,),
            "flat under 200",
        ),
        Figure(
            "one transaction of 1,000,000 rows: of that, without mapped files",
            "MB",
            (spent.own / 1e6,),
        ),
        Figure(
            "one transaction of 1,000,000 rows: CPU per change",
            "us",
            (spent.cpu / ROWS * 1e6,),
        ),
    ]
