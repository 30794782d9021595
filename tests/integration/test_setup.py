"""`odoo-cdc setup` against a real Postgres and a real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cdc.__main__ import main
from cdc.kafka_admin import Admin
from cdc.topics import wanted
from embedded.kafka import Kafka
from schemas.config import load
from tests.fix_services import Database
from tests.kafka_reading import events
from tests.programs import sync_yaml

pytestmark = pytest.mark.integration

ROUTES = """
routes:
  - name: partners
    model: res.partner
    targets: [webshop]
    fields: [name, country_id.code, category_id.name]
"""


@pytest.fixture
def file(odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path) -> Path:
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=["webshop"],
        routes=ROUTES,
    )
    path = tmp_path / "sync.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def session(odoo_database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        yield connection


def setup(capsys: pytest.CaptureFixture[str], file: Path, *options: str) -> dict[str, Any]:
    assert main(["setup", "-c", str(file), "--json", *options]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_setup_makes_publication_slot_and_topics_and_then_has_nothing_to_do(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    first = setup(capsys, file)
    again = setup(capsys, file)

    config = load(file)
    name = config.source.name
    tables = session.execute(
        "SELECT tablename FROM pg_publication_tables WHERE pubname = %s ORDER BY 1",
        [f"odoo_cdc_{name}"],
    ).fetchall()
    assert [table for (table,) in tables] == [
        "ir_model_data",
        "res_country",
        "res_partner",
        "res_partner_category",
        "res_partner_res_partner_category_rel",
    ]
    slots = session.execute(
        "SELECT plugin FROM pg_replication_slots WHERE slot_name = %s", [f"odoo_cdc_{name}"]
    ).fetchall()
    assert slots == [("pgoutput",)]
    made = {n: c for n, c in Admin(config.kafka).partitions().items() if n.startswith(f"{name}.")}
    assert made == dict.fromkeys(
        [
            f"{name}.{topic}"
            for topic in (
                "res.partner",
                "deliveries.webshop",
                "responses",
                "retries",
                "ledger",
                "dead",
                "commands",
                "command_results",
                "holds",
                "pauses",
                "replays",
                "schemas",
            )
        ],
        4,
    )
    assert len(first["steps"]) == len(made) + 2
    assert again == {"dry_run": False, "steps": []}


def test_a_dry_run_lists_every_step_with_who_may_do_it_and_does_none(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    said = setup(capsys, file, "--dry-run")

    assert said["dry_run"]
    assert all(step["what"] and step["needs"] for step in said["steps"])
    assert len(setup(capsys, file, "--dry-run")["steps"]) == len(said["steps"])
    assert session.execute("SELECT count(*) FROM pg_publication").fetchone() == (0,)


def test_setup_mends_a_publication_and_topics_that_others_have_changed(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    setup(capsys, file)
    config = load(file)
    publication = f"odoo_cdc_{config.source.name}"
    session.execute(f"ALTER PUBLICATION {publication} DROP TABLE res_country".encode())
    admin = Admin(config.kafka)
    (ledger,) = [t for t in wanted(config) if t.name.endswith(".ledger")]
    admin.change([replace(ledger, settings={"cleanup.policy": "delete"})])

    steps = [step["what"] for step in setup(capsys, file)["steps"]]

    assert [step.split(" ")[0] for step in steps] == ["change", "ALTER"]
    assert setup(capsys, file)["steps"] == []


def test_topics_with_another_partition_count_are_refused_not_changed(
    capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    setup(capsys, file)
    file.write_text(
        file.read_text(encoding="utf-8").replace('"partitions": 4', '"partitions": 6'),
        encoding="utf-8",
    )

    assert main(["setup", "-c", str(file)]) == 2

    said = capsys.readouterr().err
    assert "has 4, not 6" in said
    assert "hint: " in said


def test_a_slot_that_capture_cannot_read_is_refused(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    slot = f"odoo_cdc_{load(file).source.name}"
    session.execute("SELECT pg_create_physical_replication_slot(%s)", [slot])
    try:
        assert main(["setup", "-c", str(file)]) == 2
    finally:
        session.execute("SELECT pg_drop_replication_slot(%s)", [slot])

    said = capsys.readouterr().err
    assert "it is physical, not logical" in said
    assert "source.slot" in said


def test_law_1_a_slot_is_never_left_older_than_its_publication(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    name = f"odoo_cdc_{load(file).source.name}"
    session.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [name])
    session.execute("UPDATE res_partner SET color = 1")

    for options in ([], ["--dry-run"], ["--sql"]):
        assert main(["setup", "-c", str(file), *options]) == 4
        refused = capsys.readouterr().err
        assert f'the publication "{name}" is not' in refused
    assert session.execute("SELECT count(*) FROM pg_publication").fetchone() == (0,)

    remedy = "SELECT pg_drop_replication_slot('NAME')"
    assert remedy in " ".join(refused.split())
    session.execute(remedy.replace("NAME", name).encode())
    setup(capsys, file)
    session.execute("UPDATE res_partner SET color = 2")
    assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
    config = load(file)
    found = events(config.kafka["bootstrap.servers"], config.source.name, ["res.partner"])
    partners = session.execute("SELECT count(*) FROM res_partner").fetchone()
    assert partners == (len({event.id for _, event in found}),)


def test_the_script_for_a_dba_is_all_that_an_ordinary_role_needs(
    capsys: pytest.CaptureFixture[str],
    file: Path,
    session: psycopg.Connection,
    odoo_database: Database,
) -> None:
    role = f"cdc_{odoo_database.name}"
    session.execute(f"CREATE ROLE {role} LOGIN".encode())
    try:
        as_role(file, odoo_database, role)
        text = file.read_text(encoding="utf-8")
        named = text.replace("    fields:", "    ignore_writes_by: [admin]\n    fields:")
        file.write_text(named, encoding="utf-8")
        assert main(["setup", "-c", str(file)]) == 2
        refused = capsys.readouterr().err
        assert "setup --sql" in refused
        run_as_owner(capsys, file, session)  # the models, which name the tables
        run_as_owner(capsys, file, session)  # the tables

        assert setup(capsys, file)["steps"] != []  # what is left: slot and topics, as the role
        assert main(["setup", "-c", str(file)]) == 0
        assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
    finally:
        slot = f"odoo_cdc_{load(file).source.name}"
        session.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE slot_name = %s",
            [slot],
        )
        session.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def as_role(file: Path, database: Database, role: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(database.dsn, user=role)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(json.dumps(database.dsn), json.dumps(dsn)), encoding="utf-8")


def run_as_owner(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    """Run what is printed, but for the slot, which the role makes itself."""
    lines: list[str] = setup(capsys, file, "--sql")["sql"]
    for line in lines:
        if line and not line.startswith(("--", "SELECT")):
            session.execute(line.encode())
