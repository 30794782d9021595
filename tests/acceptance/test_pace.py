"""The first load beside live changes: it waits for the workers, and they do not wait for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from cdc.pace import FEW, LEAST, PORTION
from tests.fix_services import Database
from tests.fix_wso2 import RespondSlowly, Wso2StandIn
from tests.kafka_reading import read
from tests.programs import Program, Programs, sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 90.0  # seconds until a test gives up; none waits that long
MANY: Final = 3_000
MANY_PARTNERS: Final = """
    INSERT INTO res_partner (name, complete_name, type, active, is_company, color)
    SELECT 'Many ' || n, 'Many ' || n, 'contact', true, true, 0 FROM generate_series(1, %s) n
"""
ROUTES: Final = """
routes:
  - {name: partners, model: res.partner, targets: [shop], fields: [name]}
"""


@pytest.fixture
def programs(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path, wso2: Wso2StandIn
) -> Iterator[Programs]:
    run(odoo_database, MANY_PARTNERS, MANY)
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        routes=ROUTES,
        more={"wso2": {"url": wso2.url, "timeout": "5s", "concurrency": 8}},
    )
    with Programs(tmp_path, text) as made:
        made.run("setup")
        yield made


def run(database: Database, statement: str, *values: object) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute(statement.encode(), values)


def until(condition: Callable[[], Any], program: Program) -> None:
    """Wait until the condition holds, the program running."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert program.process.poll() is None, program.tail()
        assert time.monotonic() < deadline, f"it did not happen:\n{program.tail()}"
        time.sleep(0.05)


def test_a_live_change_overtakes_the_first_load(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn
) -> None:
    wso2.otherwise = RespondSlowly(0.1)
    programs.start("stream", "--worker", "one")
    capture = programs.start("capture")
    until(lambda: len(wso2.requests) > PORTION, capture)

    before = len(wso2.requests)
    run(odoo_database, MANY_PARTNERS.replace("'Many '", "'Live '"), 1)
    until(lambda: any(b"Live 1" in each.body for each in wso2.requests[before:]), capture)

    sent = [b"Live 1" in each.body for each in list(wso2.requests)]
    assert sent.index(True) - before < 2 * FEW + LEAST, "events and deliveries"
    assert len(sent) < MANY - PORTION, "the load had come to its end"


def test_without_workers_two_portions_go_out_and_the_rest_waits_for_them(
    programs: Programs, kafka: Kafka, kafka_prefix: str, wso2: Wso2StandIn
) -> None:
    capture = programs.start("capture")
    until(lambda: "wait for the workers" in capture.tail(), capture)

    assert len(read(kafka.bootstrap, [f"{kafka_prefix}.res.partner"])) == 2 * PORTION
    status = programs.run("status", "--json")
    said = json.loads(status.out.read_text(encoding="utf-8"))["capture"]
    assert said["held"] == ["res.partner"]
    assert any("wait for the workers" in each for each in said["warnings"])

    programs.start("stream", "--worker", "one")
    until(lambda: len({each.id for each in list(wso2.requests)}) >= MANY, capture)
    until(lambda: "res.partner is published" in capture.tail(), capture)
    assert capture.stop() == 0


def test_a_run_that_ends_by_itself_waits_for_nobody(
    programs: Programs, kafka: Kafka, kafka_prefix: str
) -> None:
    programs.caught_up()

    assert len(read(kafka.bootstrap, [f"{kafka_prefix}.res.partner"])) > MANY
