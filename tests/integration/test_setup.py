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
from schemas.event import Mode
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


def published(session: psycopg.Connection) -> dict[str, list[str]]:
    """Return the listed columns of each table, [] where it is published whole."""
    rows = session.execute(
        "SELECT r.prrelid::regclass::text, ARRAY(SELECT attname::text FROM pg_attribute"
        " WHERE attrelid = r.prrelid AND attnum = ANY (r.prattrs) ORDER BY 1)"
        " FROM pg_publication_rel r ORDER BY 1"
    )
    return dict(rows.fetchall())


LISTED = {
    "ir_model_data": ["id", "model", "module", "name", "res_id", "write_date", "write_uid"],
    "res_country": ["code", "id", "write_date", "write_uid"],
    "res_partner": ["country_id", "id", "name", "write_date", "write_uid"],
    "res_partner_category": ["id", "name", "write_date", "write_uid"],
    "res_partner_res_partner_category_rel": ["category_id", "partner_id"],
}


WHOLE: dict[str, list[str]] = {table: [] for table in LISTED}


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_law_8_with_column_lists_no_other_column_leaves_the_database(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    setup(capsys, file)
    assert published(session) == WHOLE
    columns(file)

    (listed,) = (step["what"] for step in setup(capsys, file, "--dry-run")["steps"])
    assert '"res_partner" ("id", "country_id", "name", ' in listed, "the key stands first"
    assert published(session) == WHOLE
    setup(capsys, file)
    assert published(session) == LISTED
    assert setup(capsys, file)["steps"] == []

    rewrite(file, "fields: [name, ", "fields: [ref, ")
    setup(capsys, file)
    assert published(session)["res_partner"] == [
        name.replace("name", "ref") for name in LISTED["res_partner"]
    ]
    rewrite(file, '"publish": "columns"', '"publish": "tables"')
    setup(capsys, file)
    assert published(session) == WHOLE


def columns(file: Path) -> None:
    rewrite(file, "source: {", 'source: {"publish": "columns", ')


def test_law_6_lists_are_lifted_for_an_upgrade_and_put_back_without_a_gap(
    capsys: pytest.CaptureFixture[str],
    file: Path,
    session: psycopg.Connection,
) -> None:
    columns(file)
    session.execute("ALTER TABLE res_partner ALTER name TYPE varchar(200)")
    setup(capsys, file)
    retype = "ALTER TABLE res_partner ALTER name TYPE varchar(300)"  # which writes no row
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        session.execute(retype)
    assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0

    dry = setup(capsys, file, "--for-upgrade", "--dry-run")
    assert [step["what"].split(" ")[0] for step in dry["steps"]] == ["ALTER"]
    assert published(session) == LISTED
    assert main(["setup", "-c", str(file), "--for-upgrade"]) == 0

    assert "then run `odoo-cdc setup`" in capsys.readouterr().err
    assert published(session) == WHOLE
    session.execute(retype)
    session.execute("UPDATE res_partner SET comment = 'not selected'")
    assert main(["status", "-c", str(file), "--json"]) == 0
    (warning,) = [w for w in warnings_of(capsys) if "no column lists" in w]
    assert "`odoo-cdc setup` puts the lists back" in warning
    assert main(["setup", "-c", str(file), "--for-upgrade"]) == 0
    assert "nothing to lift" in capsys.readouterr().out
    setup(capsys, file)
    assert published(session) == LISTED
    assert main(["status", "-c", str(file), "--json"]) == 0
    assert not [w for w in warnings_of(capsys) if "no column lists" in w]
    session.execute("UPDATE res_partner SET name = name || '!' WHERE id = 1")
    assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
    assert_nothing_was_left_out(capsys)
    config = load(file)
    found = events(config.kafka["bootstrap.servers"], config.source.name, ["res.partner"])
    assert [(e.id, e.mode) for _, e in found if e.mode is not Mode.SNAPSHOT] == [(1, Mode.STREAM)]


def assert_nothing_was_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log = capsys.readouterr().err
    assert "following the stream" in log
    assert "read again" not in log


def warnings_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    said: list[str] = json.loads(capsys.readouterr().out)["capture"]["warnings"]
    return said


def test_whole_tables_need_no_lifting(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    assert main(["setup", "-c", str(file), "--for-upgrade"]) == 0
    assert "is not there" in capsys.readouterr().out
    setup(capsys, file)

    for options in ([], ["--dry-run"]):
        assert main(["setup", "-c", str(file), "--for-upgrade", *options]) == 0
        said = capsys.readouterr()
        assert "there is nothing to lift" in said.out
        assert said.err == ""
    assert setup(capsys, file, "--for-upgrade", "--sql")["sql"] == ["-- Nothing is missing."]
    assert published(session) == WHOLE


def test_what_a_dba_runs_for_column_lists_leaves_no_gap_either(
    capsys: pytest.CaptureFixture[str],
    file: Path,
    session: psycopg.Connection,
) -> None:
    setup(capsys, file)
    columns(file)
    assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
    for options, expected in (
        ([], LISTED),
        (["--for-upgrade"], WHOLE),
        ([], LISTED),
    ):
        lines: list[str] = setup(capsys, file, "--sql", *options)["sql"]
        with session.cursor() as cursor:
            cursor.execute("\n".join(lines).encode())
        assert published(session) == expected
        assert setup(capsys, file, "--sql", *options)["sql"] == ["-- Nothing is missing."]
        assert main(["capture", "-c", str(file), "--until-caught-up"]) == 0
        assert_nothing_was_left_out(capsys)


def test_law_6_setup_refuses_a_list_that_would_make_odoo_fail(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    session.execute("ALTER TABLE res_partner REPLICA IDENTITY FULL")
    columns(file)

    assert main(["check", "-c", str(file), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)["findings"]
    (found,) = [each for each in said if "REPLICA IDENTITY FULL" in each["message"]]
    assert "publish: tables" in found["remedy"]
    assert main(["setup", "-c", str(file)]) == 2
    assert "res_partner are told by all its columns" in capsys.readouterr().err
    assert published(session) == {}
    session.execute("UPDATE res_partner SET color = 1")


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


def test_a_server_that_synchronises_no_slots_is_said_to_be_none(
    capsys: pytest.CaptureFixture[str], file: Path, session: psycopg.Connection
) -> None:
    rewrite(file, "source: {", 'source: {"failover": true, ')
    assert session.info.server_version < 170000

    for options in ([], ["--dry-run"], ["--sql"]):
        assert main(["setup", "-c", str(file), *options]) == 2
        assert "Postgres 16 synchronises no slots to standbys" in capsys.readouterr().err
    assert main(["check", "-c", str(file), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)["findings"]
    (found,) = [each for each in said if each["where"] == "source.failover"]
    assert "capture --recover" in found["remedy"]


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
