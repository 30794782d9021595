"""Slot or shadow is lost: never a silent gap, and what was missed is published exactly."""

from __future__ import annotations

import mmap
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from schemas.event import Mode
from schemas.position import format_lsn
from tests import faulty
from tests.fix_services import Database
from tests.programs import until
from tests.recovering import CHANGED, DELETED, Site, loaded, site, standby

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres

pytestmark = pytest.mark.acceptance


PATIENCE: Final = 60.0  # seconds; it comes long before


@pytest.fixture
def lost(
    postgres: Postgres, odoo_database: Database, kafka: Kafka, tmp_path: Path
) -> Iterator[Site]:
    """A database that is loaded and published, of a cluster that stays as it is."""
    with loaded(tmp_path, kafka, postgres, odoo_database.dsn) as made:
        yield made


def exactly_the_difference(site: Site, *options: str) -> None:
    """Recover; AssertionError where anything else is published than what differs."""
    missed = site.differing()
    site.recover(*options)
    found = site.recovered()
    kinds = {
        "insert" if e.before is None else "delete" if e.after is None else "update" for e in found
    }
    assert len(kinds) > 1, "such a gap shows little"
    assert site.delivered() == missed
    site.judge()
    site.work(10)
    site.programs.caught_up()
    site.judge()
    again = site.programs.start("capture", "--recover", "--until-caught-up")
    assert again.wait() == 1, again.tail()
    assert "Nothing is wrong" in again.tail()


@pytest.mark.fault("The slot is dropped", "`capture --recover`")
def test_law_1_a_slot_that_was_dropped(lost: Site) -> None:
    lost.ask(f"SELECT pg_drop_replication_slot('{lost.slot}')")
    lost.work()

    lost.stopped("there is no replication slot")

    exactly_the_difference(lost)


@pytest.mark.fault(
    "The slot is dropped, and somebody makes another one of its name",
    "`capture --recover`",
)
def test_law_1_a_slot_that_somebody_has_made_anew(lost: Site) -> None:
    lost.ask(f"SELECT pg_drop_replication_slot('{lost.slot}')")
    lost.work()
    lost.ask(f"SELECT pg_create_logical_replication_slot('{lost.slot}', 'pgoutput')")

    lost.stopped("somebody else has moved the replication slot")

    exactly_the_difference(lost)


@pytest.mark.fault("The slot is lost to `max_slot_wal_keep_size`", "`capture --recover`")
def test_law_1_a_slot_that_held_too_much_wal(kafka: Kafka, tmp_path: Path) -> None:
    keep = {"max_slot_wal_keep_size": "1MB", "min_wal_size": "32MB", "max_wal_size": "32MB"}
    with site(tmp_path, kafka, settings=keep) as lost:
        lost.work()
        while lost.of_slot("wal_status") != "lost":
            lost.ask("SELECT pg_switch_wal()", "CHECKPOINT")

        lost.stopped("is lost")

        exactly_the_difference(lost)


@pytest.mark.fault(
    "The slot is lost to `idle_replication_slot_timeout` (Postgres 18)",
    "`capture --recover`",
)
def test_law_1_a_slot_that_nobody_read_from_for_too_long(kafka: Kafka, tmp_path: Path) -> None:
    idle = {"idle_replication_slot_timeout": "1s"}
    with site(tmp_path, kafka, version=18, settings=idle) as lost:
        lost.work()
        deadline = time.monotonic() + PATIENCE
        while lost.of_slot("invalidation_reason") is None:
            lost.ask("CHECKPOINT")
            assert time.monotonic() < deadline, "the slot is not invalidated"
            time.sleep(0.2)  # nobody tells when a second has passed

        lost.stopped("is lost (idle_timeout)")
        lost.ask("ALTER SYSTEM SET idle_replication_slot_timeout = 0", "SELECT pg_reload_conf()")

        exactly_the_difference(lost)


@pytest.mark.fault("The database's folder is restored from a copy: {}", "`capture --recover`")
@pytest.mark.parametrize(
    ("grown", "said"),
    [
        pytest.param(False, "is ahead of the database: was that restored?", id="shorter"),
        pytest.param(True, "was restored from before what was last published", id="grown since"),
    ],
)
def test_law_1_a_database_whose_folder_was_restored(
    kafka: Kafka, tmp_path: Path, *, grown: bool, said: str
) -> None:
    with site(tmp_path, kafka) as lost:
        copy = lost.cluster.home / "copy"
        lost.cluster.stop()
        shutil.copytree(lost.cluster.data, copy, symlinks=True)
        lost.cluster.launch()
        lost.ask(DELETED)  # which comes back
        lost.work(20, deletes=False)
        lost.programs.caught_up()
        lost.look()
        reached = lost.source.lsn()
        lost.cluster.stop()
        shutil.rmtree(lost.cluster.data)
        copy.rename(lost.cluster.data)
        lost.cluster.launch()
        lost.ask("DELETE FROM res_partner WHERE name = 'Doomed 1'")
        if grown:
            grow(lost, reached)

        lost.stopped(said)

        exactly_the_difference(lost)


