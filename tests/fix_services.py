"""Real services for tests: started at the first use, stopped at the end of the session.

Nothing of them is imported before: a run of unit tests starts and loads nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.postgres import Postgres
    from embedded.synapse import Synapse


class Database(NamedTuple):
    """An empty database of a test's own."""

    name: str
    dsn: str


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One Postgres for the session; tests take a `database` of it."""
    from embedded.postgres import Postgres  # noqa: PLC0415 - see above

    with Postgres.start() as service:
        yield service


@pytest.fixture(scope="session")
def kafka() -> Iterator[Kafka]:
    """One broker for the session; tests name their topics with `kafka_prefix`."""
    from embedded.kafka import Kafka  # noqa: PLC0415 - see above

    with Kafka.start() as service:
        yield service


@pytest.fixture
def own_kafka() -> Iterator[Kafka]:
    """A broker that a test may take away."""
    from embedded.kafka import Kafka  # noqa: PLC0415 - see above

    with Kafka.start() as service:
        yield service


@pytest.fixture(scope="session")
def synapse() -> Iterator[Callable[[Path], Synapse]]:
    """Start an Apache Synapse for a folder of artifacts: `synapse(folder)`, once per folder."""
    from embedded.synapse import Synapse  # noqa: PLC0415 - see above

    started: dict[Path, Synapse] = {}
    with ExitStack() as services:

        def start(artifacts: Path) -> Synapse:
            folder = artifacts.resolve()
            if folder not in started:
                started[folder] = services.enter_context(Synapse.start(folder))
            return started[folder]

        yield start


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """An empty database, dropped with its slots after the test."""
    name = f"test_{secrets.token_hex(4)}"
    postgres.create_database(name)
    yield Database(name, postgres.dsn(name))
    postgres.drop_database(name)


@pytest.fixture
def kafka_prefix() -> str:
    """Name a source that no other test has, `src_ab12cd` for instance."""
    return f"src_{secrets.token_hex(3)}"
