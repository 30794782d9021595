"""The life of a slot, on every version that we read from."""

from __future__ import annotations

import contextlib
import re

import psycopg
import pytest

from cdc.postgres import slot
from cdc.postgres.connect import Session
from cdc.postgres.refusals import (
    SlotBusy,
    SlotExists,
    SlotLost,
    SlotMissing,
    StreamStopped,
)
from cdc.postgres.replication import Replication
from schemas.errors import OdooCdcError
from tests.fix_pg_source import Source
from tests.pg_reading import until

pytestmark = pytest.mark.integration


def test_a_slot_in_use_names_the_process(
    pg_source: Source, pg_stream: Replication, pg_session: Session
) -> None:
    with Replication.connect(pg_source.dsn, "capture") as second, pytest.raises(SlotBusy) as busy:
        second.start(pg_source.slot, 0, ["cdc"])
    assert busy.value.pid == pg_stream.backend_pid
    with pytest.raises(SlotBusy) as kept:
        slot.drop(pg_session, pg_source.slot)
    assert kept.value.pid == pg_stream.backend_pid


def test_a_slot_that_is_not_there_is_missing(pg_source: Source, pg_session: Session) -> None:
    with Replication.connect(pg_source.dsn, "capture") as replication, pytest.raises(SlotMissing):
        replication.start("nowhere", 0, ["cdc"])
    with pytest.raises(SlotMissing):
        slot.drop(pg_session, "nowhere")
    assert not slot.look(pg_session, "nowhere").exists


def test_a_slot_is_made_once_and_described(pg_source: Source, pg_published: Session) -> None:
    lsn = slot.create(pg_source.dsn, pg_source.slot)
    with pytest.raises(SlotExists):
        slot.create(pg_source.dsn, pg_source.slot)

    state = slot.look(pg_published, pg_source.slot)
    assert state.confirmed_flush_lsn == lsn
    assert (state.plugin, state.slot_type, state.database) == (
        "pgoutput",
        "logical",
        pg_source.name,
    )
    assert not state.lost
    assert state.wal_held is not None
    assert (state.failover is None) == (pg_source.version < 17)
    slot.drop(pg_published, pg_source.slot)
    assert not slot.look(pg_published, pg_source.slot).exists


def test_a_slot_is_synchronised_to_standbys_from_17_on(
    pg_source: Source, pg_published: Session
) -> None:
    if pg_source.version < 17:
        for refused in (
            lambda: slot.create(pg_source.dsn, pg_source.slot, failover=True),
            lambda: slot.synchronise(pg_published, pg_source.dsn, pg_source.slot),
        ):
            with pytest.raises(OdooCdcError):  # `setup` and `check` ask for the version before
                refused()
        return
    slot.create(pg_source.dsn, pg_source.slot, failover=True)
    assert slot.look(pg_published, pg_source.slot).failover
    slot.drop(pg_published, pg_source.slot)
    slot.create(pg_source.dsn, pg_source.slot)
    assert slot.look(pg_published, pg_source.slot).failover is False

    with Replication.connect(pg_source.dsn, "capture") as reader:
        reader.start(pg_source.slot, 0, ["cdc"])
        with pytest.raises(SlotBusy):
            slot.synchronise(pg_published, pg_source.dsn, pg_source.slot)
    until(lambda: slot.look(pg_published, pg_source.slot).active_pid is None)
    slot.synchronise(pg_published, pg_source.dsn, pg_source.slot)

    assert slot.look(pg_published, pg_source.slot).failover


def test_making_a_slot_names_whom_it_waits_for_and_ends_with_it(
    pg_source: Source, pg_published: Session
) -> None:
    with psycopg.connect(pg_source.dsn, application_name="a long import") as writer:
        writer.execute("INSERT INTO note (body) VALUES ('open')")
        named: list[str] = []

        def on_wait(waiting: tuple[slot.Waiting, ...]) -> None:
            named.extend(map(str, waiting))
            writer.commit()

        slot.create(pg_source.dsn, pg_source.slot, on_wait=on_wait)
        pid = writer.info.backend_pid
    assert re.match(rf"process {pid} of postgres \(a long import, open for \d+ s\)", named[0])
    assert slot.look(pg_published, pg_source.slot).exists


class GiveUp(Exception):
    pass


def test_giving_up_leaves_no_slot(pg_source: Source, pg_published: Session) -> None:
    def on_wait(waiting: tuple[slot.Waiting, ...]) -> None:
        raise GiveUp(waiting)

    with psycopg.connect(pg_source.dsn) as writer:
        writer.execute("INSERT INTO note (body) VALUES ('open')")
        with pytest.raises(GiveUp):
            slot.create(pg_source.dsn, pg_source.slot, on_wait=on_wait)
        until(lambda: not slot.look(pg_published, pg_source.slot).exists)


def test_a_slot_whose_wal_is_gone_is_lost(pg_source: Source, pg_published: Session) -> None:
    slot.create(pg_source.dsn, pg_source.slot)
    with psycopg.connect(pg_source.cluster.dsn(), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        server.execute("SELECT pg_reload_conf()")
        try:

            def write() -> None:
                server.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 100000))")
                server.execute("SELECT pg_switch_wal()")
                server.execute("CHECKPOINT")

            until(lambda: slot.look(pg_published, pg_source.slot).lost, write)
        finally:
            server.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            server.execute("SELECT pg_reload_conf()")

    with (
        Replication.connect(pg_source.dsn, "capture") as replication,
        pytest.raises(SlotLost) as lost,
    ):
        replication.start(pg_source.slot, 0, ["cdc"])
    assert "capture --recover" in lost.value.hint
    assert lost.value.exit_code == 4


def test_a_slot_of_another_plugin_or_database_stops_the_stream(
    pg_source: Source, pg_session: Session
) -> None:
    pg_session.execute("SELECT pg_create_physical_replication_slot(%s)", [pg_source.slot])
    with contextlib.ExitStack() as stack:
        stack.callback(slot.drop, pg_session, pg_source.slot)
        replication = stack.enter_context(Replication.connect(pg_source.dsn, "capture"))
        with pytest.raises(StreamStopped):
            replication.start(pg_source.slot, 0, ["cdc"])
