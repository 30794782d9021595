"""`odoo-cdc check` against real services that are as they should be, and that are not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from cdc.__main__ import main
from embedded.kafka import Kafka
from embedded.odoo import SMALL, create
from embedded.ports import free_ports
from embedded.postgres import Postgres
from tests.fix_services import Database
from tests.programs import sync_yaml

pytestmark = pytest.mark.integration

ROUTES = """
routes:
  - name: partners
    model: res.partner
    domain: [["active", "=", true]]
    targets: [webshop]
    fields: [name, category_id.name]
"""
UNLIMITED = "Postgres keeps WAL for the slot without limit"


@dataclass(slots=True)
class Checked:
    """A sync.yaml and what `check` says of it."""

    capsys: pytest.CaptureFixture[str]
    path: Path
    values: dict[str, str]
    routes: str = ROUTES
    kafka: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    looks: dict[str, Any] = field(default_factory=dict)
    code: int = -1

    def findings(self) -> list[dict[str, Any]]:
        """Return the findings but for WSO2's, which is not there in these tests."""
        kafka = {"bootstrap.servers": self.values["kafka"], **self.kafka}
        source: dict[str, Any] = {"name": self.values["source"], "dsn": self.values["dsn"]}
        source |= {"company_defaults": self.defaults, **self.looks}
        more = {"kafka": kafka, "source": source}
        text = sync_yaml(**self.values, targets=["webshop"], routes=self.routes, more=more)
        self.path.write_text(text, encoding="utf-8")
        self.code = main(["check", "-c", str(self.path), "--json"])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        found: list[dict[str, Any]] = json.loads(said.out)["findings"]
        return [each for each in found if not each["where"].startswith("wso2")]

    def one(self, message: str) -> dict[str, Any]:
        """Return the one finding whose message holds a text; it must have a remedy."""
        found = self.findings()
        (each,) = [each for each in found if message in each["message"]] or [found]
        assert isinstance(each, dict), f"none of these: {found}"
        assert each["remedy"]
        return each

    def setup(self) -> None:
        self.findings()
        assert main(["setup", "-c", str(self.path)]) == 0
        self.capsys.readouterr()


@pytest.fixture
def checked(
    capsys: pytest.CaptureFixture[str],
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
) -> Checked:
    values = {"source": kafka_prefix, "dsn": odoo_database.dsn, "kafka": kafka.bootstrap}
    return Checked(capsys, tmp_path / "sync.yaml", values)


@pytest.fixture
def session(odoo_database: Database) -> Iterator[psycopg.Connection]:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        yield connection


def test_before_setup_nothing_is_wrong_and_the_next_step_is_named(checked: Checked) -> None:
    found = checked.findings()

    assert {each["level"] for each in found} == {"warning"}
    steps = [each for each in found if each["remedy"] == "run `odoo-cdc setup`"]
    wheres = {each["where"] for each in steps}
    assert wheres == {"source.slot", "source.publication", "topics"}


def test_after_setup_only_the_endless_wal_is_left_to_say(checked: Checked) -> None:
    checked.setup()

    (found,) = checked.findings()

    assert found["level"] == "warning"
    assert found["message"].startswith(UNLIMITED)


TRUST = ROUTES.replace("fields: [name", "fields: [trust, name")


@pytest.mark.parametrize(
    ("said", "message", "remedy"),
    [
        pytest.param("", 'has the default "normal" in company 1', "trust", id="nothing"),
        pytest.param("bad", 'and the file says "bad"', '"normal"', id="something else"),
        pytest.param({"1": "bad", "*": "normal"}, 'the file says "bad"', "", id="of the company"),
    ],
)
def test_a_default_of_companies_that_the_file_states_otherwise_is_found(
    checked: Checked, said: Any, message: str, remedy: str
) -> None:
    checked.routes = TRUST
    checked.defaults = {"res.partner.trust": said} if said else {}

    found = checked.one(message)

    assert found["where"].startswith("source.company_defaults")
    assert remedy in found["remedy"]


def test_a_default_of_companies_is_as_the_database_has_it(checked: Checked) -> None:
    checked.routes = TRUST
    checked.defaults = {"res.partner.trust": "normal"}

    assert {each["level"] for each in checked.findings()} == {"warning"}


