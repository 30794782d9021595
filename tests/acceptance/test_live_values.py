"""Values that no column holds, from Odoo's RPC to WSO2: whole programs, real Kafka and Postgres.

Odoo is a stand-in that speaks its RPC over HTTP; the database is one that Odoo could have.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from tests.fix_services import Database
from tests.fix_wso2 import HoldResponse, Wso2StandIn
from tests.programs import Program, Programs, sync_yaml
from tests.stand_in_odoo import Fault, StandInOdoo
from tests.stand_ins import Answer, Hold, Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

_ASKED: Final = 60  # times; each takes a second or so
MODEL: Final = "product.template"
ROUTES: Final = """
routes:
  - {name: products, model: product.template, targets: [shop], fields: [image_1920, list_price]}
  - {name: partners, model: res.partner, targets: [shop], fields: [ref]}
"""


@dataclass
class House:
    """A source with its Odoo, and what WSO2 was sent."""

    database: Database
    odoo: StandInOdoo
    wso2: Wso2StandIn
    programs: Programs
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1000)))

    def write(self, product: int, image: bytes) -> None:
        """Give a product another image as Odoo does: the row itself is only touched."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            row = connection.execute(
                "UPDATE product_template SET write_date = now() AT TIME ZONE 'UTC', write_uid = 2"
                " WHERE id = %s RETURNING to_char(write_date, 'YYYY-MM-DD HH24:MI:SS')",
                (product,),
            ).fetchone()
            assert row is not None
            self.odoo.rows[MODEL, product] = {"image_1920": text(image), "write_date": row[0]}

    def touch_partner(self, partner: int) -> None:
        """Write something that no live value is in."""
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            ref = f"R{next(self.numbers)}"
            connection.execute("UPDATE res_partner SET ref = %s WHERE id = %s", (ref, partner))

    def worker(self) -> Program:
        return self.programs.start("stream", "--worker", "one", "--log-format", "json")

    def sent(self, model: str = MODEL) -> list[Received]:
        """Return the requests for a model so far."""
        return [r for r in list(self.wso2.requests) if r.headers["X-Cdc-Model"] == model]

    def until(self, what: Callable[[], bool]) -> None:
        """Wait until what WSO2 was sent makes it so."""
        self.wso2.until(what, 60.0)


def text(image: bytes) -> str:
    return b64encode(image).decode()


def fields(request: Received) -> Any:
    return request.json["data"]["fields"]


@pytest.fixture
def odoo() -> Iterator[StandInOdoo]:
    made = StandInOdoo()
    yield made
    made.close()


@pytest.fixture
def house(
    odoo: StandInOdoo,
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    wso2: Wso2StandIn,
    tmp_path: Path,
) -> Iterator[House]:
    source = {
        "name": kafka_prefix,
        "dsn": odoo_database.dsn,
        "initial_load": False,
        "odoo": odoo.settings,
    }
    written = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop"],
        routes=ROUTES,
        more={"source": source},
    )
    with Programs(tmp_path, written) as programs:
        programs.run("setup")
        programs.start("capture").until_said("product.template is loaded")
        yield House(odoo_database, odoo, wso2, programs)


def test_law_1_while_odoo_is_away_its_chains_wait_and_all_arrive_once_when_it_is_back(
    house: House,
) -> None:
    house.worker()
    house.write(1, b"first")
    house.until(lambda: len(house.sent()) == 1)
    assert fields(house.sent()[0])["image_1920"] == text(b"first")
    assert house.sent()[0].json["data"]["record"]["changed"] == ["image_1920"]

    house.odoo.stop()
    for product in (1, 2, 3):
        house.write(product, b"second %d" % product)
    house.touch_partner(1)
    house.until(lambda: len(house.sent("res.partner")) == 1)
    held = heard(house, "status", "held", codes=(0, 1))
    waits = heard(house, "queue", "deliveries", "--state", "waiting")
    assert len(house.sent()) == 1
    assert [each["reason"] for each in held] == ["odoo"]
    assert any("Odoo is not to be had" in row["why"] for row in waits)

    house.odoo.start()
    house.until(lambda: len(house.sent()) == 4)
    house.touch_partner(2)
    house.until(lambda: len(house.sent("res.partner")) == 2)

    later = {r.json["data"]["record"]["id"]: fields(r)["image_1920"] for r in house.sent()[1:]}
    assert later == {product: text(b"second %d" % product) for product in (1, 2, 3)}
    assert len({r.id for r in house.sent()}) == len(house.sent())


