"""`resend`, typed: a database, capture, a worker and a WSO2 that keeps what it got."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from cdc.pace import FEW, PORTION
from schemas.event import Event, Mode
from tests.fix_services import Database
from tests.fix_wso2 import Accept, Refuse, RespondSlowly, Wso2StandIn
from tests.kafka_reading import events
from tests.programs import Program, Programs, sync_yaml
from tests.stand_ins import Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

PATIENCE: Final = 90.0  # seconds until a test gives up; none waits that long
MODEL: Final = "res.partner"
FIRST: Final = 5_001  # ids of the tests' own partners: all of them match `people`
MANY: Final = 2_400
ROUTES: Final = """
routes:
  - {name: people, model: res.partner, domain: [["ref", "=", "own"]], targets: [shop, erp],
     fields: [name, ref]}
  - {name: names, model: res.partner, domain: [["ref", "=", "own"]], targets: [erp],
     fields: [name], on_leave: ignore}
"""
PARTNERS: Final = """
    INSERT INTO res_partner (id, name, complete_name, ref, type, active, is_company, color)
    SELECT n, 'Own ' || n, 'Own ' || n, 'own', 'contact', true, true, 0
    FROM generate_series(%s::int, %s::int) n
"""


class Resends:
    """Programs that have loaded everything and sent nothing, and what is typed."""

    def __init__(self, programs: Programs, database: Database, wso2: Wso2StandIn) -> None:
        self.programs, self.wso2 = programs, wso2
        self.database = database
        self.capture: Program

    def run(self, statement: str, *values: object) -> None:
        with psycopg.connect(self.database.dsn, autocommit=True) as connection:
            connection.execute(statement.encode(), values)

    def start(self) -> Program:
        self.capture = self.programs.start("capture")
        self.capture.until_said("following the stream")
        return self.capture

    def type(self, *words: str, code: int = 0) -> Any:
        """Type it; return what it said."""
        typed = self.programs.start("resend", *words, "--json")
        assert typed.wait() == code, typed.tail()
        return json.loads(typed.out.read_text() or "null")

    def status(self) -> Any:
        """Return the resends that `status` shows."""
        shown = self.programs.start("status", "--json")
        shown.wait()
        return json.loads(shown.out.read_text())["capture"]["resends"]

    def sent(self) -> list[tuple[str, str, int, str]]:
        """Return (route, target, record, operation) of what came, in order."""
        return [_said(request) for request in list(self.wso2.requests)]

    def until(self, condition: Callable[[], Any]) -> None:
        """Wait until the condition holds, capture running."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.capture.process.poll() is None, self.capture.tail()
            assert time.monotonic() < deadline, f"it did not happen:\n{self.capture.tail()}"
            time.sleep(0.05)


def _said(request: Received) -> tuple[str, str, int, str]:
    data = request.json["data"]
    routing, record = data["routing"], data["record"]
    return routing["route"], routing["target"], record["id"], record["operation"]


@pytest.fixture
def partners() -> int:
    """How many partners of their own tests have."""
    return 12


@pytest.fixture
def made(
    odoo_database: Database,
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    wso2: Wso2StandIn,
    partners: int,
) -> Iterator[Resends]:
    source = {"name": kafka_prefix, "dsn": odoo_database.dsn, "initial_load": False}
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=["shop", "erp"],
        routes=ROUTES,
        more={
            "source": source,
            "wso2": {"url": wso2.url, "timeout": "5s", "concurrency": 8},
        },
    )
    with Programs(tmp_path, text) as programs:
        resends = Resends(programs, odoo_database, wso2)
        resends.run(PARTNERS, FIRST, FIRST + partners - 1)
        programs.run("setup")
        programs.caught_up()
        yield resends


@pytest.fixture
def line(made: Resends) -> Resends:
    """The same, with capture and a worker running."""
    made.programs.start("stream", "--worker", "one")
    made.start()
    return made


