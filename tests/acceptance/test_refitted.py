"""Routes, fields and models that are added while capture runs: nothing lost, nothing twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from schemas.event import Event, Mode
from tests.compared import of_numbers
from tests.fix_services import Database
from tests.kafka_reading import events
from tests.programs import Programs, said, sync_yaml, until
from tests.traffic import Traffic

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

MANY: Final = 12_000  # partners: some ranges
RENAMED: Final = "UPDATE res_partner SET name = %s WHERE id = %s"
BEFORE: Final = """
routes:
  - name: partners
    model: res.partner
    targets: [shop]
    fields: [name, phone, user_id.login]
    initial_load: false
"""
AFTER: Final = """
routes:
  - name: partners
    model: res.partner
    targets: [shop]
    fields: [name, email, country_id.code, category_id.name]
    initial_load: false
  - {name: tags, model: crm.tag, targets: [shop], fields: [name]}
"""


@pytest.fixture
def programs(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Programs]:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO res_partner (name, email, country_id)"
            " SELECT 'Many ' || n, n || '@example.com', 1 FROM generate_series(1, %s) n",
            [MANY],
        )
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=("shop",),
        routes=BEFORE,
    )
    with Programs(tmp_path, text) as made:
        made.run("setup")
        made.caught_up()
        yield made


def replace_routes(programs: Programs, old: str, new: str) -> None:
    text = programs.config.read_text(encoding="utf-8")
    assert old in text
    programs.config.write_text(text.replace(old, new), encoding="utf-8")


def of_partners(kafka: Kafka, source: str) -> list[Event]:
    return [event for _, event in events(kafka.bootstrap, source, ["res.partner"])]


def numbers(found: list[Event], record: int) -> list[int]:
    """Return the numbers that a record was named by, in order."""
    named = (each.after["name"] for each in found if each.id == record and each.after)
    return [int(name) for name in named]


def judge(kafka: Kafka, source: str, traffic: Traffic, dsn: str) -> None:
    """Hold all events against what was written, and the last ones against the database."""
    found = of_partners(kafka, source)
    told = {record: numbers(found, record) for record in traffic.named}
    of_numbers(told, traffic.named)
    assert len({str(each.position) for each in found}) == len(found)
    for record, named in traffic.named.items():
        assert told[record] == named
        forms = ["email" in each.after for each in found if each.id == record and each.after]
        assert forms == sorted(forms), "the former form came back"
    last = {each.id: each.after for each in found}
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT p.id, p.name, p.email, c.code FROM res_partner p"
            " LEFT JOIN res_country c ON c.id = p.country_id WHERE p.id = ANY(%s)",
            [list(traffic.named)],
        ).fetchall()
        tags = [row for (row,) in connection.execute("SELECT id FROM crm_tag ORDER BY id")]
    for record, name, email, code in rows:
        shown = last[record]
        assert shown is not None
        country = shown["country_id"]
        assert (shown["name"], shown["email"], country and country["code"]) == (name, email, code)
        assert "phone" not in shown
    loaded = [event for _, event in events(kafka.bootstrap, source, ["crm.tag"])]
    assert [each.id for each in sorted(loaded, key=lambda each: each.id)] == tags
    assert {each.mode for each in loaded} == {Mode.SNAPSHOT}


@pytest.mark.fault("Routes, fields and models are added under traffic, {}", "by itself")
@pytest.mark.parametrize("killed", [False, True], ids=["in one life", "killed while it reads"])
def test_laws_1_to_4_hold_while_routes_fields_and_models_are_added(
    programs: Programs, odoo_database: Database, kafka: Kafka, kafka_prefix: str, *, killed: bool
) -> None:
    capture = programs.start("capture")
    capture.until_said("action=following")
    found = "id, name FROM res_partner WHERE id % 400 = 1"
    with Traffic(odoo_database.dsn, RENAMED, found) as traffic:
        until(lambda: len(traffic.named) == len(traffic.records), capture)
        replace_routes(programs, BEFORE, AFTER)
        assert said(programs.run("setup"), "still published") == 1
        capture.process.send_signal(signal.SIGHUP)
        capture.until_said("action=reading")
        if killed:
            capture.kill()
            capture = programs.start("capture")
        else:
            capture.until_said("the file is in force")
        at = len(of_partners(kafka, kafka_prefix))
        until(lambda: len(of_partners(kafka, kafka_prefix)) > at + 60, capture)
    assert capture.stop() == 0
    assert said(programs.run("setup"), "still published") == 0
    programs.caught_up()
    traffic.each()  # killed, it may have read on only then
    programs.caught_up()

    judge(kafka, kafka_prefix, traffic, odoo_database.dsn)
