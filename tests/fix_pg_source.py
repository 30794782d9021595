"""Postgres in the versions that we read from, one cluster each for the session."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

if TYPE_CHECKING:
    from cdc.postgres.connect import Session
    from cdc.postgres.replication import Replication
    from embedded.postgres import Postgres


VERSIONS: Final = (15, 16, 17, 18)
SETTINGS: Final = {"max_prepared_transactions": "8"}


class Source(NamedTuple):
    """An empty database of a test's own, and the cluster it is in."""

    version: int
    name: str
    dsn: str
    cluster: Postgres

    @property
    def slot(self) -> str:
        """A slot's name is the cluster's, not the database's."""
        return f"slot_{self.name}"


@pytest.fixture(scope="session")
def pg_clusters() -> Iterator[Callable[[int], Postgres]]:
    """Start a cluster of a major version, once."""
    from embedded.errors import NotInstalled  # noqa: PLC0415 - unit tests load nothing of it
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    started: dict[int, Postgres] = {}
    with ExitStack() as services:

        def start(version: int) -> Postgres:
            if version not in started:
                try:
                    service = Postgres.start(version=version, settings=SETTINGS)
                except NotInstalled as error:  # 15 is in no wheel
                    pytest.skip(str(error))
                started[version] = services.enter_context(service)
            return started[version]

        yield start


@pytest.fixture(params=VERSIONS, ids="postgres {}".format)
def pg_source(
    request: pytest.FixtureRequest, pg_clusters: Callable[[int], Postgres]
) -> Iterator[Source]:
    """An empty database in each version, dropped with its slots after the test."""
    cluster, name = pg_clusters(request.param), f"test_{secrets.token_hex(4)}"
    cluster.create_database(name)
    yield Source(request.param, name, cluster.dsn(name), cluster)
    cluster.drop_database(name)


@pytest.fixture
def pg_session(pg_source: Source) -> Iterator[Session]:
    """A session in a database with one table, `note`."""
    from cdc.postgres.connect import Session  # noqa: PLC0415 - likewise

    with Session.connect(pg_source.dsn, "odoo-cdc-test") as session:
        session.execute("CREATE TABLE note (id serial PRIMARY KEY, body text)")
        yield session


@pytest.fixture
def pg_published(pg_session: Session) -> Session:
    """The same, with `note` in the publication `cdc`."""
    from cdc.postgres import publication, publishing  # noqa: PLC0415 - likewise

    state = publication.look(pg_session, "cdc")
    publishing.apply(pg_session, "cdc", publishing.plan({"note": ()}, state))
    return pg_session


@pytest.fixture
def pg_stream(pg_source: Source, pg_published: Session) -> Iterator[Replication]:
    """A stream of that publication, from before the first row."""
    from cdc.postgres import slot  # noqa: PLC0415 - likewise
    from cdc.postgres.replication import Replication  # noqa: PLC0415 - likewise

    assert slot.look(pg_published, pg_source.slot).exists is False
    slot.create(pg_source.dsn, pg_source.slot)
    with Replication.connect(pg_source.dsn, "capture") as replication:
        replication.start(pg_source.slot, 0, ["cdc"])
        yield replication
