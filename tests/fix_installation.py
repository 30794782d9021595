"""The programs of one source whose settings for Kafka are exchanged: by writing its file again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.programs import Program, Programs, sync_yaml

if TYPE_CHECKING:
    from tests.fix_services import Database
    from tests.fix_wso2 import Wso2StandIn

ROUTES: Final = """
routes:
  - {name: countries, model: res.country, targets: [shop], fields: [name, code]}
"""


class Installation:
    """The programs of one source; Kafka's settings are exchanged by writing the file again."""

    def __init__(self, folder: Path, source: str, dsn: str, wso2: str) -> None:
        self._parts = {"source": source, "dsn": dsn, "wso2": wso2}
        self.programs = Programs(folder, "")

    def use(self, kafka: Mapping[str, str], after: Program | None = None) -> None:
        """Write the file, once a program that was started before has read it."""
        if after is not None:
            after.until_said("action=")
        text = sync_yaml(
            **self._parts,
            kafka="",
            targets=["shop"],
            routes=ROUTES,
            more={"kafka": {"session.timeout.ms": 6000, **kafka}},
        )
        self.programs.config.write_text(text, encoding="utf-8")


@pytest.fixture
def installation(
    odoo_database: Database, kafka_prefix: str, tmp_path: Path, wso2: Wso2StandIn
) -> Iterator[Installation]:
    made = Installation(tmp_path, kafka_prefix, odoo_database.dsn, wso2.url)
    with made.programs:
        yield made
