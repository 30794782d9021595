"""`odoo-cdc setup` beside a transaction that does not end: it says what it waits for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.fix_services import Database
from tests.programs import Programs, sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES: Final = """
routes:
  - {name: countries, model: res.country, targets: [shop], fields: [name]}
"""


@pytest.fixture
def programs(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Programs]:
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=["shop"],
        routes=ROUTES,
    )
    with Programs(tmp_path, text) as made:
        yield made


def slots(database: Database) -> int:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        found = connection.execute(
            "SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()"
        ).fetchone()
    assert found is not None
    return int(found[0])


def test_setup_names_the_process_that_it_waits_for_and_goes_on_when_that_is_done(
    programs: Programs, odoo_database: Database
) -> None:
    with psycopg.connect(odoo_database.dsn) as odoo:
        odoo.execute("UPDATE res_country SET code = code")
        program = programs.start("setup")
        program.until_said(f"waits for a transaction to end: process {odoo.info.backend_pid} of")
        odoo.commit()

        assert program.wait() == 0
    assert slots(odoo_database) == 1


def test_setup_that_is_interrupted_while_it_waits_leaves_no_slot(
    programs: Programs, odoo_database: Database
) -> None:
    with psycopg.connect(odoo_database.dsn) as odoo:
        odoo.execute("UPDATE res_country SET code = code")
        program = programs.start("setup")
        program.until_said("waits for a transaction to end")
        program.process.send_signal(signal.SIGINT)

        assert program.wait() == 130
        odoo.commit()
    assert slots(odoo_database) == 0
    assert "Traceback" not in program.tail()
