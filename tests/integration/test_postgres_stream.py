"""The stream, on every version that we read from."""

from __future__ import annotations

import time

import pytest

from cdc.pgoutput.decoder import decode
from cdc.pgoutput.messages import Begin, Commit, Relation
from cdc.postgres import publication, publishing, slot
from cdc.postgres.connect import NotPermitted, Session
from cdc.postgres.refusals import (
    ConnectionLost,
    PublicationMissing,
)
from cdc.postgres.replication import Replication
from cdc.postgres.snapshot import RangeReader
from tests.fix_pg_source import Source
from tests.pg_reading import messages_of, until

pytestmark = pytest.mark.integration


def test_a_transaction_arrives_whole_and_its_confirmation_moves_the_slot(
    pg_source: Source, pg_published: Session, pg_stream: Replication
) -> None:
    pg_published.execute("INSERT INTO note (body) VALUES ('one'), ('two')")

    came = messages_of(pg_stream)
    begin, relation = decode(next(came)), decode(next(came))
    rows = [next(came), next(came)]
    commit = decode(next(came))

    assert isinstance(begin, Begin)
    assert isinstance(relation, Relation)
    assert isinstance(commit, Commit)
    assert relation.name == "note"
    assert [row[:1] for row in rows] == [b"I", b"I"]
    assert begin.final_lsn == commit.commit_lsn < commit.end_lsn
    pg_stream.send_status(commit.end_lsn, commit.end_lsn, commit.end_lsn)
    until(
        lambda: slot.look(pg_published, pg_source.slot).confirmed_flush_lsn == commit.end_lsn,
        pg_stream.read,
    )
    assert slot.look(pg_published, pg_source.slot).active_pid == pg_stream.backend_pid


def test_reading_never_waits(pg_stream: Replication) -> None:
    began = time.monotonic()
    while pg_stream.read() is not None:  # keepalives
        pass
    assert time.monotonic() - began < 1


def test_a_stream_that_the_server_ends_is_lost(
    pg_session: Session, pg_stream: Replication
) -> None:
    pg_session.execute("SELECT pg_terminate_backend(%s, 5000)", [pg_stream.backend_pid])
    with pytest.raises(ConnectionLost) as lost:
        until(lambda: False, pg_stream.read)
    assert lost.value.exit_code == 3


def test_a_publication_that_is_not_there_stops_the_stream(
    pg_source: Source, pg_session: Session
) -> None:
    slot.create(pg_source.dsn, pg_source.slot)
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["nowhere", 'it\'s "odd"'])
        pg_session.execute("INSERT INTO note (body) VALUES ('x')")
        if pg_source.version == 18:  # only a warning in the server's log: look at pg_publication
            assert not publication.look(pg_session, "nowhere").exists
            return
        with pytest.raises(PublicationMissing, match="nowhere"):
            next(messages_of(replication))


def test_what_was_written_before_the_publication_cannot_be_read_from_an_older_slot(
    pg_source: Source, pg_session: Session
) -> None:
    slot.create(pg_source.dsn, pg_source.slot)
    pg_session.execute("INSERT INTO note (body) VALUES ('before')")
    state = publication.look(pg_session, "cdc")
    publishing.apply(pg_session, "cdc", publishing.plan({"note": ()}, state))
    pg_session.execute("INSERT INTO note (body) VALUES ('behind')")

    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc"])
        if pg_source.version < 18:
            with pytest.raises(PublicationMissing, match="cdc"):
                next(messages_of(replication))
            return
        came = messages_of(replication)  # it is left out without a word
        first = next(message for message in came if message[:1] == b"I")
        assert b"behind" in first


def test_a_role_without_replication_is_told_what_it_lacks(
    pg_source: Source, pg_session: Session
) -> None:
    role = f"role_{pg_source.name}"
    pg_session.execute(f"CREATE ROLE {role} LOGIN".encode())
    try:
        with pytest.raises(NotPermitted) as refused:
            Replication.connect(pg_source.cluster.dsn(pg_source.name, user=role), "capture")
        assert refused.value.exit_code == 2
        assert "REPLICATION" in refused.value.hint
        pg_session.execute(f"ALTER ROLE {role} REPLICATION".encode())
        Replication.connect(pg_source.cluster.dsn(pg_source.name, user=role), "capture").close()
    finally:
        pg_session.execute(f"DROP ROLE {role}".encode())


def test_the_cluster_says_who_it_is(pg_source: Source) -> None:
    reader = RangeReader(pg_source.dsn)
    with Replication.connect(pg_source.dsn, "capture") as replication:
        before = reader.current_lsn()
        system = replication.identify()
    reader.close()
    assert system.database == pg_source.name
    assert system.timeline == 1
    assert int(system.system_id) > 0
    assert system.lsn >= before


def test_nothing_is_printed_for_a_notice(
    capfd: pytest.CaptureFixture[str], pg_source: Source, pg_session: Session
) -> None:
    pg_session.execute("DO $$ BEGIN RAISE WARNING 'row values'; END $$")
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.connection.execute("DO $$ BEGIN RAISE WARNING 'row values'; END $$")
    assert capfd.readouterr() == ("", "")
