"""A Postgres that a test may stop, freeze or configure, with an Odoo-shaped database in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fix_own_odoo import playing
from tests.sources import Source

if TYPE_CHECKING:
    from embedded.postgres import Postgres

_DATABASE = "odoo"
OwnOdoo = tuple["Postgres", Source]


@pytest.fixture
def own_server() -> Iterator[Callable[..., OwnOdoo]]:
    """Start a cluster with settings of its own: `own_server(wal_sender_timeout="2s")`."""
    from embedded.odoo import SMALL, create  # noqa: PLC0415 - unit tests load nothing of it
    from embedded.postgres import Postgres  # noqa: PLC0415 - likewise

    with ExitStack() as services:

        def start(**settings: str) -> OwnOdoo:
            server = services.enter_context(Postgres.start(settings=settings))
            server.create_database(_DATABASE, "template0")
            create(server.dsn(_DATABASE), seed=1, size=SMALL)
            return server, playing(server.dsn(_DATABASE))

        yield start
