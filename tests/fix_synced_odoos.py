"""Two Odoos that sync to each other, with every program between them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres
    from tests.fix_services import Database
    from tests.synced_odoos import Two


@pytest.fixture(scope="module")
def two(
    postgres: Postgres,
    odoo_template: str,
    kafka: Kafka,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Two]:
    """Start both, each with a copy of one database; all ends with the module."""
    from tests.fix_services import Database  # noqa: PLC0415 - a plugin of its own, loaded later
    from tests.synced_odoos import Two  # noqa: PLC0415 - unit tests load nothing of it

    made: list[str] = []

    def copy() -> Database:
        name = f"odoo_{secrets.token_hex(4)}"
        postgres.create_database(name, odoo_template)
        made.append(name)
        return Database(name, postgres.dsn(name))

    prefix = f"src_{secrets.token_hex(3)}"
    both = Two.start(copy, kafka.bootstrap, prefix, tmp_path_factory.mktemp("two"))
    yield both
    both.close()
    for name in made:
        postgres.drop_database(name)