def test_law_3_killed_between_reading_and_the_answer_the_same_bytes_go_again(
    house: House,
) -> None:
    house.wso2.next(HoldResponse())
    first = house.worker()
    house.write(1, b"as it was read")
    house.until(lambda: len(house.sent()) == 1)
    first.kill()
    house.odoo.rows[MODEL, 1]["image_1920"] = text(b"another by now")

    house.worker()

    house.until(lambda: len(house.sent()) == 2)
    one, again = house.sent()
    assert (one.id, one.body) == (again.id, again.body)
    assert fields(again)["image_1920"] == text(b"as it was read")


def test_law_3_killed_while_odoo_is_asked_nothing_was_sent_and_it_is_asked_again(
    house: House,
) -> None:
    first = house.worker()
    house.write(1, b"before")
    house.until(lambda: len(house.sent()) == 1)
    house.odoo.forget()
    house.odoo.next(Hold(Answer()))
    house.write(1, b"asked for")
    house.odoo.received(1)
    first.kill()
    house.odoo.rows[MODEL, 1]["image_1920"] = text(b"asked for again")

    house.worker()

    house.until(lambda: len(house.sent()) == 2)
    assert fields(house.sent()[1])["image_1920"] == text(b"asked for again")


def test_what_has_moved_on_is_left_out_and_the_newer_one_carries_it(house: House) -> None:
    house.write(1, b"old")
    house.odoo.rows[MODEL, 1] = {"image_1920": text(b"new"), "write_date": "2999-01-01 00:00:00"}

    house.worker()

    house.until(lambda: len(house.sent()) == 1)
    (request,) = house.sent()
    assert "image_1920" not in fields(request)
    assert request.json["data"]["record"]["moved_on"] == ["image_1920"]

    house.write(1, b"newer")
    house.until(lambda: len(house.sent()) == 2)
    assert fields(house.sent()[1])["image_1920"] == text(b"newer")
    assert "moved_on" not in house.sent()[1].json["data"]["record"]


def test_law_7_a_record_that_odoo_refuses_is_dead_with_a_remedy_and_goes_when_it_may(
    house: House,
) -> None:
    house.odoo.faults[MODEL, 1] = Fault("odoo.exceptions.AccessError", "no right to read it")
    house.worker()
    house.write(1, b"hidden")
    house.write(2, b"shown")
    house.until(lambda: len(house.sent()) == 1)

    rows = heard(house, "queue", "deliveries", "--state", "dead", codes=(0, 1))
    house.odoo.faults.clear()
    said(house, "retry", "--all-dead")
    house.until(lambda: len(house.sent()) == 2)

    assert "no right to read it" in rows[0]["why"]
    assert "source.odoo.user" in rows[0]["why"]
    assert fields(house.sent()[1])["image_1920"] == text(b"hidden")


def test_commands_say_what_is_read_from_odoo(house: House) -> None:
    house.write(1, b"shown")

    checked = said(house, "check", codes=(0, 1))
    offered = said(house, "fields", MODEL, "--like", "image_1920")
    (sample,) = said(house, "sample", MODEL, "1")

    warned = [f["where"] for f in checked["findings"] if "read from Odoo" in f["message"]]
    assert warned == ["routes[0].fields[0]"]
    assert [(each["selectable"], each["live"]) for each in offered["fields"]] == [(True, True)]
    assert sample["message"]["data"]["fields"]["image_1920"] == text(b"shown")


def heard(
    house: House, command: str, name: str, *options: str, codes: tuple[int, ...] = (0,)
) -> list[dict[str, Any]]:
    """Ask until a command has anything to say under a name; workers write it by and by."""
    for _ in range(_ASKED):
        answer = said(house, command, *options, codes=codes)
        found: list[dict[str, Any]] = answer.get("stream", answer)[name]
        if found:
            return found
    raise AssertionError(f"{command} says nothing of {name}")


def said(house: House, command: str, *options: str, codes: tuple[int, ...] = (0,)) -> Any:
    """Run a command, and return what it printed last, as JSON."""
    ended = house.programs.start(command, *options, "--json")
    code = ended.wait()
    assert code in codes, ended.tail()
    return json.loads(ended.out.read_text(encoding="utf-8").splitlines()[-1])
