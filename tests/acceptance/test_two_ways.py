"""Two systems that sync to each other: what one has from the other it does not send back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import Programs, sync_yaml
from tests.stand_ins import Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 60.0  # seconds until a test gives up; none waits that long
RECORD: Final = 1  # a partner that both databases have
ROUTES: Final = """
routes:
  - name: partners
    model: res.partner
    targets: [other]
    fields: [ref]
    ignore_writes_by: [sync]
"""


@dataclass
class Side:
    """One of the two: its database, its WSO2, and what it was sent."""

    name: str
    database: Database
    wso2: Wso2StandIn
    sync: int = 0
    got: list[str] = field(default_factory=list)

    def write(self, ref: str, user: int = 2) -> None:
        """Write as Odoo does for a user."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE res_partner SET ref = %s, write_uid = %s, write_date = now()"
                " WHERE id = %s",
                (ref, user, RECORD),
            )

    def ref(self) -> str:
        with psycopg.connect(self.database.dsn) as connection:
            row = connection.execute("SELECT ref FROM res_partner WHERE id = %s", (RECORD,))
            return str((row.fetchone() or [""])[0])

    def add_sync(self) -> None:
        """Add the user that a sync works as."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            row = connection.execute(
                "INSERT INTO res_users (login, partner_id, company_id, active)"
                " VALUES ('sync', 1, 1, true) RETURNING id"
            ).fetchone()
        assert row is not None
        self.sync = int(row[0])

    def take(self, request: Received) -> None:
        """Write what the other one sent, as the sync.

        Each time as something else: without an end by itself.
        """
        ref = request.json["data"]["fields"]["ref"]
        self.got.append(ref)
        self.write(f"{ref}'", self.sync)


@pytest.fixture
def sides(
    odoo_databases: Callable[[], Database], kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> Iterator[tuple[Side, Side]]:
    """Two sources; what WSO2 takes from one is written into the other."""
    made = [Side(f"{kafka_prefix}_{n}", odoo_databases(), Wso2StandIn()) for n in "ab"]
    with ExitStack() as stack:
        for side, other in zip(made, reversed(made), strict=True):
            stack.callback(side.wso2.close)
            side.add_sync()
            side.wso2.on_taken(other.take)
            source = {"name": side.name, "dsn": side.database.dsn, "initial_load": False}
            text = sync_yaml(
                source=side.name,
                dsn=side.database.dsn,
                kafka=kafka.bootstrap,
                wso2=side.wso2.url,
                targets=["other"],
                routes=ROUTES,
                more={"source": source},
            )
            folder = tmp_path / side.name
            folder.mkdir()
            programs = stack.enter_context(Programs(folder, text))
            programs.run("setup")
            programs.start("capture").until_said("res.partner is loaded")
            programs.start("stream", "--worker", "one")
        yield made[0], made[1]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)  # a database says nothing when a row changes


def test_what_a_sync_wrote_is_not_sent_back_and_both_settle(sides: tuple[Side, Side]) -> None:
    a, b = sides

    a.write("from a")
    until(lambda: b.ref() == "from a'")
    b.write("from b")
    until(lambda: a.ref() == "from b'")
    a.write("again from a")  # what went back would have come before this
    until(lambda: b.ref() == "again from a'")

    assert (a.got, b.got) == (["from b"], ["from a", "again from a"])
