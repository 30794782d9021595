"""Postgres as the demo and the tests use it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from embedded.postgres import Postgres

pytestmark = pytest.mark.integration


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A cluster that a test may kill."""
    with Postgres.start() as cluster:
        yield cluster


def one(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row and row[0]


def test_a_cluster_is_ready_for_logical_replication(postgres: Postgres) -> None:
    assert one(postgres.dsn(), "SHOW wal_level") == "logical"
    assert one(postgres.dsn(), "SHOW listen_addresses") == "127.0.0.1"


def test_a_database_is_a_copy_of_its_template_and_goes_when_it_is_dropped(
    postgres: Postgres,
) -> None:
    template, copy = (f"db_{secrets.token_hex(4)}" for _ in range(2))
    postgres.create_database(template)
    with psycopg.connect(postgres.dsn(template)) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 18 AS number")

    postgres.create_database(copy, template)

    assert one(postgres.dsn(copy), "SELECT number FROM kept") == 18
    for name in (copy, template):
        postgres.drop_database(name)
        postgres.drop_database(name)  # what is not there is gone already
        found = f"SELECT count(*) FROM pg_database WHERE datname = '{name}'"  # noqa: S608
        assert one(postgres.dsn(), found) == 0


def test_a_killed_cluster_has_its_data_and_its_port_when_it_starts_again(
    own_postgres: Postgres,
) -> None:
    dsn = own_postgres.dsn()
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 18 AS number")

    own_postgres.kill()
    assert not own_postgres.running
    own_postgres.launch()

    assert own_postgres.dsn() == dsn
    assert one(dsn, "SELECT number FROM kept") == 18


def test_a_closed_cluster_leaves_no_folder(own_postgres: Postgres) -> None:
    home: Path = own_postgres.home
    assert (home / "data").is_dir()

    own_postgres.close()

    assert not home.exists()
