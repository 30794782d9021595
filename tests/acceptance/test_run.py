"""`odoo-cdc run`: capture and a worker under one supervisor, and `status` beside them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psycopg
import pytest

from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import Program, Programs

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 60.0  # seconds until a test gives up; none waits that long
ROUTES: Final = """
routes:
  - name: countries
    model: res.country
    targets: [shop]
    fields: [name, code]
    initial_load: false
"""


def rename(database: Database, code: str, name: str) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        done = connection.execute(
            "UPDATE res_country SET name = jsonb_build_object('en_US', %s::text)"
            " WHERE id = (SELECT min(id) FROM res_country) RETURNING id",
            [f"{name} {code}"],
        )
        assert done.fetchone()


def until(condition: Callable[[], Any], program: Program) -> Any:
    """Wait until the condition holds, the program running; return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert program.process.poll() is None, program.tail()
        assert time.monotonic() < deadline, f"it did not happen:\n{program.tail()}"
        time.sleep(0.05)
    return found


def until_noted(database: Database, program: Program) -> None:
    """Wait until capture has noted what is committed: else a kill lets it publish that again."""
    query = (
        "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE database = %s"
    )
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        (end,) = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()[0]
        until(
            lambda: connection.execute(query, [end, database.name]).fetchall() == [(True,)],
            program,
        )


def get(port: int, path: str) -> str:
    """Return what is there, "" for nothing or for an error."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            said: str = answer.read().decode()
            return said
    except (HTTPError, URLError, ConnectionError):
        return ""


def children(program: Program) -> dict[str, int]:
    """Return the running commands below the supervisor, by name."""
    found: dict[str, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]
            if int(parent) == program.process.pid:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                found[words[words.index(b"cdc") + 1].decode()] = int(entry.name)
    return found


def status(programs: Programs) -> dict[str, Any]:
    done = programs.run("status", "--json")
    said: dict[str, Any] = json.loads(done.out.read_text(encoding="utf-8"))
    return said


def test_law_1_run_starts_again_what_was_killed_and_delivers_what_was_committed_meanwhile(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn, health: int
) -> None:
    program = programs.start("run")
    until(lambda: get(health, "/readyz") and get(health + 10, "/readyz"), program)
    rename(odoo_database, "one", "Name")
    until(lambda: len(wso2.taken()) == 1, program)
    until_noted(odoo_database, program)

    before = children(program)
    assert set(before) == {"capture", "stream"}
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    rename(odoo_database, "two", "Name")
    until(lambda: any(b"Name two" in taken.body for taken in wso2.taken()), program)

    after = children(program)
    assert set(after) == {"capture", "stream"}
    assert set(after.values()).isdisjoint(before.values())
    assert b"Name two" in wso2.taken()[-1].body
    # A worker that is killed before it has noted its answer sends once more, with the same id.
    assert len({taken.id for taken in wso2.taken()}) == 2
    metrics = get(health + 10, "/metrics")
    assert "odoo_cdc_capture_events_total 1\n" in metrics
    assert "odoo_cdc_capture_connected 1\n" in metrics

    assert program.stop() == 0
    for pid in after.values():
        assert not Path(f"/proc/{pid}").exists()


def test_status_shows_both_programs_running_and_says_when_they_are_not(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn, health: int
) -> None:
    program = programs.start("run")
    until(lambda: get(health, "/readyz") and get(health + 10, "/readyz"), program)
    rename(odoo_database, "one", "Name")
    until(lambda: len(wso2.taken()) == 1, program)

    running = status(programs)
    program.stop()
    stopped = status(programs)

    assert running["capture"]["running"] is True
    assert running["capture"]["slot_state"] == "reserved"
    assert running["capture"]["generation"] > 0
    assert running["capture"]["warnings"] == []
    assert running["stream"]["workers"]
    assert running["stream"]["warnings"] == []
    assert running["stream"]["targets"]["shop"]["oldest_waiting_seconds"] is None
    (rates,) = running["stream"]["rates"]
    assert (rates["route"], rates["target"]) == ("countries", "shop")
    assert rates["queued_per_minute"] == rates["accepted_per_minute"] > 0
    assert rates["failed_per_minute"] == 0
    assert stopped["capture"]["running"] is False
    assert "not running" in stopped["capture"]["warnings"][0]
    page = programs.run("status").out.read_text(encoding="utf-8")
    assert "warning: capture is not running" in page
    assert "shop" in page


def test_one_that_stops_to_protect_data_stops_all_with_its_code_and_its_reason(
    programs: Programs, odoo_database: Database
) -> None:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE database = current_database()"
        )

    program = programs.start("run")

    assert program.wait() == 4
    said = program.tail()
    assert "odoo-cdc: there is no replication slot" in said
    assert "hint: " in said
    assert "capture ended with exit code 4" in said
    assert children(program) == {}


def test_a_supervisor_that_is_killed_leaves_nobody_behind(programs: Programs, health: int) -> None:
    program = programs.start("run")
    until(lambda: get(health, "/readyz") and get(health + 10, "/readyz"), program)
    pids = list(children(program).values())

    program.kill()

    deadline = time.monotonic() + PATIENCE
    while any(_runs(pid) for pid in pids):
        assert time.monotonic() < deadline, "they run still"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # nobody waits for an orphan here
