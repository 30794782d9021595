"""`purge`, typed: real Kafka, a worker, a scripted WSO2, and kills in the midst of it."""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from schemas.config import load
from schemas.keys import partition_of
from tests import faulty_purge as faults
from tests.fix_wso2 import Refuse
from tests.kafka_reading import read
from tests.programs import Program, Programs
from tests.streaming import MODEL, PARTITIONS, Line, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

SOURCE: Final = "src_purge"
ROUTES: Final = """
routes:
  - {name: orders, model: sale.order, targets: [shop, erp], fields: [name]}
  - {name: states, model: sale.order, targets: [shop], map: {s: {path: state, table: {sale: s}}}}
"""
TARGETS: Final = ("shop", "erp")
KEPT: Final = (1000, 1001, 1002)  # records that nobody forgets, with deliveries in all states
_records = count(1)


@pytest.fixture(scope="module")
def wso2() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture(scope="module")
def line(kafka: Kafka, wso2: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    target = {"retry": ["1h"], "history": "all"}
    config = {"wso2": wso2.url, "targets": list(TARGETS), "target": target, "routes": ROUTES}
    folder = tmp_path_factory.mktemp("purge")
    with Line(folder, kafka.bootstrap, SOURCE, config) as made:
        yield made


@pytest.fixture(scope="module")
def workers(line: Line) -> list[Program]:
    """The workers of the source, the one that runs last."""
    return [line.worker()]


@pytest.fixture(scope="module")
def kept(line: Line, wso2: Scripted, workers: list[Program]) -> dict[str, bytes]:
    """What is known of the records that nobody forgets."""
    assert workers
    _, waiting, dead = KEPT
    wso2.of(waiting, Refuse(503), Refuse(503))
    wso2.of(dead, Refuse(422), Refuse(422))
    for record in KEPT:
        line.change(record, "kept")
    states = [state for state in ("accepted", "dead", "waiting") for _ in TARGETS]
    line.tail.until(lambda: sorted(line.tail.states(*KEPT)) == states)
    return known_of(line, *KEPT)


@pytest.fixture
def record() -> int:
    """A record that no other test has; its chains are in the first and in the last partitions."""
    half = PARTITIONS // 2
    return next(
        number for number in _records if [part < half for part in _parts(number)] == [True, False]
    )


def _parts(record: int) -> list[int]:
    return [partition_of(f"{SOURCE}/{t}/{MODEL}/{record}", PARTITIONS) for t in TARGETS]


@pytest.fixture
def known(line: Line, wso2: Scripted, workers: list[Program], record: int) -> int:
    """The record with a dead delivery and two that wait, for each target."""
    assert workers
    wso2.of(record, Refuse(422), Refuse(422), Refuse(503), Refuse(503))
    line.change(record, "refused")
    line.tail.until(lambda: line.tail.states(record) == ["dead", "dead"])
    line.change(record, "waits")
    line.change(record, "waits too")
    states = ["dead", "dead", *["waiting"] * 4]
    line.tail.until(lambda: sorted(line.tail.states(record)) == states)
    return record


def purge(line: Line, *words: str) -> Any:
    done = line.programs.run("purge", MODEL, *words, "--json")
    return json.loads(done.out.read_text())


def trace(line: Line, record: int) -> Any:
    done = line.programs.run("trace", MODEL, str(record), "--json")
    return json.loads(done.out.read_text())


def known_of(line: Line, *records: int) -> dict[str, bytes]:
    """Return what stands of some records in the compacted topics, by topic and key."""
    topics = (line.topics.retries, line.topics.ledger, line.topics.pauses)
    found = {f"{each.topic} {each.key.decode()}": each for each in read(line.servers, topics)}
    ends = tuple(f"/{MODEL}/{record}" for record in records)
    return {
        name: each.value
        for name, each in found.items()
        if each.value and any(f"{end}/" in name or name.endswith(end) for end in ends)
    }


def known_to_the_index(line: Line, record: int) -> list[str]:
    """Return of which deliveries of a record it holds more than a dead letter."""
    path = load(line.programs.config).state / "index" / "index.sqlite"
    query = "SELECT id FROM deliveries WHERE record = ? AND (on_its_way OR entry) IS NOT NULL"
    with closing(sqlite3.connect(path)) as index:
        return [name for (name,) in index.execute(query, (record,))]


def test_a_record_is_forgotten_and_what_kafka_holds_of_it_is_named(
    line: Line, known: int, kept: dict[str, bytes]
) -> None:
    line.change(known, "dead at birth by one route", state="odd")
    line.tail.until(lambda: len(line.tail.states(known)) == 9)

    looked = purge(line, str(known), "--dry-run")
    done = purge(line, str(known))

    assert (looked["waiting"], looked["known"]) == (done["waiting"], done["known"]) == (6, 9)
    assert done["queued"] == 0
    held = {each["topic"]: each["records"] for each in done["held"]}
    assert held == {
        line.topics.events(MODEL): 4,
        line.topics.deliveries("shop"): 4,
        line.topics.deliveries("erp"): 4,
        line.topics.dead: 3,
    }
    assert all(each["until"] for each in done["held"])
    assert known_of(line, known) == {}
    assert known_of(line, *KEPT) == kept
    assert {each["state"] for each in trace(line, known)} == {"dead"}  # as their letters say
    assert known_to_the_index(line, known) == []
    assert purge(line, str(known))["known"] == 0
    nothing = line.programs.start("purge", MODEL, "999")
    assert nothing.wait() == 1
    assert f"nothing is known of {MODEL} 999" in nothing.tail()


@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faults.ASKED, PARTITIONS // 2, id="half of the partitions are asked"),
        pytest.param(faults.ANSWERED, 1, id="all have answered", marks=pytest.mark.slow),
    ],
)
def test_law_1_a_command_that_is_killed_is_begun_again(
    line: Line, known: int, kept: dict[str, bytes], point: str, number: int
) -> None:
    launcher = (sys.executable, "-m", "tests.faulty_purge", point, str(number))
    killed = line.programs.start("purge", MODEL, str(known), launcher=launcher)
    assert killed.wait() == -signal.SIGKILL
    line.tail.until(lambda: not any(f"shop/{MODEL}/{known}/" in name for name in line.tail.items))
    done_half = any(f"erp/{MODEL}/{known}/" in name for name in known_of(line, known))
    assert done_half == (point == faults.ASKED)

    done = purge(line, str(known))

    assert done["queued"] == 0
    assert {each["topic"] for each in done["held"]} >= {line.topics.events(MODEL)}
    assert known_of(line, known) == {}
    assert known_to_the_index(line, known) == []
    assert known_of(line, *KEPT) == kept


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(3, id="in the midst"),
        *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 4, 5, 6, 7, 11)),
    ],
)
def test_law_1_a_worker_that_is_killed_while_it_forgets_is_followed_by_one_that_does(
    line: Line,
    wso2: Scripted,
    workers: list[Program],
    kept: dict[str, bytes],
    request: pytest.FixtureRequest,
    number: int,
) -> None:
    assert workers.pop().stop() == 0
    launcher = (sys.executable, "-m", "tests.faulty_purge", faults.TOMBSTONE, str(number))
    words = ("--worker", "one", "--log-format", "json")
    dying = line.programs.start("stream", *words, launcher=launcher)
    workers.append(dying)
    known: int = request.getfixturevalue("known")
    before = len(wso2.requests)

    line.programs.run("pause", "--chain", f"{SOURCE}/erp/{MODEL}/{known}")
    assert len(known_of(line, known)) == 11  # six in the ledger, four that wait, a pause

    words = (MODEL, str(known), "--json", "--timeout", "90")
    asked = line.programs.start("purge", *words)
    assert dying.wait() == -signal.SIGKILL
    workers.append(line.worker())

    assert asked.wait() == 0, asked.tail()
    assert json.loads(asked.out.read_text())["queued"] == 0
    assert known_of(line, known) == {}
    assert known_to_the_index(line, known) == []
    assert known_of(line, *KEPT) == kept
    again = {request.headers["X-Cdc-Chain"] for request in list(wso2.requests)[before:]}
    assert all(chain.endswith(f"/{known}") for chain in again)