@pytest.mark.fault("The publication is dropped: {}", "`capture --recover`")
@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(("DROP PUBLICATION {p}",), id="gone"),
        pytest.param(
            (
                "DROP PUBLICATION {p}",
                "CREATE PUBLICATION {p} FOR TABLES IN SCHEMA public",
            ),
            id="another one",
        ),
    ],
)
def test_law_1_a_publication_that_left_something_out(
    lost: Site, statements: tuple[str, ...]
) -> None:
    lost.ask(*(each.format(p=lost.slot) for each in statements))
    lost.work()

    lost.stopped(f'publication "{lost.slot}"')

    exactly_the_difference(lost)


@pytest.mark.fault(
    "The slot is another one, and capture is killed (kill -9) while it recovers: {}",
    "`capture --recover` again",
)
@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faulty.SLOT_DROPPED, 1, id="without a slot"),
        pytest.param(faulty.SLOT_MADE, 1, id="with a slot that nobody knows"),
        pytest.param(faulty.RANGE, 5, id="while it reads"),
        pytest.param(faulty.PUBLISHED, 5, id="while it publishes"),
        pytest.param(faulty.AFTER_KAFKA, 1, id="when Kafka has it and the shadow has not"),
        pytest.param(faulty.AFTER_COMMIT, 2, id="between two portions"),
    ],
)
def test_law_1_recovery_outlives_a_kill(lost: Site, point: str, number: int) -> None:
    lost.ask(f"SELECT pg_drop_replication_slot('{lost.slot}')")
    lost.ask(f"SELECT pg_create_logical_replication_slot('{lost.slot}', 'pgoutput')")
    lost.work()
    launcher = (sys.executable, "-m", "tests.faulty", point, str(number))
    options = ("--recover", "--until-caught-up")
    program = lost.programs.start("capture", *options, launcher=launcher)
    assert program.wait() == -signal.SIGKILL, program.tail()

    exactly_the_difference(lost)


@pytest.mark.fault("The shadow is lost: {}", "`capture --recover --yes`")
@pytest.mark.parametrize("damage", ["removed", "overwritten", "pages overwritten"])
def test_law_1_a_shadow_that_is_lost_is_said_to_be_before_everything_is_sent_again(
    lost: Site, damage: str
) -> None:
    former = {event.position.generation for event in lost.events()}
    if damage != "removed":
        data = lost.shadow / "data.mdb"
        whole = data.read_bytes()
        kept = whole[: 2 * mmap.PAGESIZE] if damage.startswith("pages") else b""
        data.write_bytes(kept.ljust(len(whole), b"\xa5"))
        lost.stopped("hint: Move its folder below `state:` away")
    lost.shadow.rename(lost.shadow.with_name("moved-away"))
    lost.work(0, deletes=False)  # which nobody could know

    lost.stopped("holds no shadow", "stays at the targets")
    refused = lost.programs.start("capture", "--recover", "--until-caught-up")
    assert refused.wait() == 2, refused.tail()
    assert "--yes" in refused.tail()
    lost.recover("--yes")

    found = [event for event in lost.events() if event.position.generation not in former]
    assert {event.mode for event in found} == {Mode.RECOVER}
    assert not any(event.before_known for event in found)
    lost.judge()
    lost.work(10)
    lost.programs.caught_up()
    lost.judge()


def test_a_first_start_has_nothing_to_recover(lost: Site) -> None:
    config = lost.programs.config
    text = config.read_text(encoding="utf-8").replace(lost.name, f"{lost.name}_2")
    config.write_text(text.replace("./state", "./other"), encoding="utf-8")
    lost.programs.run("setup")

    capture = lost.programs.start("capture", "--recover", "--yes")

    assert capture.wait() == 1, capture.tail()
    assert "nothing was captured before" in capture.tail()


