"""docs/migrating.md is typed command by command, beside a module that polls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
import yaml

from embedded.ports import free_ports
from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import ROOT, Program, Programs, sync_yaml
from tests.rehearsal import rehearse, type_into

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PAGE: Final = ROOT / "docs" / "migrating.md"
LOOKS: Final = ("queue", "trace")
ORDERS: Final = """
    SELECT o.id, o.name, o.partner_id, p.name, o.amount_total, o.date_order
    FROM sale_order o JOIN res_partner p ON p.id = o.partner_id
    WHERE o.state = 'sale' ORDER BY o.id
"""


@dataclass
class Stage:
    """Odoo with a module that polls, and the pipeline beside it."""

    programs: Programs
    dsn: str
    capture: Program | None = None
    queue: list[str] = field(default_factory=list)  # what the module has sent

    def begin(self) -> None:
        """Let the module send all there is, and capture load it."""
        self.poll()
        self.capture = self.programs.start("capture")
        self.capture.until_said("sale.order is loaded")

    def sell(self) -> None:
        """Change two orders, one of them past the module's flag."""
        self._do("UPDATE sale_order SET name = name || '!' WHERE id = 1")
        self.poll()
        self._do("UPDATE sale_order SET amount_total = 777.50 WHERE id = 2")
        assert self.capture is not None
        assert self.capture.stop() == 0
        self.programs.caught_up()
        self.capture = self.programs.start("capture")

    def poll(self) -> None:
        """Send as the module does."""
        with psycopg.connect(self.dsn) as connection:
            self.queue += [_as_odoo_writes(*row) for row in connection.execute(ORDERS)]

    def export(self) -> None:
        """Export the module's send queue."""
        text = "".join(f"{each}\n" for each in self.queue)
        (self.programs.folder / "old.jsonl").write_text(text, encoding="utf-8")

    def flag(self) -> None:
        """Set the flag by hand."""
        self.poll()
        self.export()

    def work(self) -> None:
        """Start a worker."""
        self.programs.start("stream", "--worker", "one")

    def type(self, line: str) -> str:
        return type_into(self.programs, line, self.programs.folder)

    def _do(self, statement: Any) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement)


def _as_odoo_writes(*row: Any) -> str:
    record, name, partner, called, total, ordered = row
    payload = {
        "number": name,
        "customer": [partner, called],
        "amount_total": float(total),
        "ordered": f"{ordered:%Y-%m-%d %H:%M:%S}",
    }
    line = {"model": "sale.order", "res_id": record, "operation": "write"}
    return json.dumps({**line, "payload": json.dumps(payload)})


@pytest.fixture
def stage(odoo_database: Database, kafka: Kafka, tmp_path: Path) -> Iterator[Stage]:
    wso2 = Wso2StandIn()
    (acks,) = free_ports(1)
    wso2.acknowledge(f"http://127.0.0.1:{acks}/acks")
    text = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    config = sync_yaml(
        source="erp",
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        target={"acknowledge": "required"},
        routes=f"routes: {json.dumps(yaml.safe_load(text)['routes'])}",
        more={"acks": {"listen": f"127.0.0.1:{acks}"}},
    )
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute("UPDATE sale_order SET state = 'sale' WHERE id IN (1, 2, 3)")
    with Programs(tmp_path, config) as programs:
        yield Stage(programs, odoo_database.dsn)
    wso2.close()


def test_the_page_is_what_a_team_types_that_comes_from_a_module(stage: Stage) -> None:
    happens = {
        "capture": stage.begin,
        "sell": stage.sell,
        "export": stage.export,
        "flag": stage.flag,
        "worker": stage.work,
    }

    rehearse(PAGE, happens, stage.type, LOOKS)
