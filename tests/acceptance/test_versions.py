"""Capture from end to end on every version of Postgres that we read from."""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from embedded.odoo import SMALL, create
from embedded.odoo.simulator import Simulator
from tests import faulty
from tests.documents_as_of import Checkpoints, dispatched, judge
from tests.fix_pg_source import Source
from tests.oracle import Oracle, routes_yaml
from tests.programs import Program, Programs, sync_yaml
from tests.sources import Source as Played

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

COMMITS = 30
LARGE = (
    "UPDATE sale_order_line"
    " SET name = (SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) g)"
)


def at_work(dsn: str) -> Played:
    """Make the database one that people work in: orders, lines, tags, relations."""
    create(dsn, seed=1, size=SMALL)

    def play() -> Generator[object]:
        with Simulator(dsn, seed=7) as simulator:
            while True:
                yield simulator.step()

    return Played(dsn, play)


def killed(programs: Programs, point: str) -> Program:
    launcher = (sys.executable, "-m", "tests.faulty", point, "1")
    program = programs.start("capture", "--until-caught-up", launcher=launcher)
    assert program.wait() == -signal.SIGKILL, program.tail()
    return program


def test_law_1_from_the_first_load_over_kills_to_a_truncate(
    pg_source: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> None:
    source = at_work(pg_source.dsn)
    text = sync_yaml(
        source=kafka_prefix,
        dsn=pg_source.dsn,
        kafka=kafka.bootstrap,
        targets=("shop", "erp"),
        routes=routes_yaml(),
    )
    with Programs(tmp_path, text) as programs, Oracle(pg_source.dsn, kafka_prefix) as oracle:
        programs.run("setup")
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.take(source.lsn())

        for point in (faulty.AFTER_KAFKA, faulty.AFTER_COMMIT):
            checkpoints.follow(source.commits(COMMITS), every=COMMITS)
            killed(programs, point)
        with psycopg.connect(pg_source.dsn, autocommit=True) as connection:
            # Large values, which Postgres keeps beside the row, and an update that leaves them.
            for statement in (
                "ALTER TABLE sale_order_line ALTER name SET STORAGE EXTERNAL",
                LARGE,
                "UPDATE sale_order_line SET sequence = coalesce(sequence, 0) + 1",
            ):
                connection.execute(statement.encode())
                checkpoints.take(source.lsn())
        programs.caught_up()
        judge(dispatched(kafka.bootstrap, programs.config), checkpoints)

        with psycopg.connect(pg_source.dsn) as connection:
            connection.execute("TRUNCATE sale_order_line CASCADE")
        checkpoints.take(source.lsn())
        programs.caught_up()
        judge(dispatched(kafka.bootstrap, programs.config), checkpoints)
