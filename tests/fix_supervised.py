"""The programs of one source on an Odoo-shaped database, set up and told where their health is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.programs import Programs, sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from tests.fix_services import Database
    from tests.fix_wso2 import Wso2StandIn


@pytest.fixture
def health() -> int:
    """Return the worker's port; capture's is ten behind it."""
    from embedded.ports import free_ports  # noqa: PLC0415 - see fix_services

    return free_ports(1)[0]


@pytest.fixture
def programs(  # noqa: PLR0913, PLR0917  what an installation is made of
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    wso2: Wso2StandIn,
    health: int,
    request: pytest.FixtureRequest,
) -> Iterator[Programs]:
    """Return what runs by the routes of the test's module, `ROUTES`, to the target `shop`."""
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        routes=request.module.ROUTES,
        more={"health": {"listen": f"127.0.0.1:{health}"}},
    )
    with Programs(tmp_path, text) as made:
        made.run("setup")
        yield made