SUNDAYS = ROUTES.replace('[["active", "=", true]]', '[["create_date.day_of_week", "=", 0]]')


@pytest.mark.parametrize(
    "looks",
    [{}, {"lang": "fr_FR", "week_start": "monday"}],
    ids=["english weeks begin on sunday", "french ones on monday"],
)
def test_a_week_begins_as_the_language_has_it(checked: Checked, looks: dict[str, Any]) -> None:
    checked.routes, checked.looks = SUNDAYS, looks

    assert {each["level"] for each in checked.findings()} == {"warning"}


def test_a_week_that_begins_with_another_day_is_found(checked: Checked) -> None:
    checked.routes, checked.looks = SUNDAYS, {"lang": "fr_FR"}

    found = checked.one("week of fr_FR begins with monday")

    assert (found["level"], found["where"]) == ("error", "source.week_start")
    assert found["remedy"] == "write week_start: monday"


@pytest.mark.parametrize(
    ("default", "remedy"),
    [(None, 'property_payment_term_id: {"1": 1}'), (1, "")],
    ids=["left out", "stated"],
)
def test_a_default_of_a_relation_is_held_against_the_database(
    checked: Checked, default: int | None, remedy: str
) -> None:
    checked.routes = ROUTES.replace("[name", "[property_payment_term_id.name, name")
    checked.defaults = {"res.partner.property_payment_term_id": default} if default else {}

    errors = [each for each in checked.findings() if each["level"] == "error"]

    assert [remedy in each["remedy"] for each in errors] == [True] * bool(remedy)


@pytest.mark.parametrize(
    ("change", "message", "remedy"),
    [
        pytest.param(
            ("model: res.partner", "model: res.partnr"),
            'no model "res.partnr"',
            'Did you mean "res.partner"?',
            id="an unknown model",
        ),
        pytest.param(
            ("fields: [name", "fields: [naem"),
            'no field "naem"',
            'Did you mean "name" (char, "Name")?',
            id="an unknown field",
        ),
        pytest.param(
            ('["active", "=", true]', '["activ", "=", true]'),
            'no field "activ"',
            'Did you mean "active" (boolean, "Active")?',
            id="an unknown field in a domain",
        ),
        pytest.param(('"=", true', '"==", true'), "==", "=", id="an unknown operator"),
        pytest.param(
            ('["active", "=", true]', '["name", "ilik", "x"]'),
            "ilik",
            "ilike",
            id="an operator with a typing error",
        ),
        pytest.param(
            ("    fields: [name", "    ignore_writes_by: [nobody]\n    fields: [name"),
            'no user with the login "nobody"',
            "Settings, Users",
            id="an unknown user",
        ),
        pytest.param(
            ("    fields: [name", "    ignore_writes_by: [admni]\n    fields: [name"),
            'no user with the login "admni"',
            'did you mean "admin"?',
            id="a login with a typing error",
        ),
    ],
)
def test_a_wrong_route_is_named_with_its_line_and_the_nearest_valid_name(
    checked: Checked, change: tuple[str, str], message: str, remedy: str
) -> None:
    checked.routes = ROUTES.replace(*change)

    found = checked.one(message)

    assert checked.code == 1
    assert found["level"] == "error"
    assert found["where"].startswith("routes[0]")
    lines = checked.path.read_text(encoding="utf-8").splitlines()
    assert change[1].split(" [")[0] in lines[found["line"] - 1]
    assert remedy in found["remedy"]


def test_a_table_without_a_primary_key_is_refused_before_odoo_could_fail(
    checked: Checked, session: psycopg.Connection
) -> None:
    session.execute(
        "ALTER TABLE res_partner_category DROP CONSTRAINT res_partner_category_pkey CASCADE"
    )

    found = checked.one("res_partner_category has no replica identity")

    assert checked.code == 1
    assert "ADD PRIMARY KEY (id)" in found["remedy"]


