"""Postgres in the versions that we read from, one cluster each for the session."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from embedded.postgres import Postgres


class Source(NamedTuple):
    """An empty database of a test's own, and the cluster it is in."""

    version: int
    name: str
    dsn: str
    cluster: Postgres


@pytest.fixture(scope="session")
def clusters() -> Iterator[Callable[[int], Postgres]]:
    """Start a cluster of a major version, once."""
    from embedded.errors import NotInstalled  # noqa: PLC0415 - unit tests load nothing of it
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    started: dict[int, Postgres] = {}
    with ExitStack() as services:

        def start(version: int) -> Postgres:
            if version not in started:
                try:
                    started[version] = services.enter_context(Postgres.start(version=version))
                except NotInstalled:
                    if version != 15:  # no wheel has it: the system's, where there is one
                        raise
                    pytest.skip("Postgres 15 is not installed on this system")
            return started[version]

        yield start


@pytest.fixture(params=[15, 16, 18], ids="postgres {}".format)
def source(
    request: pytest.FixtureRequest, clusters: Callable[[int], Postgres]
) -> Iterator[Source]:
    """An empty database in each version, dropped with its slots after the test."""
    cluster, name = clusters(request.param), f"test_{secrets.token_hex(4)}"
    cluster.create_database(name)
    yield Source(request.param, name, cluster.dsn(name), cluster)
    cluster.drop_database(name)
