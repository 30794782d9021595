"""The table of faults: whatever happens on the way, every delivery has the ending it should have.

`make test` runs each with few deliveries and kills; `make test-long` with many, and writes what
came of it to `docs/faults.md`. Times are short for a test: a target has 2 s for its word, a call
2 s for its answer, a pause is 1 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.faults_page import Table
from tests.fix_wso2 import (
    JSON,
    EmptyAccept,
    FailAfterAccept,
    Fault,
    Refuse,
    RespondSlowly,
    Unauthorised,
)
from tests.stand_ins import Answer, Received
from tests.under_fire import DELIVERED, Fire, Row, Said, odds

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance
WRONG_ID: Final = Answer(202, b'{"status":"ACCEPTED","id":"odoo_a/shop/x/1/y/0"}', JSON)


@dataclass(frozen=True)
class Size:
    """How much of it: records, changes of each, kills."""

    records: int
    versions: int
    kills: int


FEW: Final = Size(12, 3, 3)
MANY: Final = Size(100, 10, 20)
MOST: Final = Size(500, 50, 100)
NONE: Final = {"lost": 0, "out_of_order": 0, "wrong_ends": 0, "other_bytes": 0}
TABLE: Final = Table(
    "workers",
    ("deliveries", "attempts", "accepted again", "lost", "chains out of order", "wrong ends"),
)
Script = Callable[[Fire, Size], None]
FAULTS: dict[str, Script] = {}


def fault(script: Script) -> Script:
    """Put a script into the table; its docstring is the fault's name there."""
    FAULTS[(script.__doc__ or "").rstrip(".")] = script
    return script


AT_RANDOM: Final[dict[str, tuple[float, Fault | Answer]]] = {
    "WSO2 answers 500 to three of ten": (0.3, Refuse(500)),
    "WSO2 answers an empty 202 to three of ten": (0.3, EmptyAccept()),
    "WSO2 takes one of ten, and answers after the timeout": (0.1, RespondSlowly(3.0)),
    "WSO2 takes two of ten, and the connection ends before its answer": (0.2, FailAfterAccept()),
    "WSO2 answers with the id of another delivery to two of ten": (0.2, WRONG_ID),
    "Three of ten acknowledgements come before WSO2's 202": (0.3, RespondSlowly(0.3)),
}


def at_random(chance: float, what: Fault | Answer) -> Script:
    """Return the script of a fault that happens to so many requests of one."""

    def script(fire: Fire, size: Size) -> None:
        fire.wso2.fault = odds(fire, chance, what)
        feed(fire, size)

    return script


def feed(fire: Fire, size: Size, **ends: str) -> None:
    fire.feed(size.records, size.versions, ends)


@fault
def wso2_is_away(fire: Fire, size: Size) -> None:
    """WSO2 is away for an hour on the worker's clock, and comes back."""
    fire.wso2.stop()
    feed(fire, size)
    next(iter(fire.workers.values())).until_said("gate_closed")
    fire.jump(3600)
    feed(fire, size)
    fire.wso2.start()
    fire.settle()
    fire.jump(0)


@fault
def unauthorised(fire: Fire, size: Size) -> None:
    """WSO2 does not know us for a while."""
    fire.wso2.fault = lambda _: Unauthorised()
    feed(fire, size)
    fire.attempts(4)
    fire.wso2.good()


@fault
def one_rejects(fire: Fire, size: Size) -> None:
    """One target rejects everything, the other takes it."""
    fire.wso2.words = lambda request: [
        Said("rejected" if request.headers["X-Cdc-Target"] == "erp" else "delivered")
    ]
    feed(fire, size, erp="rejected")


@fault
def words_lost(fire: Fire, size: Size) -> None:
    """One of ten acknowledgements is lost."""
    fire.wso2.words = lambda _: () if fire.random.random() < 0.1 else DELIVERED
    feed(fire, size)


@fault
def words_doubled(fire: Fire, size: Size) -> None:
    """Every acknowledgement comes twice, the second one says `rejected`."""
    fire.wso2.words = lambda _: (*DELIVERED, Said("rejected", 0.2))
    feed(fire, size)


@fault
def words_late(fire: Fire, size: Size) -> None:
    """One of ten acknowledgements comes when the delivery was sent again already."""
    fire.wso2.words = lambda _: (
        [Said("delivered", 3.0)] if fire.random.random() < 0.1 else DELIVERED
    )
    feed(fire, size)


