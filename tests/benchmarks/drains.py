"""A backlog drained: capture against `pg_recvlogical` that throws everything away.

Both read the same WAL through copies of one slot, with the same publication. Capture's start
(Python, configuration, models) is measured on an empty backlog and taken off.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Final

import psycopg

from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Cost, Place, Site, cost_of, query, run_program
from tests.programs import Programs

ROWS: Final = 20_000  # transactions of one row
ONE_ROW_EACH: Final = """
    DO $$
    BEGIN
        FOR n IN 1..%d LOOP
            UPDATE product_template SET list_price = n, write_date = clock_timestamp()
            WHERE id = (SELECT min(id) + n %% 20 FROM product_template);
            COMMIT;
        END LOOP;
    END $$
"""
_CHANGES: Final = """
    SELECT count(*) FROM pg_logical_slot_peek_binary_changes(
        %s, NULL, NULL, 'proto_version', '1', 'publication_names', %s)
    WHERE chr(get_byte(data, 0)) IN ('I', 'U', 'D')
"""
_COPY: Final = "SELECT pg_copy_logical_replication_slot(%s, %s)"
_DROP: Final = "SELECT pg_drop_replication_slot(%s)"


@dataclass(frozen=True, slots=True)
class Drained:
    """What draining cost, the start taken off."""

    capture: Cost
    server: Cost  # pg_recvlogical


def workload(place: Place, runs: int) -> list[Figure]:
    """Drain the workload."""
    with place.site() as site:
        place.say("playing the workload")
        place.play(site.dsn)
        return _drain(place, site, "workload", runs)


def columns(place: Place, runs: int) -> list[Figure]:
    """Drain the workload from whole tables and from column lists, one after the other."""
    with place.site() as whole, place.site("columns") as listed:
        cost: dict[str, list[float]] = {}
        for site in (whole, listed):
            place.say(f"playing the workload, publish: {site.publish}")
            place.play(site.dsn)
        changes = {site.publish: _changes(site) for site in (whole, listed)}
        for run in range(runs):
            for site in (whole, listed):
                place.say(f"publish: {site.publish}, run {run + 1} of {runs}")
                taken = _capture(place, site, run).cpu / changes[site.publish] * 1e6
                cost.setdefault(site.publish, []).append(taken)
    pairs = zip(cost["columns"], cost["tables"], strict=True)
    return [
        Figure("publish: tables, CPU per change", "us", tuple(cost["tables"])),
        Figure("publish: columns, CPU per change", "us", tuple(cost["columns"])),
        Figure("publish: columns against tables", "", tuple(one / two for one, two in pairs)),
    ]


def one_row_transactions(place: Place, runs: int) -> list[Figure]:
    """Drain transactions that change one row each."""
    with place.site() as site:
        place.say(f"{ROWS:,} transactions of one row")
        _execute(site, ONE_ROW_EACH % ROWS)
        return _drain(place, site, "one-row transactions", runs)


def _drain(place: Place, site: Site, what: str, runs: int) -> list[Figure]:
    changes = _changes(site)
    end = query(site.dsn, "SELECT pg_current_wal_insert_lsn()::text")
    drained = []
    for run in range(runs):
        place.say(f"{what}: draining {changes:,} changes, run {run + 1} of {runs}")
        drained.append(Drained(_capture(place, site, run), _recvlogical(place, site, end)))
    return [
        Figure(
            f"{what}: capture, changes per second",
            "1/s",
            tuple(changes / one.capture.wall for one in drained),
            "20,000 or more",
        ),
        Figure(
            f"{what}: capture, CPU per change",
            "us",
            tuple(one.capture.cpu / changes * 1e6 for one in drained),
            "30 or less",
        ),
        Figure(
            f"{what}: pg_recvlogical, changes per second",
            "1/s",
            tuple(changes / one.server.wall for one in drained),
        ),
        Figure(
            f"{what}: pg_recvlogical, CPU per change",
            "us",
            tuple(one.server.cpu / changes * 1e6 for one in drained),
        ),
    ]


def _changes(site: Site) -> int:
    slot = publication = f"odoo_cdc_{site.name}"
    return int(query(site.dsn, _CHANGES, slot, publication))


def _capture(place: Place, site: Site, run: int) -> Cost:
    """Drain a copy of the slot into a copy of the shadow; twice, for the start alone."""
    slot = f"{site.name}_capture_{run}"
    query(site.dsn, _COPY, f"odoo_cdc_{site.name}", slot)
    home = site.folder / slot
    shutil.copytree(site.folder / "state", home / "state")
    text = site.config(
        kafka=place.kafka.bootstrap,
        more={
            "source": {
                "name": site.name,
                "dsn": site.dsn,
                "slot": slot,
                "publication": f"odoo_cdc_{site.name}",
                "publish": site.publish,
            }
        },
    )
    try:
        with Programs(home, text, cold=True) as programs:
            whole = cost_of(programs.caught_up)
            start = cost_of(programs.caught_up)
    finally:
        query(site.dsn, _DROP, slot)
        shutil.rmtree(home)
    return Cost(whole.wall - start.wall, whole.cpu - start.cpu)


def _recvlogical(place: Place, site: Site, end: str) -> Cost:
    slot = f"{site.name}_recvlogical"
    query(site.dsn, _COPY, f"odoo_cdc_{site.name}", slot)
    command = [
        str(place.postgres.installation.bin / "pg_recvlogical"),
        *("-d", site.dsn, "--slot", slot, "--start", "--file", "/dev/null", "--no-loop"),
        *("-o", "proto_version=1", "-o", f"publication_names=odoo_cdc_{site.name}"),
        *("-o", "messages=true", "--endpos", end),
    ]
    try:
        return cost_of(lambda: run_program(command))
    finally:
        query(site.dsn, _DROP, slot)


def _execute(site: Site, sql: str) -> None:
    with psycopg.connect(site.dsn, autocommit=True) as connection:
        connection.execute(sql.encode())
