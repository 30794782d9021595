"""kill -9 of capture at named points: nothing is lost, and what comes again is the same."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from schemas.topics import Topics
from tests import faulty
from tests.compared import of_many
from tests.documents_as_of import MODELS, Checkpoints, dispatched, judge
from tests.kafka_reading import read
from tests.oracle import Oracle, routes_yaml
from tests.programs import Programs, sync_yaml
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

MANY: Final = 100_000

MANY_PARTNERS: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Many ' || n, 'Many ' || n, 'contact', true, true, 0 FROM generate_series(1, %s) n
"""


@dataclass(slots=True)
class Captured:
    """A database that is captured, loaded and published; its programs."""

    source: Source
    name: str
    kafka: Kafka
    programs: Programs
    checkpoints: Checkpoints

    def killed(self, point: str, number: int) -> None:
        """Run capture until it dies at a point."""
        launcher = (sys.executable, "-m", "tests.faulty", point, str(number))
        program = self.programs.start("capture", "--until-caught-up", launcher=launcher)
        assert program.wait() == -signal.SIGKILL, program.tail()

    def published(self) -> Counter[bytes]:
        """Return the events so far, each with how often it was published.

        An event holds its position: what is published again counts as the same only when every
        byte of it is.
        """
        topics = Topics(self.name)
        found = read(self.kafka.bootstrap, [topics.events(model) for model in MODELS])
        return Counter(record.value for record in found)

    def judge(self) -> None:
        """Fold all deliveries and ask SQL about every checkpoint."""
        judge(dispatched(self.kafka.bootstrap, self.programs.config), self.checkpoints)


@pytest.fixture
def captured(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Captured]:
    text = sync_yaml(
        source=kafka_prefix,
        dsn=own_odoo.dsn,
        kafka=kafka.bootstrap,
        targets=("shop", "erp"),
        routes=routes_yaml(),
    )
    with Programs(tmp_path, text) as programs, Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        programs.run("setup")
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
        yield Captured(own_odoo, kafka_prefix, kafka, programs, checkpoints)


def new(captured: Captured, before: Counter[bytes]) -> Counter[bytes]:
    """Return what was published since, with how often."""
    return captured.published() - before


@pytest.mark.fault(
    "Killed (kill -9) when Kafka has an epoch and the shadow has not",
    "started again",
)
def test_law_3_what_kafka_had_and_the_shadow_had_not_comes_again_byte_for_byte(
    captured: Captured,
) -> None:
    before = captured.published()
    captured.checkpoints.follow(captured.source.commits(100), every=50)

    captured.killed(faulty.AFTER_KAFKA, 1)
    first = new(captured, before)
    captured.programs.caught_up()

    twice = {value for value, times in new(captured, before).items() if times == 2}
    assert first, "it died before anything was published"
    assert twice == set(first)
    captured.judge()


@pytest.mark.fault(
    "Killed (kill -9) when the shadow has an epoch and Postgres was not told",
    "started again",
)
def test_law_1_what_the_shadow_had_and_postgres_was_not_told_is_neither_lost_nor_repeated(
    captured: Captured,
) -> None:
    before = captured.published()
    captured.checkpoints.follow(captured.source.commits(100), every=50)

    captured.killed(faulty.AFTER_COMMIT, 1)
    first = new(captured, before)
    captured.programs.caught_up()

    assert first, "it died before anything was published"
    assert set(new(captured, before).values()) == {1}
    captured.judge()


@pytest.mark.fault("Killed (kill -9) while it publishes, {}", "started again")
@pytest.mark.parametrize("number", [2, 40], ids="after {} events".format)
def test_law_1_nothing_is_lost_when_capture_dies_while_it_publishes(
    captured: Captured, number: int
) -> None:
    captured.checkpoints.follow(captured.source.commits(100), every=50)

    captured.killed(faulty.PUBLISHED, number)
    captured.programs.caught_up()

    captured.judge()


@pytest.mark.fault("Killed (kill -9) four times in a row", "started again")
def test_law_1_capture_may_die_again_and_again(captured: Captured) -> None:
    for point in (faulty.AFTER_KAFKA, faulty.AFTER_KAFKA, faulty.AFTER_COMMIT, faulty.PUBLISHED):
        captured.checkpoints.follow(captured.source.commits(50), every=50)  # for it to die of
        captured.killed(point, 1)
    captured.programs.caught_up()

    captured.judge()


@pytest.mark.fault("Killed (kill -9) in a transaction of 100,000 rows, {}", "started again")
@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faulty.IN_TRANSACTION, MANY // 2, id="while it is read"),
        pytest.param(
            faulty.PUBLISHED, MANY // 2, id="while it is published", marks=pytest.mark.slow
        ),
        pytest.param(
            faulty.AFTER_KAFKA,
            1,
            id="when Kafka has it and the shadow has not",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_law_1_a_transaction_of_100_000_rows_outlives_a_kill(
    captured: Captured, point: str, number: int
) -> None:
    before = captured.published()
    with psycopg.connect(captured.source.dsn) as connection:
        connection.execute(MANY_PARTNERS, [MANY])

    captured.killed(point, number)
    first = new(captured, before)
    captured.programs.caught_up()

    every = new(captured, before)
    of_many(every, MANY)
    assert len(every) == MANY  # distinct: the same row again is the same bytes
    assert set(first) <= set(every)
    assert sum(every.values()) == MANY + sum(first.values()), "what was published comes again"
    assert not first or point != faulty.IN_TRANSACTION, "nothing is published before its end"
