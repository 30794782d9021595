"""The project's own Odoo-shaped database, with somebody at work in it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from tests.sources import Source

if TYPE_CHECKING:
    from tests.fix_services import Database  # a plugin: pytest must be the first to load it

SEED = 18
STEPS = 2_000


@pytest.fixture
def own_odoo(odoo_database: Database) -> Source:
    """A small database; its transactions are the same in every run."""
    return playing(odoo_database.dsn)


def playing(dsn: str) -> Source:
    """Have somebody at work in an Odoo-shaped database."""
    from embedded.odoo.simulator import Simulator  # noqa: PLC0415 - unit tests load nothing of it

    def play() -> Generator[object]:
        with Simulator(dsn, SEED) as simulator:
            for _ in range(STEPS):
                yield simulator.step()

    return Source(dsn, play)
