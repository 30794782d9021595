"""Postgres goes down, or wants to: capture holds nothing up, and comes back by itself."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from tests.capturing import active, ask, confirmed, programs_of
from tests.documents_as_of import Checkpoints, dispatched, judge
from tests.fix_own_postgres import OwnOdoo
from tests.oracle import Oracle
from tests.programs import until
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres

pytestmark = pytest.mark.acceptance

MANY_PARTNERS: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Many ' || n, 'Many ' || n, 'contact', true, true, 0 FROM generate_series(1, %s) n
"""


def shut_down(server: Postgres) -> None:
    """Do as `pg_ctl stop -m fast`: one that has to be killed after 20 s was held up."""
    server.stop()
    assert "database system is shut down" in server.said(), server.tail()


@pytest.fixture
def name() -> str:
    return f"src_{secrets.token_hex(3)}"


@pytest.mark.fault("Postgres is shut down while Kafka is away", "by itself")
def test_law_6_while_kafka_is_away_keepalives_are_answered_and_a_fast_shutdown_ends(
    own_server: Callable[..., OwnOdoo], own_kafka: Kafka, tmp_path: Path, name: str
) -> None:
    server, source = own_server(wal_sender_timeout="2s")
    with (
        programs_of(tmp_path, source, name, own_kafka) as programs,
        Oracle(source.dsn, name) as oracle,
    ):
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(source, name), capture)
        checkpoints = Checkpoints(oracle)
        own_kafka.kill()
        checkpoints.follow(source.commits(20), every=20)
        capture.until_said("action=kafka_away")
        assert "replication timeout" not in server.said()
        own_kafka.launch()
        until(lambda: active(source, name), capture)
        own_kafka.kill()
        checkpoints.follow(source.commits(20), every=20)

        shut_down(server)  # at once: the stream is still followed
        own_kafka.launch()
        server.launch()

        end = source.lsn()
        until(lambda: confirmed(source, name, end), capture)
        assert capture.stop() == 0
        judge(dispatched(own_kafka.bootstrap, programs.config), checkpoints)


@pytest.mark.fault("Postgres is shut down in a transaction of 60,000 rows", "by itself")
def test_law_6_a_fast_shutdown_waits_for_no_large_transaction_and_it_comes_again(
    own_server: Callable[..., OwnOdoo], kafka: Kafka, tmp_path: Path, name: str
) -> None:
    server, source = own_server()
    with programs_of(tmp_path, source, name, kafka) as programs:
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(source, name), capture)
        _many(source, 60_000)

        shut_down(server)
        capture.until_said("Postgres shuts down: waiting")
        server.launch()

        until(lambda: active(source, name), capture)
        with Oracle(source.dsn, name) as oracle:
            checkpoints = Checkpoints(oracle)
            checkpoints.follow(source.commits(5), every=5)
        end = source.lsn()
        until(lambda: confirmed(source, name, end), capture)
        assert capture.stop() == 0
        judge(dispatched(kafka.bootstrap, programs.config), checkpoints)


@pytest.mark.fault("Postgres is shut down during the first load", "by itself")
def test_law_6_a_fast_shutdown_waits_for_no_first_load_and_it_goes_on(
    own_server: Callable[..., OwnOdoo], kafka: Kafka, tmp_path: Path, name: str
) -> None:
    server, source = own_server()
    with programs_of(tmp_path, source, name, kafka) as programs:
        programs.run("setup")
        _many(source, 20_000)
        capture = programs.start("capture", "--until-caught-up")
        capture.until_said("action=loaded")

        shut_down(server)
        capture.until_said("action=disconnected")
        server.launch()

        assert capture.wait() == 0
        with Oracle(source.dsn, name) as oracle:
            checkpoints = Checkpoints(oracle)
            checkpoints.take(source.lsn())
        judge(dispatched(kafka.bootstrap, programs.config), checkpoints)


def _many(source: Source, number: int) -> None:
    with psycopg.connect(source.dsn) as connection:
        connection.execute(MANY_PARTNERS, [number])


def test_a_slot_that_holds_more_than_the_file_allows_is_dropped_while_kafka_is_away(
    own_server: Callable[..., OwnOdoo], own_kafka: Kafka, tmp_path: Path, name: str
) -> None:
    _, source = own_server()
    with programs_of(tmp_path, source, name, own_kafka, stop_at_wal="200MB") as programs:
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(source, name), capture)
        own_kafka.kill()
        list(source.commits(5))
        capture.until_said("action=kafka_away")
        ask(source, "CREATE TABLE heap AS SELECT repeat('x', 900) FROM generate_series(1, 120000)")
        status = programs.start("status", "--json")
        assert status.wait() == 3, "Kafka is away"
        said = json.loads(status.out.read_text())
        assert any("of the 200 MiB of WAL that source.stop_at_wal" in w for w in _warned(said))
        assert capture.process.poll() is None, "that is not more than it allows"

        ask(source, "INSERT INTO heap SELECT * FROM heap")

        assert capture.wait() == 4
        log = capture.tail()
        assert "alarm=slot_released" in log
        assert "more than source.stop_at_wal (200 MiB)" in log
        assert "hint: Postgres has its disk back" in log
        assert not ask(source, "SELECT count(*) FROM pg_replication_slots")


def _warned(said: dict[str, Any]) -> list[str]:
    found: list[str] = said["capture"]["warnings"]
    return found