def test_one_record_goes_to_all_its_routes_and_targets_as_it_is(line: Resends) -> None:
    said = line.type(MODEL, "--id", str(FIRST))

    assert said["counts"] == {"of": 1, "reached": 1, "looked": 1, "documents": 1, "gone": 0}
    line.wso2.received(3, PATIENCE)
    assert sorted(line.sent()) == [
        ("names", "erp", FIRST, "update"),
        ("people", "erp", FIRST, "update"),
        ("people", "shop", FIRST, "update"),
    ]
    (shop,) = [each for each in line.wso2.requests if _said(each)[1] == "shop"]
    data = shop.json["data"]
    assert data["routing"]["mode"] == "resend"
    assert data["record"]["changed"] is None
    assert data["record"]["transaction"]["id"] is None
    assert data["fields"] == {"name": f"Own {FIRST}", "ref": "own"}


def test_ids_tell_of_what_left_and_of_what_is_gone_without_its_fields(line: Resends) -> None:
    line.run("UPDATE res_partner SET ref = 'secret' WHERE id = %s", FIRST)
    line.run("DELETE FROM res_partner WHERE id = %s", FIRST + 1)
    line.until(lambda: len(line.wso2.requests) >= 5)
    before = len(line.wso2.requests)

    said = line.type(MODEL, *(w for n in range(3) for w in ("--id", str(FIRST + n))))

    assert (said["counts"]["documents"], said["counts"]["gone"]) == (3, 1)
    line.wso2.received(before + 8, PATIENCE)
    assert sorted(line.sent()[before:]) == [
        ("names", "erp", FIRST + 1, "delete"),
        ("names", "erp", FIRST + 2, "update"),
        ("people", "erp", FIRST, "leave"),
        ("people", "erp", FIRST + 1, "delete"),
        ("people", "erp", FIRST + 2, "update"),
        ("people", "shop", FIRST, "leave"),
        ("people", "shop", FIRST + 1, "delete"),
        ("people", "shop", FIRST + 2, "update"),
    ]
    told = [each.json["data"]["fields"] for each in line.wso2.requests[before:]]
    assert not any("secret" in str(fields) for fields in told)


@pytest.mark.parametrize(
    "domain",
    [
        f"[('id', 'in', [{FIRST + 3}, {FIRST + 5}, 9999])]",
        f'["|", ["name", "=", "Own {FIRST + 3}"], ["name", "=", "Own {FIRST + 5}"]]',
    ],
    ids=["as Odoo writes it", "as JSON"],
)
def test_a_domain_is_one_route_to_one_target(line: Resends, domain: str) -> None:
    said = line.type(MODEL, "--domain", domain, "--route", "people", "--target", "erp")

    assert said["counts"]["documents"] == 2
    assert said["counts"]["looked"] > 12
    line.wso2.received(2, PATIENCE)
    line.type(MODEL, "--id", str(FIRST + 9), "--target", "shop")
    line.wso2.received(3, PATIENCE)
    assert sorted(line.sent()) == [
        ("people", "erp", FIRST + 3, "update"),
        ("people", "erp", FIRST + 5, "update"),
        ("people", "shop", FIRST + 9, "update"),
    ]


def test_a_look_first_sends_nothing(line: Resends) -> None:
    line.run("UPDATE res_partner SET ref = 'else' WHERE id = %s", FIRST)
    line.until(lambda: len(line.wso2.requests) >= 2)
    before = len(line.wso2.requests)

    said = line.type(MODEL, "--domain", f"[('id', '>=', {FIRST})]", "--dry-run")

    assert said["dry_run"] is True
    assert said["counts"]["documents"] == 12
    assert said["deliveries"] == [
        {"route": "names", "target": "erp", "operation": "update", "number": 11},
        {"route": "people", "target": "erp", "operation": "leave", "number": 1},
        {"route": "people", "target": "erp", "operation": "update", "number": 11},
        {"route": "people", "target": "shop", "operation": "leave", "number": 1},
        {"route": "people", "target": "shop", "operation": "update", "number": 11},
    ]
    line.type(MODEL, "--domain", "[('id', '=', 1234567)]", "--dry-run", code=1)
    line.type(MODEL, "--id", str(FIRST + 1), "--target", "shop")
    line.wso2.received(before + 1, PATIENCE)
    assert line.sent()[before:] == [("people", "shop", FIRST + 1, "update")]


