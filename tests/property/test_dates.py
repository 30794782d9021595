"""Parts of dates and moments against what Postgres says of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Literal

from embedded.postgres import Postgres
from schemas.dates import PARTS, SUNDAY, part_of
from tests.odoo_sql import PARTS as NAMES

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def connection(postgres: Postgres) -> Iterator[psycopg.Connection]:
    postgres.create_database("dates")
    with psycopg.connect(postgres.dsn("dates"), autocommit=True) as connection:
        yield connection
    postgres.drop_database("dates")


def parts(connection: psycopg.Connection, kind: str, written: str) -> list[float]:
    """Return every part as Postgres has it."""
    asked = [
        SQL("date_part({}, {}::{})").format(Literal(NAMES[part]), Literal(written), SQL(kind))
        for part in PARTS
    ]
    [row] = connection.execute(SQL("SELECT {}").format(SQL(", ").join(asked)))
    return list(row)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.datetimes(min_value=datetime(1, 1, 1)) | st.dates())  # noqa: DTZ001  UTC
def test_a_part_is_the_number_that_postgres_gives(
    connection: psycopg.Connection, at: date | datetime
) -> None:
    moment = isinstance(at, datetime)
    written = at.isoformat()
    carried = f"{written}Z" if moment else written

    found = [part_of(part, week_start=SUNDAY)(carried) for part in PARTS]

    assert found == parts(connection, "timestamp" if moment else "date", written)


@given(day=st.dates(), week_start=st.integers(1, 7))
def test_days_of_the_week_are_counted_from_the_first(day: date, week_start: int) -> None:
    found = part_of("day_of_week", week_start=week_start)(day.isoformat())

    assert found == (day.isoweekday() - week_start) % 7