def test_what_rests_in_a_send_queue_is_named_and_is_not_forgotten(
    line: Line, workers: list[Program], record: int
) -> None:
    assert workers
    line.programs.run("pause", "--target", "shop")
    line.change(record, "rests")
    line.tail.until(lambda: line.tail.states(record) == ["accepted"])

    asked = line.programs.start("purge", MODEL, str(record), "--json", "--timeout", "5")

    assert asked.wait() == 3
    said = json.loads(asked.out.read_text())
    assert (said["known"], said["queued"]) == (1, 1)
    assert "1 events and deliveries are not taken yet" in asked.tail()
    line.programs.run("resume", "--target", "shop")
    line.tail.until(lambda: len(line.tail.states(record)) == 2)
    assert purge(line, str(record))["known"] == 1
    assert known_of(line, record) == {}


def test_a_target_that_the_file_names_no_longer_has_left_its_records(
    line: Line, known: int, tmp_path: Path
) -> None:
    text = line.programs.config.read_text(encoding="utf-8")
    (named,) = (each for each in text.splitlines() if each.startswith("targets: "))
    targets = json.loads(named.removeprefix("targets: "))
    without = {"shop": targets["shop"]}
    other = text.replace(named, f"targets: {json.dumps(without)}")
    other = other.replace("[shop, erp]", "[shop]").replace(MODEL, "res.partner")
    line.say(line.id_of(known, "1", "orders", "gone"), "delivered")

    with Programs(tmp_path, other) as programs:
        done = programs.run("purge", MODEL, str(known), "--json")

    said = json.loads(done.out.read_text())
    assert (said["waiting"], said["known"]) == (4, 6)
    assert {each["topic"]: each["records"] for each in said["held"]} == {
        line.topics.events(MODEL): 3,
        line.topics.deliveries("shop"): 3,
        line.topics.deliveries("erp"): 3,
        line.topics.dead: 2,
        line.topics.responses: 1,
    }


def test_what_nobody_has_forgotten_goes_on(line: Line, kept: dict[str, bytes]) -> None:
    _, waiting, _ = KEPT
    assert known_of(line, *KEPT) == kept

    line.programs.run("retry", "--target", "shop", "--target", "erp")
    line.change(waiting, "and on")

    states = ["accepted", "accepted", "accepted", "accepted"]
    line.tail.until(lambda: line.tail.states(waiting) == states)
    line.tail.until(lambda: set(line.tail.states(*KEPT)) == {"accepted"})
