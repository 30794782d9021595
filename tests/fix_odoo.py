"""An Odoo-shaped database of our own, for tests without Odoo's."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embedded.postgres import Postgres
    from tests.fix_services import Database

_TEMPLATE = "odoo_shaped"


@pytest.fixture(scope="session")
def odoo_template(postgres: Postgres) -> str:
    """Name the database that the others are copied from; nobody else may connect to it."""
    from embedded.odoo import SMALL, create  # noqa: PLC0415 - unit tests load nothing of it

    postgres.create_database(_TEMPLATE, "template0")
    create(postgres.dsn(_TEMPLATE), seed=1, size=SMALL)
    return _TEMPLATE


@pytest.fixture
def odoo_databases(postgres: Postgres, odoo_template: str) -> Iterator[Callable[..., Database]]:
    """Copy an Odoo-shaped database, or the one named: each call gives another one.

    All are dropped after the test.
    """
    from tests.fix_services import Database  # noqa: PLC0415 - a plugin of its own, loaded later

    made: list[str] = []

    def copy(of: str = odoo_template) -> Database:
        name = f"odoo_{secrets.token_hex(4)}"
        postgres.create_database(name, of)
        made.append(name)
        return Database(name, postgres.dsn(name))

    yield copy
    for name in made:
        postgres.drop_database(name)


@pytest.fixture
def odoo_database(odoo_databases: Callable[..., Database]) -> Database:
    """An Odoo-shaped database of a test's own, some hundred rows: `embedded.odoo.SMALL`."""
    return odoo_databases()