@fault
def words_a_day_late(fire: Fire, size: Size) -> None:
    """One of ten acknowledgements comes a day late on the worker's clock."""
    late: dict[str, Received] = {}
    prompt: set[str] = set()

    def words(request: Received) -> tuple[Said, ...]:
        if request.id not in late and (request.id in prompt or fire.random.random() >= 0.1):
            prompt.add(request.id)
            return DELIVERED
        late[request.id] = request
        return ()

    fire.wso2.words = words
    feed(fire, size)
    fire.attempts(size.records * size.versions)
    fire.jump(86_400)
    fire.wso2.good()
    for request in list(late.values()):
        fire.wso2.tell(request, *DELIVERED)
    fire.settle()
    fire.jump(0)


@fault
def worker_killed(fire: Fire, size: Size) -> None:
    """The worker is killed (kill -9) at random."""
    feed(fire, size)
    number = 2 * size.records * size.versions
    for kill in range(size.kills):
        fire.attempts(number * kill // size.kills + 1)
        fire.workers["one"].kill()
        fire.worker()


FAULTS |= {name: at_random(*how) for name, how in AT_RANDOM.items()}
KILLED: Final = "The worker is killed (kill -9) at random"


@fault
def workers_come_and_go(fire: Fire, size: Size) -> None:
    """Workers join, leave and are killed while deliveries flow."""
    second = fire.worker("two")
    feed(fire, size)
    fire.attempts(size.records)
    second.kill()
    third = fire.worker("three")
    third.until_said('"action": "assigned"')
    feed(fire, size)
    fire.settle()
    assert third.stop() == 0


@fault
def clock_jumps(fire: Fire, size: Size) -> None:
    """The worker's clock goes back an hour, then a day ahead, while deliveries fail and wait."""
    fire.wso2.fault = odds(fire, 0.3, Refuse(503))
    feed(fire, size)
    fire.attempts(size.records)
    fire.jump(-3600)
    feed(fire, size)
    fire.attempts(2 * size.records)
    fire.jump(86_400)
    fire.settle()
    fire.jump(0)


def broker_killed(fire: Fire, size: Size, broker: Kafka) -> None:
    """The broker is killed (kill -9) and is away for a while."""
    feed(fire, size)
    for kill in range(max(1, size.kills // 10)):
        fire.attempts(2 * size.records * (kill + 1))
        broker.kill()
        broker.launch()


@pytest.fixture(scope="module")
def fire(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fire]:
    source = f"src_{time.time_ns():x}"[:18]
    with Fire(tmp_path_factory.mktemp("fire"), kafka.bootstrap, source) as made:
        yield made


@pytest.mark.parametrize("name", FAULTS)
def test_law_1_and_2_nothing_is_lost_and_chains_keep_their_order(name: str, fire: Fire) -> None:
    assert run(name, fire, FEW).harm == NONE


def test_law_1_and_2_while_the_broker_is_killed(own_kafka: Kafka, tmp_path: Path) -> None:
    with Fire(tmp_path, own_kafka.bootstrap, "src_broker") as fire:
        assert run_broker_killed(fire, FEW, own_kafka).harm == NONE


@pytest.mark.slow
def test_law_1_and_2_with_many_deliveries_and_kills(
    fire: Fire, own_kafka: Kafka, tmp_path: Path
) -> None:
    """Writes the table."""
    rows = [run(name, fire, MANY) for name in FAULTS if name != KILLED]
    rows.append(run(KILLED, fire, MOST))
    with Fire(tmp_path, own_kafka.bootstrap, "src_broker") as other:
        rows.append(run_broker_killed(other, MANY, own_kafka))
    write(rows)
    assert [row.harm for row in rows] == [NONE] * len(rows)


def run(name: str, fire: Fire, size: Size) -> Row:
    """Let a fault happen, wait until every delivery has its ending, and count."""
    fire.begin()
    FAULTS[name](fire, size)
    fire.settle()
    return fire.row(name)


def run_broker_killed(fire: Fire, size: Size, broker: Kafka) -> Row:
    fire.begin()
    broker_killed(fire, size, broker)
    fire.settle()
    return fire.row("The broker is killed (kill -9) and is away for a while")


def write(rows: list[Row]) -> None:
    """Replace the table in the documentation."""
    lines = [
        f"| {r.fault} | {r.deliveries:,} | {r.attempts:,} | {r.repeats:,} | {r.lost} |"
        f" {r.out_of_order} | {r.wrong_ends} |"
        for r in rows
    ]
    TABLE.write(lines)
