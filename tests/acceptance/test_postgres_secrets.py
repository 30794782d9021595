"""TLS to Postgres, the ways to say its password, and that nothing says it again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.programs import Program, Programs, sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres
    from tests.fix_certificates import Authority, Pair

pytestmark = pytest.mark.acceptance

PASSWORD: Final = "Sup3r@Geheim/Wort%41='x y"
PIECES: Final = ("Sup3r", "Geheim", "Wort")
WRONG: Final = PASSWORD + "-not"
USER: Final = "cdc"
HBA: Final = f"""
host all postgres 127.0.0.1/32 trust
hostssl all {USER} 127.0.0.1/32 scram-sha-256
"""
ROUTES: Final = """
routes:
  - {name: countries, model: res.country, targets: [shop], fields: [name, code]}
"""


@pytest.fixture(scope="module")
def secured(authority: Authority) -> Iterator[Postgres]:
    """A Postgres that lets our user in over TLS with a password alone."""
    from embedded.odoo import SMALL, create  # noqa: PLC0415 - see fix_services
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    with Postgres.start(version=17) as server:  # of the wheels, the one that was built with TLS
        server.create_database("odoo", "template0")
        create(server.dsn("odoo"), seed=1, size=SMALL)
        with psycopg.connect(server.dsn("odoo"), autocommit=True) as connection:
            made = psycopg.sql.SQL("CREATE ROLE cdc LOGIN SUPERUSER PASSWORD {}")
            connection.execute(made.format(PASSWORD))
        use(server, authority.issue("postgres"))
        yield server


def use(server: Postgres, pair: Pair) -> None:
    """Start it again with a certificate."""
    files = {"server.crt": pair.cert.read_text(), "server.key": pair.key.read_text(), "hba": HBA}
    for name, text in files.items():
        path = server.home / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        if server.user:
            os.chown(path, server.user.uid, server.user.gid)
    server.settings |= {
        "ssl": "on",
        "ssl_cert_file": str(server.home / "server.crt"),
        "ssl_key_file": str(server.home / "server.key"),
        "hba_file": str(server.home / "hba"),
    }
    server.restart()


@pytest.fixture
def told(
    secured: Postgres, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[Callable[[str], Programs]]:
    """Give the programs of a file with this dsn."""
    made: list[Programs] = []

    def of(dsn: str) -> Programs:
        text = sync_yaml(
            source=kafka_prefix,
            dsn=dsn,
            kafka=kafka.bootstrap,
            targets=["shop"],
            routes=ROUTES,
        )
        programs = Programs(tmp_path, text)
        made.append(programs)
        return programs

    yield of
    for each in made:
        each.__exit__(None, None, None)
    with psycopg.connect(secured.dsn("odoo"), autocommit=True) as connection:
        name = f"odoo_cdc_{kafka_prefix}"
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
            " WHERE slot_name = %s",
            [name],
        )
        connection.execute(f"DROP PUBLICATION IF EXISTS {name}".encode())


def parts(server: Postgres, authority: Authority) -> dict[str, str]:
    return {
        "host": "127.0.0.1",
        "port": str(server.port),
        "dbname": "odoo",
        "user": USER,
        "sslmode": "verify-full",
        "sslrootcert": str(authority.ca),
    }


def url(server: Postgres, authority: Authority, password: str) -> str:
    coded = quote(password, safe="")
    place = f"postgresql://{USER}:{coded}@127.0.0.1:{server.port}/odoo"
    return f"{place}?sslmode=verify-full&sslrootcert={quote(str(authority.ca), safe='')}"


def start(programs: Programs, *command: str, **env: str) -> Program:
    pairs = [f"{name}={value}" for name, value in env.items()]
    return programs.start(*command, launcher=("env", *pairs, sys.executable, "-m", "cdc"))


def said(program: Program) -> str:
    """Return all that it printed and logged."""
    return program.out.read_text(errors="replace") + program.log.read_text(errors="replace")


def test_every_way_to_say_the_password_is_understood_over_tls_and_none_says_it_again(
    secured: Postgres, authority: Authority, told: Callable[[str], Programs], tmp_path: Path
) -> None:
    plain = parts(secured, authority)
    passfile = tmp_path / "pgpass"
    escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
    passfile.write_text(f"*:*:*:{USER}:{escaped}\n", encoding="utf-8")
    passfile.chmod(0o600)
    (tmp_path / "dsn").write_text(make_conninfo(**plain, password=PASSWORD), encoding="utf-8")
    without = make_conninfo(**plain)
    ways: list[tuple[str, dict[str, str]]] = [
        (make_conninfo(**plain, password=PASSWORD), {}),
        (url(secured, authority, PASSWORD), {}),
        ("${file:dsn}", {}),
        ("${SOURCE_DSN}", {"SOURCE_DSN": url(secured, authority, PASSWORD)}),
        (without, {"PGPASSWORD": PASSWORD}),
        (make_conninfo(**plain, passfile=str(passfile)), {}),
        (without, {"PGPASSFILE": str(passfile)}),
    ]
    for number, (dsn, env) in enumerate(ways):
        programs = told(dsn)
        if not number:
            programs.run("setup")

        capture = start(
            programs, "capture", "--until-caught-up", **env, ODOO_CDC_LOG_LEVEL="DEBUG"
        )

        assert capture.wait() == 0, (number, capture.tail())
        assert not [piece for piece in PIECES if piece in said(capture)]
    with psycopg.connect(secured.dsn("odoo"), autocommit=True) as connection:
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(make_conninfo(**plain | {"sslmode": "disable"}, password=PASSWORD))
        assert connection.execute("SHOW ssl").fetchone() == ("on",)


def test_law_10_a_certificate_of_another_host_or_authority_is_refused_in_clear_words(
    secured: Postgres,
    authority: Authority,
    stranger: Authority,
    told: Callable[[str], Programs],
) -> None:
    programs = told(make_conninfo(**parts(secured, authority), password=PASSWORD))
    use(secured, authority.issue("elsewhere", "db.example"))
    elsewhere = programs.start("setup")
    assert elsewhere.wait() == 3
    assert 'server certificate for "db.example"' in said(elsewhere)
    assert 'does not match host name "127.0.0.1"' in said(elsewhere)

    use(secured, stranger.issue("postgres"))
    strange = programs.start("setup")
    assert strange.wait() == 3
    assert "certificate verify failed" in said(strange)

    use(secured, authority.issue("postgres"))
    programs.run("setup")


@pytest.mark.parametrize("command", ["check", "status", "setup", "capture", "sample", "fields"])
def test_law_10_no_password_shows_where_postgres_or_libpq_turns_it_down(
    secured: Postgres, authority: Authority, told: Callable[[str], Programs], command: str
) -> None:
    place = f"127.0.0.1:{secured.port}/odoo"
    options = {"sample": ["res.country", "1"], "fields": ["res.country"]}.get(command, [])
    for dsn in (
        make_conninfo(**parts(secured, authority), password=WRONG),
        url(secured, authority, WRONG),
        f"postgresql://{USER}:{PASSWORD}@{place}",  # not percent-encoded
        f"postgresql://{USER}:Sup3r%zzGeheim@{place}",
        f"host=127.0.0.1 user={USER} password='Sup3r Geheim",
        f"host=127.0.0.1 user={USER} password=Sup3r Geheim",
    ):
        done = start(told(dsn), command, *options, "--json", ODOO_CDC_LOG_LEVEL="DEBUG")

        assert done.wait() in {1, 2, 3}, (dsn, said(done))
        shown = said(done)
        assert "dsn" in shown or "database" in shown
        assert "Traceback" not in shown
        assert not [piece for piece in PIECES if piece in shown], (dsn, shown)