@pytest.mark.fault("Another database stands where the one was", "`capture --recover --yes`")
def test_law_1_a_shadow_of_another_database(
    lost: Site, odoo_databases: Callable[..., Database]
) -> None:
    lost.ask(f"SELECT pg_drop_replication_slot('{lost.slot}')")
    lost.work()
    elsewhere = odoo_databases(lost.database)
    config = lost.programs.config
    text = config.read_text(encoding="utf-8")
    former, now = (f"dbname={name}" for name in (lost.database, elsewhere.name))
    assert former in text
    config.write_text(text.replace(former, now), encoding="utf-8")
    lost.programs.run("setup")

    lost.stopped("was made of another database")
    refused = lost.programs.start("capture", "--recover", "--until-caught-up")
    assert refused.wait() == 2, refused.tail()

    missed = lost.differing()
    lost.recover("--yes")
    lost.recovered()
    assert lost.delivered() == missed
    lost.judge()


def grow(site: Site, reached: int) -> None:
    """Have WAL that goes beyond a position, so that the position alone tells nothing."""
    while site.source.lsn() < reached + 0x1000:
        site.ask("CREATE TABLE filler AS SELECT generate_series(1, 1000)", "DROP TABLE filler")


def promote(standby: Postgres) -> None:
    """Make a standby the primary."""
    with psycopg.connect(standby.dsn(), autocommit=True) as server:
        server.execute("SELECT pg_promote(true, 60)")


def replayed(standby: Postgres, lsn: int) -> None:
    """Wait until a standby has replayed up to a position."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(standby.dsn(), autocommit=True) as server:
        query = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        while server.execute(query, [format_lsn(lsn)]).fetchone() != (True,):
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.05)


@pytest.mark.fault("Failover to a standby that has everything (Postgres 18)", "by itself")
def test_law_1_a_failover_that_lost_nothing_of_ours_is_followed(
    kafka: Kafka, tmp_path: Path
) -> None:
    with site(tmp_path, kafka, version=18) as moved, standby(moved) as other:
        moved.work()
        moved.programs.caught_up()
        replayed(other, moved.source.lsn())
        moved.cluster.kill()
        promote(other)
        moved.move(other)
        moved.work(10, deletes=False)

        moved.programs.caught_up()

        assert Mode.RECOVER not in {event.mode for event in moved.events()}
        moved.judge()


@pytest.mark.fault(
    "Failover to a standby that has the slot synchronised (Postgres 17)", "by itself"
)
def test_law_1_capture_goes_on_from_the_slot_that_a_standby_has_synchronised(
    kafka: Kafka, tmp_path: Path
) -> None:
    with (
        site(tmp_path, kafka, version=17, source={"failover": True}) as moved,
        standby(moved, synchronised=True) as other,
        psycopg.connect(other.dsn(), autocommit=True) as server,
    ):
        synced = (
            "SELECT synced AND NOT temporary AND confirmed_flush_lsn >= %s::pg_lsn"
            " FROM pg_replication_slots WHERE slot_name = %s"
        )

        def ready() -> bool:
            moved.ask("SELECT pg_log_standby_snapshot()")  # as Postgres does every 15 s
            server.execute("SELECT pg_sync_replication_slots()")
            return server.execute(synced, [reached, moved.slot]).fetchone() == (True,)

        moved.ask("ALTER SYSTEM SET synchronized_standby_slots = 'standby'")
        moved.ask("SELECT pg_reload_conf()")
        capture = moved.programs.start("capture")
        moved.work()
        reached = format_lsn(moved.source.lsn())
        until(ready, capture)
        assert capture.stop() == 0
        moved.work(10, deletes=False)  # which nobody has published
        replayed(other, moved.source.lsn())
        moved.cluster.kill()
        promote(other)
        moved.move(other)
        moved.work(10, deletes=False)

        moved.programs.caught_up()

        assert moved.of_slot("failover") == "true"
        assert Mode.RECOVER not in {event.mode for event in moved.events()}
        moved.judge()


@pytest.mark.fault(
    "Failover to a standby that lacks what is published already (Postgres 18)",
    "`capture --recover`",
)
def test_law_1_a_failover_that_lost_what_was_published_already(
    kafka: Kafka, tmp_path: Path
) -> None:
    with site(tmp_path, kafka, version=18) as lost, standby(lost) as other:
        replayed(other, lost.source.lsn())
        other.stop()
        lost.work(20, deletes=False)
        lost.programs.caught_up()
        lost.look()
        reached = lost.source.lsn()
        lost.cluster.kill()
        other.launch()
        promote(other)
        lost.move(other)
        # Ids that nobody has published: a record that has one is told from a changed one.
        lost.ask("SELECT setval(pg_get_serial_sequence('res_partner', 'id'), 1000000)")
        lost.ask(DELETED, *CHANGED.split(";") * 2)
        grow(lost, reached)

        lost.stopped("has what the database has not")

        exactly_the_difference(lost)
