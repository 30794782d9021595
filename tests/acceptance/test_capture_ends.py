"""SIGTERM at bad moments: capture ends soon; what was published is confirmed or comes again.

Figures are of an idle machine; what is asked for leaves room for a busy one.
"""

from __future__ import annotations

import secrets
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from schemas.topics import Topics
from tests import faulty
from tests.capturing import Frozen, active, ask, confirmed, programs_of
from tests.compared import of_many
from tests.documents_as_of import MODELS, Checkpoints, dispatched, judge
from tests.fix_own_postgres import OwnOdoo
from tests.kafka_reading import read
from tests.oracle import Oracle
from tests.programs import Program, Programs, until
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

MANY: Final = 60_000
SOON: Final = 30.0  # seconds; it takes 1 to 5

MANY_PARTNERS: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Many ' || n, 'Many ' || n, 'contact', true, true, 0 FROM generate_series(1, %s) n
"""


def ends_soon(program: Program) -> None:
    program.process.send_signal(signal.SIGTERM)
    assert program.wait(SOON) == 0, program.tail()
    assert "Traceback" not in program.tail()


def published(kafka: Kafka, name: str) -> Counter[bytes]:
    topics = Topics(name)
    found = read(kafka.bootstrap, [topics.events(model) for model in MODELS])
    return Counter(record.value for record in found)


@pytest.mark.fault("SIGTERM in a transaction of 60,000 rows, {}", "started again")
@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faulty.IN_TRANSACTION, 1_000, id="while it is read"),
        pytest.param(faulty.PUBLISHED, 1_000, id="while it is published"),
    ],
)
def test_law_1_it_ends_inside_a_large_transaction_with_what_went_before_confirmed(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, installed: Programs, point: str, number: int
) -> None:
    before = published(kafka, kafka_prefix)
    end = list(own_odoo.commits(20))[-1]
    with psycopg.connect(own_odoo.dsn) as connection:
        connection.execute(MANY_PARTNERS, [MANY])
    launcher = ("env", "FAULTY_SIGNAL=SIGTERM", sys.executable, "-m", "tests.faulty", point)

    told = installed.start("capture", launcher=(*launcher, str(number)))

    assert told.wait() == 0, told.tail()
    assert confirmed(own_odoo, kafka_prefix, end)
    first = published(kafka, kafka_prefix) - before
    assert set(first.values()) == {1}
    many = sum(b"Many " in value for value in first)
    assert many < MANY, "it did not end in the midst"
    assert not many or point == faulty.PUBLISHED, "nothing is published before its end"
    installed.caught_up()
    every = published(kafka, kafka_prefix) - before
    of_many(Counter({value: n for value, n in every.items() if b"Many " in value}), MANY)
    small = {value for value in first if b"Many " not in value}
    assert small
    assert {every[value] for value in small} == {1}, "what was confirmed comes not again"
    assert sum(b"Many " in value for value in every) == MANY


@pytest.mark.fault("SIGTERM while Kafka is away", "started again")
def test_law_1_it_ends_while_kafka_is_away_and_loses_nothing(
    own_odoo: Source, own_kafka: Kafka, tmp_path: Path
) -> None:
    name = f"src_{secrets.token_hex(3)}"
    with (
        programs_of(tmp_path, own_odoo, name, own_kafka) as programs,
        Oracle(own_odoo.dsn, name) as oracle,
    ):
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(own_odoo, name), capture)
        checkpoints = Checkpoints(oracle)
        own_kafka.kill()
        checkpoints.follow(own_odoo.commits(20), every=20)

        ends_soon(capture)

        own_kafka.launch()
        programs.caught_up()
        judge(dispatched(own_kafka.bootstrap, programs.config), checkpoints)


@pytest.mark.fault("SIGTERM while Postgres does not answer: {}", "started again")
@pytest.mark.parametrize(
    "connecting", [False, True], ids=["while it follows", "while it connects"]
)
def test_law_1_it_ends_while_postgres_does_not_answer_and_loses_nothing(
    own_server: Callable[..., OwnOdoo],
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    *,
    connecting: bool,
) -> None:
    server, source = own_server()
    with (
        programs_of(tmp_path, source, kafka_prefix, kafka) as programs,
        Oracle(source.dsn, kafka_prefix) as oracle,
    ):
        programs.run("setup")
        programs.caught_up()
        capture = programs.start("capture")
        until(lambda: active(source, kafka_prefix), capture)
        checkpoints = Checkpoints(oracle)
        checkpoints.follow(source.commits(20), every=20)
        if connecting:
            ask(
                source,
                "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                " WHERE slot_name = %s",
                f"odoo_cdc_{kafka_prefix}",
            )
        with Frozen(server):
            if connecting:
                capture.until_said("action=disconnected")
            ends_soon(capture)
        programs.caught_up()
        judge(dispatched(kafka.bootstrap, programs.config), checkpoints)
