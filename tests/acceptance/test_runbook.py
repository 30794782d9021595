"""The operator's rehearsal: docs/runbook.md is typed command by command, and says what is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from embedded.ports import free_ports
from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import ROOT, Program, Programs, sync_yaml
from tests.rehearsal import rehearse, type_into
from tests.stand_ins import Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PAGE: Final = ROOT / "docs" / "runbook.md"
ROUTES: Final = """
routes:
  - {name: orders, model: sale.order, targets: [shop, erp], fields: [name], initial_load: false}
"""
TARGET: Final = {"acknowledge": "required", "ack_timeout": "20s"}
_LOOKS: Final = ("status", "queue", "trace")  # what may be typed again until it shows something


@dataclass
class Stage:
    """The pipeline at two o'clock, and what happens beside the operator's commands."""

    programs: Programs
    dsn: str
    well: bool = False

    def word(self, request: Received) -> str:
        """Say what a target says: the shop rejects everything since a release went wrong."""
        return "delivered" if self.well or request.headers["X-Cdc-Target"] == "erp" else "rejected"

    def sell(self) -> None:
        """Change three orders, in transactions of their own."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for order in (1, 2, 3):
                connection.execute(
                    "UPDATE sale_order SET name = name || '!' WHERE id = %s", [order]
                )

    def mend(self) -> None:
        """Let the shop take what it gets."""
        self.well = True

    def type(self, line: str) -> str:
        """Return what a command prints."""
        return type_into(self.programs, line, ROOT)


@pytest.fixture
def stage(odoo_database: Database, kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    wso2 = Wso2StandIn()
    (acks,) = free_ports(1)
    text = sync_yaml(
        source="odoo_a",
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop", "erp"],
        target=TARGET,
        routes=ROUTES,
        more={"acks": {"listen": f"127.0.0.1:{acks}"}},
    )
    with Programs(tmp_path, text) as programs:
        programs.run("setup")
        made = Stage(programs, odoo_database.dsn)
        wso2.acknowledge(f"http://127.0.0.1:{acks}/acks", word=made.word)
        running: Program = programs.start("run")
        running.until_said("sale.order is loaded")  # what changes before comes with the load
        yield made
    wso2.close()


def test_the_runbook_is_what_an_operator_types(stage: Stage) -> None:
    rehearse(PAGE, {"sell": stage.sell, "mend": stage.mend}, stage.type, _LOOKS)
