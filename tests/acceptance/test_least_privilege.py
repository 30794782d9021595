"""A role that owns nothing and reads only what the routes select: enough for every command."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.capturing import ask, programs_of
from tests.documents_as_of import Checkpoints, dispatched, judge
from tests.oracle import Oracle
from tests.programs import Programs
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

_OWNED: Final = (
    "SELECT format('ALTER TABLE public.%%I OWNER TO %s', relname) FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
)


class Roles(NamedTuple):
    """Who works with a database: its owner, who owns Odoo's tables too, and we."""

    owner: str
    ours: str
    dsn: str

    def dsn_of(self, role: str) -> str:
        return make_conninfo(self.dsn, user=role)


@pytest.fixture
def roles(own_odoo: Source) -> Iterator[Roles]:
    """Take from everybody what Postgres gives everybody; our role is not there yet."""
    name = secrets.token_hex(3)
    made = Roles(f"odoo_{name}", f"cdc_{name}", own_odoo.dsn)
    database = conninfo_to_dict(own_odoo.dsn)["dbname"]
    with psycopg.connect(own_odoo.dsn, autocommit=True) as dba:

        def run(*statements: str) -> None:
            for each in statements:
                dba.execute(each.encode())

        run(f"CREATE ROLE {made.owner} LOGIN", f"ALTER DATABASE {database} OWNER TO {made.owner}")
        run(*(row[0] for row in dba.execute((_OWNED % made.owner).encode()).fetchall()))
        run(
            f"REVOKE ALL ON DATABASE {database} FROM public",
            "REVOKE ALL ON SCHEMA public FROM public",
        )
        yield made
        run(f"ALTER DATABASE {database} OWNER TO CURRENT_USER", f"DROP OWNED BY {made.owner}")
        dba.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE database = current_database() AND NOT active"
        )
        run(f"DROP ROLE {made.owner}")
        if dba.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [made.ours]).fetchone():
            run(f"DROP OWNED BY {made.ours}", f"DROP ROLE {made.ours}")


@pytest.fixture
def programs(roles: Roles, kafka: Kafka, kafka_prefix: str, tmp_path: Path) -> Iterator[Programs]:
    """Programs that connect as our role."""
    source = Source(roles.dsn_of(roles.ours), iter)  # type: ignore[arg-type]  # nobody plays it
    with programs_of(tmp_path, source, kafka_prefix, kafka) as made:
        yield made


def script(programs: Programs, roles: Roles, *, as_role: str) -> list[str]:
    """Return what is printed for our role, by somebody who may connect."""
    text = programs.config.read_text(encoding="utf-8")
    other = text.replace(roles.dsn_of(roles.ours), roles.dsn_of(as_role))
    programs.config.write_text(other, encoding="utf-8")
    done = programs.run("setup", "--sql", "--role", roles.ours, "--json")
    programs.config.write_text(text, encoding="utf-8")
    lines: list[str] = json.loads(done.out.read_text())["sql"]
    return lines


def run_script(lines: list[str], roles: Roles) -> int:
    """Run each part as who may, by what stands above it; return how many things it does.

    A statement is one, and a transaction is.
    """
    who = {
        "-- As a superuser, or who": roles.dsn,
        "-- As the database's owner": roles.dsn_of(roles.owner),
        "-- As the owner of Odoo's tables": roles.dsn_of(roles.owner),
        "-- As the role itself": roles.dsn_of(roles.ours),
    }
    count = 0
    inside = False
    with ExitStack() as stack:
        connection: psycopg.Connection | None = None
        for line in lines:
            for begins, dsn in who.items():
                if line.startswith(begins):
                    connection = stack.enter_context(psycopg.connect(dsn, autocommit=True))
            if line and not line.startswith("--"):
                assert connection is not None, lines
                connection.execute(line.encode())
                inside = line != "COMMIT;" and (inside or line == "BEGIN;")
                count += not inside
    return count


def errors(programs: Programs) -> list[dict[str, Any]]:
    """Return what `check` finds wrong with the source."""
    done = programs.start("check", "--json")
    done.wait()
    found = json.loads(done.out.read_text())["findings"]
    return [each for each in found if each["level"] == "error" and "wso2" not in each["where"]]


def test_a_role_with_the_script_s_rights_does_everything(
    own_odoo: Source, kafka: Kafka, kafka_prefix: str, roles: Roles, programs: Programs
) -> None:
    assert run_script(script(programs, roles, as_role=roles.owner), roles) > 5
    assert script(programs, roles, as_role=roles.ours) == ["-- Nothing is missing."]
    with psycopg.connect(roles.dsn_of(roles.ours), autocommit=True) as connection:
        for hidden in (
            "SELECT comment FROM res_partner",
            "SELECT * FROM res_partner",
            "SELECT password FROM res_users",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(hidden.encode())

    programs.run("setup")
    assert errors(programs) == []
    with Oracle(own_odoo.dsn, kafka_prefix) as oracle:
        programs.caught_up()
        checkpoints = Checkpoints(oracle)
        checkpoints.take(own_odoo.lsn())
        checkpoints.follow(own_odoo.commits(40), every=20)
        programs.caught_up()
    order = ask(own_odoo, "SELECT min(id) FROM sale_order")
    for command in (
        ("fields", "sale.order"),
        ("sample", "sale.order", str(order)),
        ("status", "--json"),
        ("setup", "--dry-run"),
    ):
        programs.run(*command)
    judge(dispatched(kafka.bootstrap, programs.config), checkpoints)


def test_law_10_check_names_every_right_that_is_missing(
    own_odoo: Source, roles: Roles, programs: Programs
) -> None:
    run_script(script(programs, roles, as_role=roles.owner), roles)
    programs.run("setup")
    database = conninfo_to_dict(own_odoo.dsn)["dbname"]
    publication = ask(own_odoo, "SELECT pubname FROM pg_publication")
    role = roles.ours
    cases = [
        (
            f"REVOKE ALL (name) ON res_partner FROM {role}",
            "may not read res_partner (name)",
            'GRANT SELECT ("name")',
        ),
        (f"REVOKE ALL ON ir_model_fields FROM {role}", "permission denied", "setup --sql"),
        (f"REVOKE USAGE ON SCHEMA public FROM {role}", "permission denied", "setup --sql"),
        (
            f"REVOKE CONNECT ON DATABASE {database} FROM {role}",
            "permission denied",
            "setup --sql --role",
        ),
        (
            f"ALTER ROLE {role} NOREPLICATION",
            "may not replicate",
            f'ALTER ROLE "{role}" REPLICATION',
        ),
        (f"ALTER ROLE {role} NOLOGIN", "log in", "setup --sql --role"),
        (
            f"ALTER PUBLICATION {publication} DROP TABLE ONLY res_partner",
            "does not own res_partner",
            "have the tables' owner run what `odoo-cdc setup --sql` prints",
        ),
    ]
    for statement, message, remedy in cases:
        ask(own_odoo, statement)

        found = [each for each in errors(programs) if message in each["message"]]

        assert found, (statement, errors(programs))
        assert remedy in found[0]["remedy"], statement
        missing = script(programs, roles, as_role=roles.owner)
        assert run_script(missing, roles) == 1, missing
        assert errors(programs) == [], statement
