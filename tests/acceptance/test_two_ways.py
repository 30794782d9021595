"""Two systems that sync to each other: they settle, whatever is written where."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from schemas.conflict import stands
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
    programs: Programs = field(init=False)
    mark: str = "'"  # what it adds to what it is sent
    sync: int = 0
    got: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)  # what was sent and did not stand
    own_write: str | None = None

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
        """Write what the other one sent, as the sync, where it stands.

        With a mark each time as something else: without an end by itself.
        """
        data, sender = request.json["data"], request.json["source"].removeprefix("/")
        ref, current = data["fields"]["ref"], {"ref": self.ref()}
        self.got.append(ref)
        own = self.own()
        if stands(data, current, sender=sender, receiver=self.name, own_write=own):
            self.write(f"{ref}{self.mark}", self.sync)
        else:
            self.kept.append(ref)

    def own(self) -> str | None:
        """Return when somebody other than the sync wrote last, as far as it was ever seen."""
        with psycopg.connect(self.database.dsn) as connection:
            row = connection.execute(
                "SELECT write_uid, write_date::text FROM res_partner WHERE id = %s", (RECORD,)
            ).fetchone()
        assert row is not None
        if row[0] != self.sync:
            self.own_write = row[1]
        return self.own_write


@pytest.fixture
def policy() -> str:
    """What the routes say of conflicts; `{a}` is the name of the first source."""
    return ""


@pytest.fixture
def sides(
    odoo_databases: Callable[[], Database],
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    policy: str,
) -> Iterator[tuple[Side, Side]]:
    """Two sources; what WSO2 takes from one is written into the other."""
    said = policy.format(a=f"{kafka_prefix}_a")
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
                routes=ROUTES + said,
                more={"source": source},
            )
            folder = tmp_path / side.name
            folder.mkdir()
            programs = side.programs = stack.enter_context(Programs(folder, text))
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


@pytest.mark.parametrize(
    ("policy", "winner"),
    [
        pytest.param("    conflict: {{master: {a}}}\n", "from a", id="the master's"),
        pytest.param("    conflict: later\n", "from b", id="the later one"),
    ],
)
def test_of_two_changes_at_once_the_same_one_stands_on_both_sides(
    sides: tuple[Side, Side], winner: str
) -> None:
    a, b = sides
    for side in sides:
        side.mark = ""
        side.programs.run("pause", "--target", "other")
    a.write("from a")
    time.sleep(1.1)  # write_date is compared to the second
    b.write("from b")

    for side in sides:
        side.programs.run("resume", "--target", "other")
    until(lambda: bool(a.got and b.got))
    until(lambda: a.ref() == b.ref() == winner)
    a.write("again from a")  # somebody who knows what stands there
    until(lambda: b.ref() == "again from a")

    assert [*a.kept, *b.kept] == [{"from a": "from b", "from b": "from a"}[winner]]
    assert (a.got, b.got) == (["from b"], ["from a", "again from a"])