def resent(kafka: Kafka, source: str) -> list[Event]:
    """Return the events that were sent again, in their order."""
    found = (event for _, event in events(kafka.bootstrap, source, [MODEL]))
    return sorted(
        (event for event in found if event.mode is Mode.RESEND), key=lambda e: e.position
    )


@pytest.mark.parametrize("partners", [MANY])
def test_law_2_everything_goes_in_order_with_live_changes_which_overtake_it(
    line: Resends, kafka: Kafka, kafka_prefix: str
) -> None:
    line.wso2.otherwise = RespondSlowly(0.05)
    typed = line.programs.start("resend", MODEL, "--all", "--target", "shop", "--json")
    line.until(lambda: len(line.wso2.requests) > 50)
    ids = [FIRST, FIRST + MANY // 2, FIRST + MANY - 1]
    before = len(line.wso2.requests)
    for round_ in range(3):
        for record in ids:
            line.run("UPDATE res_partner SET name = %s WHERE id = %s", f"Live {round_}", record)
    line.until(lambda: any(b"Live 2" in each.body for each in list(line.wso2.requests)))

    assert len(line.wso2.requests) - before < 2 * FEW, "live changes wait behind it"
    assert typed.wait() == 0, typed.tail()
    line.wso2.otherwise = RespondSlowly(0.0)
    line.until(lambda: len(_latest(line, "shop")) >= MANY)
    names = dict(_latest(line, "shop"))
    line.until(lambda: {_latest(line, "shop")[each] for each in ids} == {"Live 2"})
    others = {record for record in names if FIRST <= record < FIRST + MANY} - set(ids)
    assert len(others) == MANY - len(ids)
    assert all(names[record] == f"Own {record}" for record in others)
    chains: dict[str, list[str]] = {}
    for request in list(line.wso2.requests):
        chain = request.headers["X-Cdc-Chain"]
        chains.setdefault(chain, []).append(request.id.rpartition("/")[2])
    people = [each for chain, each in chains.items() if "/shop/" in chain]
    assert all(each == sorted(each) for each in people)
    again = resent(kafka, kafka_prefix)
    assert len({event.id for event in again}) == len(again) > MANY
    assert {event.targets for event in again} == {("shop",)}


def _latest(line: Resends, target: str) -> dict[int, str]:
    """Return the name that each record of the tests has there; those that have left are not."""
    names: dict[int, str] = {}
    for request in list(line.wso2.requests):
        _, at, record, operation = _said(request)
        if at == target and operation != "leave":
            names[record] = request.json["data"]["fields"]["name"]
    return names


@pytest.mark.parametrize("partners", [MANY])
def test_law_1_capture_is_killed_in_the_midst_and_goes_on_where_it_was(
    made: Resends, kafka: Kafka, kafka_prefix: str
) -> None:
    made.start()  # without workers two portions go out, and the rest waits for them
    typed = made.programs.start(
        "resend", MODEL, "--domain", f"[('id', '>=', {FIRST})]", "--route", "people", "--json"
    )
    made.until(lambda: [row["documents"] for row in made.status()] == [2 * PORTION])

    made.capture.kill()
    made.start()
    made.until(lambda: [row["documents"] for row in made.status()] == [2 * PORTION])
    made.programs.start("stream", "--worker", "one")
    made.until(lambda: [row["documents"] > 2 * PORTION for row in made.status()] == [True])
    made.capture.kill()
    made.start()

    assert typed.wait() == 0, typed.tail()
    times = Counter(event.id for event in resent(kafka, kafka_prefix))
    assert set(times) == set(range(FIRST, FIRST + MANY))
    assert sum(number - 1 for number in times.values()) <= PORTION
    assert json.loads(typed.out.read_text())["counts"]["documents"] == MANY
    assert made.status() == []


def test_law_1_what_was_asked_while_capture_was_away_is_done_when_it_is_back_and_once(
    made: Resends, kafka: Kafka, kafka_prefix: str
) -> None:
    typed = made.programs.start("resend", MODEL, "--id", str(FIRST), "--timeout", "1")
    assert typed.wait() == 3
    assert "no word from capture" in typed.tail()
    assert "hint: Is `odoo-cdc capture` running" in typed.tail()
    back = made.programs.start("resend", MODEL, "--id", str(FIRST + 1), "--timeout", "1")
    assert back.wait() == 3
    name = back.tail().split()[1]
    cancel = made.programs.start("resend", "--cancel", name, "--timeout", "1")
    assert cancel.wait() == 3

    made.start()
    made.until(lambda: resent(kafka, kafka_prefix))
    made.type(MODEL, "--id", str(FIRST + 2))
    made.capture.stop()
    made.start()
    made.type(MODEL, "--id", str(FIRST + 3))

    ids = [event.id for event in resent(kafka, kafka_prefix)]
    assert ids == [FIRST, FIRST + 2, FIRST + 3]


@pytest.mark.parametrize("partners", [MANY])
def test_one_that_waits_is_shown_goes_on_without_its_typist_and_can_be_cancelled(
    made: Resends, kafka: Kafka, kafka_prefix: str
) -> None:
    made.start()
    typed = made.programs.start("resend", MODEL, "--all")
    made.until(lambda: any(row["waits"] for row in made.status()))
    (shown,) = made.status()
    assert shown["model"] == MODEL
    assert "the queues are full" in shown["waits"]
    second = made.programs.start("resend", MODEL, "--id", str(FIRST))
    made.until(lambda: len(made.status()) == 2)

    typed.process.send_signal(signal.SIGINT)
    assert typed.wait() == 130
    assert "it goes on" in typed.tail()
    looked = made.type(MODEL, "--id", str(FIRST), "--dry-run")
    assert looked["counts"]["documents"] == 1
    assert made.status()[0]["id"] == shown["id"]

    said = made.type("--cancel", shown["id"])
    assert said["cancelled"] == shown["id"]
    made.type("--cancel", shown["id"], code=1)
    made.programs.start("stream", "--worker", "one")
    assert second.wait() == 0
    number = sum(event.id != FIRST for event in resent(kafka, kafka_prefix))
    assert 2 * PORTION - 2 <= number <= 3 * PORTION


def _dead(line: Resends, target: str) -> int:
    shown = line.programs.start("queue", "--state", "dead", "--target", target, "--json")
    shown.wait()
    return len(json.loads(shown.out.read_text())["deliveries"])


def test_a_drift_sends_what_the_target_was_last_sent_otherwise_and_nothing_else(
    line: Resends,
) -> None:
    line.type(MODEL, "--domain", "[('ref', '=', 'own')]", "--target", "shop")
    line.wso2.received(12, PATIENCE)
    line.wso2.otherwise = Refuse(422)
    line.run("UPDATE res_partner SET name = 'Missed' WHERE id = %s", FIRST)
    line.run("UPDATE res_partner SET ref = 'else' WHERE id = %s", FIRST + 1)
    line.run("DELETE FROM res_partner WHERE id = %s", FIRST + 2)
    line.run(PARTNERS, FIRST + 20, FIRST + 20)
    line.until(lambda: _dead(line, "shop") == 4)
    line.wso2.otherwise = Accept()
    line.programs.run("purge", MODEL, str(FIRST + 3), "--yes")
    line.run("UPDATE res_partner SET name = 'Taken' WHERE id = %s", FIRST + 4)
    line.until(lambda: any(b"Taken" in each.body for each in _of(line, "shop")))
    before = len(_of(line, "shop"))

    looked = line.type("--drift", "shop", "--dry-run")
    (model,) = looked["models"]
    assert (looked["drift"], looked["dry_run"], model["model"]) == ("shop", True, MODEL)
    found = {"differs": 1, "lacking": 1, "surplus": 2, "unknown": 1, "unsendable": 0}
    same = model["counts"]["looked"] - 5
    assert model["routes"] == {"people": {"same": same, **found}}
    assert (model["counts"]["documents"], model["counts"]["gone"]) == (5, 1)
    assert len(_of(line, "shop")) == before

    line.type(MODEL, "--drift", "shop")
    line.until(lambda: len(_of(line, "shop")) >= before + 5)
    others = [each for each in line.sent() if each[1] == "erp"]
    again = line.type(MODEL, "--drift", "shop", "--route", "people")

    assert again["models"][0]["counts"]["documents"] == 0
    assert sorted(_said(each) for each in _of(line, "shop")[before:]) == [
        ("people", "shop", FIRST, "update"),
        ("people", "shop", FIRST + 1, "leave"),
        ("people", "shop", FIRST + 2, "delete"),
        ("people", "shop", FIRST + 3, "update"),
        ("people", "shop", FIRST + 20, "update"),
    ]
    assert {each.json["data"]["routing"]["mode"] for each in _of(line, "shop")[before:]} == {
        "resend"
    }
    assert [each for each in line.sent() if each[1] == "erp"] == others


def test_law_1_a_drift_waits_for_workers_is_killed_and_goes_on(made: Resends) -> None:
    made.start()
    made.run("UPDATE res_partner SET name = 'Not yet' WHERE id = %s", FIRST)
    typed = made.programs.start("resend", "--drift", "shop", "--json")
    made.until(lambda: any("events to do first" in row["waits"] for row in made.status()))
    made.capture.kill()
    made.start()
    made.until(lambda: any("events to do first" in row["waits"] for row in made.status()))

    made.programs.start("stream", "--worker", "one")

    assert typed.wait() == 0, typed.tail()
    (model,) = json.loads(typed.out.read_text())["models"]
    assert model["routes"]["people"]["lacking"] == 11
    made.until(lambda: len(_of(made, "shop")) >= 12)
    assert sorted(_said(each)[2] for each in _of(made, "shop")) == [*range(FIRST, FIRST + 12)]
    assert not list((made.programs.folder / "state/capture/sent").glob("*"))


def _of(line: Resends, target: str) -> list[Received]:
    """Return what came for a target, in order."""
    return [each for each in list(line.wso2.requests) if _said(each)[1] == target]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--drift", "shop", "--target", "shop"], "--drift names the target"),
        (["--drift", "shop", "--id", "1"], "there is no model whose records"),
        (["--drift", "shpo"], "no route leads to shpo"),
        ([MODEL, "--drift", "shpo"], 'did you mean "shop"?'),
        ([], "there is no model"),
        ([MODEL], "a resend has ids, a domain, or is of all"),
        (["res.partnr", "--all"], 'did you mean "res.partner"?'),
        ([MODEL, "--all", "--route", "peple"], 'did you mean "people"?'),
        ([MODEL, "--all", "--target", "shpo"], 'did you mean "shop"?'),
        ([MODEL, "--all", "--route", "names", "--target", "shop"], "nothing to do with"),
        ([MODEL, "--domain", "[('ref', '=')]"], "--domain: "),
        ([MODEL, "--id", "1", "--all"], "not allowed with"),
    ],
    ids=str,
)
def test_law_10_what_cannot_be_is_refused(tmp_path: Path, words: list[str], said: str) -> None:
    nowhere = "127.0.0.1:9"
    text = sync_yaml(
        source="odoo_a",
        dsn="host=127.0.0.1",
        kafka=nowhere,
        targets=["shop", "erp"],
        routes=ROUTES,
    )
    with Programs(tmp_path, text) as programs:
        refused = programs.start("resend", *words)

        assert refused.wait() == 2
        assert said in refused.tail()


def test_law_10_what_documents_do_not_show_is_refused_and_capture_goes_on(line: Resends) -> None:
    refused = line.programs.start("resend", MODEL, "--domain", "[('state', '=', 'sale')]")

    assert refused.wait() == 2
    assert 'res.partner does not show "state"' in refused.tail()
    assert "routes of res.partner read: id, name, ref" in refused.tail()
    line.type(MODEL, "--id", str(FIRST))
    assert line.status() == []