def test_a_role_that_may_nothing_is_told_what_to_grant(
    checked: Checked, session: psycopg.Connection, odoo_database: Database
) -> None:
    role = f"none_{odoo_database.name}"
    session.execute(f"CREATE ROLE {role} LOGIN".encode())
    try:
        checked.values["dsn"] = make_conninfo(odoo_database.dsn, user=role)
        assert "setup --sql" in checked.one("permission denied")["remedy"]
        session.execute(f"GRANT SELECT ON ir_model, ir_model_fields TO {role}".encode())

        assert "REPLICATION" in checked.one("may not replicate")["remedy"]
        assert "GRANT SELECT" in checked.one("may not read res_partner (")["remedy"]
        assert "setup --sql" in checked.one("does not own")["remedy"]
        assert checked.code == 1
    finally:
        session.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_slot_that_went_away_behind_capture_is_an_error(checked: Checked) -> None:
    folder = checked.path.parent / "state" / "capture"
    folder.mkdir(parents=True)
    (folder / "data.mdb").touch()

    found = checked.one("the replication slot")

    assert found["level"] == "error"
    assert "capture --recover" in found["remedy"]


def test_a_server_without_logical_decoding_is_told_how_to_get_it(checked: Checked) -> None:
    with Postgres.start(settings={"wal_level": "replica"}) as server:
        server.create_database("plain")
        create(server.dsn("plain"), seed=1, size=SMALL)
        checked.values["dsn"] = server.dsn("plain")

        found = checked.one("wal_level is replica")

        assert checked.code == 1
        assert "ALTER SYSTEM SET wal_level = logical" in found["remedy"]


def test_a_database_that_is_not_odoo_is_said_to_be_none(
    checked: Checked, database: Database
) -> None:
    checked.values["dsn"] = database.dsn

    assert "source.dsn" in checked.one("ir_model_fields")["remedy"]


def test_a_language_that_odoo_has_not_is_warned_of_with_its_line(checked: Checked) -> None:
    checked.routes = ROUTES.replace(
        "fields: [name, category_id.name]",
        "map: {name: name, tags: {path: category_id.name, lang: fr_XX}}",
    )

    found = checked.one('no language "fr_XX" is active in Odoo')

    assert (found["where"], found["level"]) == ("routes[0].map.tags.lang", "warning")
    assert found["line"] is not None
    assert 'did you mean "fr_FR"?' in found["remedy"]


def test_services_that_are_away_are_findings_each(checked: Checked) -> None:
    postgres, kafka = free_ports(2)
    checked.values["dsn"] = f"postgresql://u:secret@127.0.0.1:{postgres}/odoo"
    checked.values["kafka"] = f"127.0.0.1:{kafka}"

    found = checked.findings()

    assert checked.code == 1
    assert {each["where"] for each in found} == {"source.dsn", "kafka", "routes"}
    (unheld,) = (each for each in found if each["where"] == "routes")
    assert unheld["level"] == "warning"
    assert "well formed, but its routes were not held against the database" in unheld["message"]
    assert all(each["remedy"] for each in found)
    assert "Connection refused" in next(f["message"] for f in found if f["where"] == "kafka")
    assert "secret" not in json.dumps(found)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"security.protocol": "ssl"}, "SSL", id="encrypted, and the broker is not"),
        pytest.param(
            {
                "security.protocol": "sasl_plaintext",
                "sasl.mechanism": "PLAIN",
                "sasl.username": "app",
                "sasl.password": "open sesame",
            },
            "SASL",
            id="a password, and the broker knows none",
        ),
        pytest.param(
            {"security.protocol": "smoke signals"}, "smoke signals", id="no such protocol"
        ),
        pytest.param({"bootstrap.severs": "x"}, "bootstrap.severs", id="no such property"),
    ],
)
def test_kafka_that_does_not_let_us_in_is_told_in_its_own_words(
    checked: Checked, settings: dict[str, str], words: str
) -> None:
    checked.kafka = settings

    found = [each for each in checked.findings() if each["where"].startswith("kafka")]

    assert checked.code == 1
    assert len(found) == 1
    assert words in found[0]["message"]
    assert found[0]["remedy"]
    assert "sesame" not in json.dumps(found)


def test_people_get_a_line_for_each_finding_and_a_sum(checked: Checked) -> None:
    checked.setup()

    assert main(["check", "-c", str(checked.path)]) == 1  # WSO2 is not there

    said = checked.capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"error: {checked.path}:")
    assert "wso2.url" in said[0]
    assert said[-1] == "1 errors, 1 warnings"


def test_a_file_that_cannot_be_read_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["check", "-c", str(tmp_path / "none.yaml")]) == 2

    assert "hint: " in capsys.readouterr().err
