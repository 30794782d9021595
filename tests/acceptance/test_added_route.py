"""A route that comes to a model which is read already: what is there goes to it, and once."""

from __future__ import annotations

import json
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from cdc.pace import PORTION
from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import Program, Programs, said, sync_yaml, until
from tests.traffic import Traffic

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

MANY: Final = 1_600  # partners: some portions
FIRST: Final = 5_001
RENAMED: Final = "UPDATE res_partner SET name = %s WHERE id = %s"
FIRST_ROUTE: Final = """
routes:
  - {name: partners, model: res.partner, domain: [["ref", "=", "own"]], targets: [shop],
     fields: [name], initial_load: false}
"""
MORE_ROUTES: Final = f"""{FIRST_ROUTE}
  - {{name: later, model: res.partner, domain: [["ref", "=", "own"]], targets: [shop, erp],
     fields: [name, ref]}}
  - {{name: silent, model: res.partner, domain: [["ref", "=", "own"]], targets: [shop],
     fields: [name, ref, id], initial_load: false}}
"""
Sent = tuple[str, str, str, int, str, str]  # route, target, mode, record, operation, sequence


@pytest.fixture
def programs(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path, wso2: Wso2StandIn
) -> Iterator[Programs]:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO res_partner (id, name, ref)"
            " SELECT n, n::text, 'own' FROM generate_series(%s::int, %s::int) n",
            [FIRST, FIRST + MANY - 1],
        )
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=("shop", "erp"),
        routes=FIRST_ROUTE,
        wso2=wso2.url,
    )
    with Programs(tmp_path, text) as made:
        made.run("setup")
        made.caught_up()
        yield made


def resends(programs: Programs) -> list[dict[str, Any]]:
    shown = programs.start("status", "--json")
    shown.wait()
    found: list[dict[str, Any]] = json.loads(shown.out.read_text())["capture"]["resends"]
    return found


def sent(wso2: Wso2StandIn) -> list[Sent]:
    found = []
    for request in wso2.taken():
        body = request.json
        routing, record = body["data"]["routing"], body["data"]["record"]
        what = routing["route"], routing["target"], routing["mode"]
        found.append((*what, record["id"], record["operation"], body["sequence"]))
    return found


def loaded(wso2: Wso2StandIn, target: str = "shop") -> list[int]:
    """Return the records that came as a first load, in order."""
    return [each[3] for each in sent(wso2) if each[1] == target and each[2] == "snapshot"]


def take(program: Program) -> None:
    program.process.send_signal(signal.SIGHUP)
    program.until_said("the file is in force")


def judge(wso2: Wso2StandIn, twice: int) -> None:
    """Hold what came against what the routes want; so many records may have come twice."""
    came = sent(wso2)
    for target in ("shop", "erp"):
        again = len(loaded(wso2, target)) - MANY
        assert 0 <= again <= twice
    assert {each[:3] for each in came if each[2] == "snapshot"} == {
        ("later", "shop", "snapshot"),
        ("later", "erp", "snapshot"),
    }
    assert {each[4] for each in came if each[2] == "snapshot"} == {"create"}
    chains: dict[tuple[str, str, int], list[str]] = defaultdict(list)
    for route, target, _, record, _, sequence in came:
        chains[route, target, record].append(sequence)
    assert all(each == sorted(each) for each in chains.values())
    assert ("silent", "shop", "stream") in {each[:3] for each in came}


@pytest.mark.parametrize("killed", [False, True], ids=["in one life", "killed in the midst"])
def test_laws_1_and_2_hold_for_what_is_sent_to_a_route_that_comes_later(
    programs: Programs, odoo_database: Database, wso2: Wso2StandIn, *, killed: bool
) -> None:
    capture = programs.start("capture")
    worker = programs.start("stream", "--worker", "one")
    capture.until_said("action=following")
    worker.until_said("action=assigned")
    found = f"id, name FROM res_partner WHERE ref = 'own' AND id < {FIRST + 8}"
    # Three deliveries each: at a rate that a busy machine does too, or existing ones never go.
    with Traffic(odoo_database.dsn, RENAMED, found, every=0.03) as traffic:
        until(lambda: len(sent(wso2)) > 20, capture)
        text = programs.config.read_text(encoding="utf-8")
        programs.config.write_text(text.replace(FIRST_ROUTE, MORE_ROUTES), encoding="utf-8")
        take(capture)
        until(
            lambda: (
                [r["waits"] for r in resends(programs)] == ["workers go by another file yet: one"]
            ),
            capture,
        )
        assert not loaded(wso2)
        take(worker)
        if killed:
            until(lambda: len(loaded(wso2)) > PORTION / 2, capture)
            capture.kill()
            capture = programs.start("capture")
        until(lambda: len(set(loaded(wso2))) == MANY, capture)
        until(lambda: len(set(loaded(wso2, "erp"))) == MANY, capture)
    until(lambda: not resends(programs), capture)
    until(lambda: last_names(wso2) == {n: str(t[-1]) for n, t in traffic.named.items()}, capture)

    judge(wso2, PORTION if killed else 0)
    assert capture.stop() == 0
    before = len(loaded(wso2))
    capture = programs.start("capture")
    capture.until_said("action=following")
    programs.run("resend", "res.partner", "--id", str(FIRST), "--target", "erp")
    assert (len(loaded(wso2)), said(capture, "action=added")) == (before, 0)


def last_names(wso2: Wso2StandIn) -> dict[int, str]:
    """Return the names that the records under traffic were last sent to the later route with."""
    names: dict[int, str] = {}
    for request in wso2.taken():
        data = request.json["data"]
        if data["routing"]["route"] == "later" and data["record"]["id"] < FIRST + 8:
            names[data["record"]["id"]] = data["fields"]["name"]
    return names
