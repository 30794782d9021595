"""`replay`, typed: real Kafka, real workers, a scripted WSO2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from schemas.command import Command, Kind
from schemas.keys import partition_of
from streams.chains.ledger import iso, seconds
from streams.kafka.asking import claim
from streams.queries.asking import command_of
from tests.programs import Program
from tests.streaming import COMMITTED, MODEL, PARTITIONS, Line, Scripted
from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

_records = count(1)
ALWAYS: Final = COMMITTED
LATER: Final = iso(seconds(COMMITTED) + 60.0)
ROUTES: Final = """
routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
  - {name: names, model: sale.order, targets: [erp], fields: [name]}
"""


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture
def line(
    kafka: Kafka, wso2: Scripted, tmp_path: Any, request: pytest.FixtureRequest
) -> Iterator[Line]:
    """Give a source of its own with a worker, all of whose events are older than the replay."""
    source = f"src_{abs(hash(request.node.name)) % 10**8}"
    # The events are of one day for ever: the ledger remembers it.
    topics = {"partitions": PARTITIONS, "replication": 1, "retention": "9999d"}
    config = {
        "wso2": wso2.url,
        "targets": ["shop", "erp"],
        "routes": ROUTES,
        "more": {"topics": topics},
    }
    with Line(tmp_path, kafka.bootstrap, source, config) as made:
        yield made


def replay(line: Line, *words: str) -> Any:
    """Type it; return what it said."""
    done = line.programs.run("replay", MODEL, *words, "--json")
    return json.loads(done.out.read_text())


def sent(wso2: Scripted, record: int, run: int) -> list[str]:
    """Return the sequences of a record that were taken in a run, without it, by target."""
    taken = [r for r in wso2.accepted(record) if r.endswith(f"-{run:04d}")]
    return [name.rpartition("/")[2][:-5] for name in taken]


def three_states(line: Line, wso2: Scripted, record: int) -> list[str]:
    """Let a record have three states, all of them sent; return their sequences."""
    made = [line.change(record, f"v{number}") for number in range(3)]
    wso2.attempts(record, 6)
    return made


def test_law_2_a_past_is_sent_again_and_no_older_state_behind_a_newer_one(
    line: Line, wso2: Scripted
) -> None:
    line.worker()
    states = three_states(line, wso2, 1)

    said = replay(line, "--from", ALWAYS)

    assert said["counts"]["deliveries"] == 6
    assert said["run"] == 1
    line.tail.until(lambda: line.tail.states(1).count("superseded") == 4)
    assert sent(wso2, 1, 1) == [states[2][:-5]] * 2
    newest = [r for r in wso2.tried(1) if r.id.endswith("-0001")]
    assert {r.json["data"]["routing"]["mode"] for r in newest} == {"replay"}
    assert {r.json["data"]["fields"]["name"] for r in newest} == {"v2"}

    again = replay(line, "--from", ALWAYS, "--route", "orders")

    assert (again["run"], again["counts"]["deliveries"]) == (2, 3)
    assert wso2.attempts(1, 9)[-1].id == line.id_of(1, states[2], "orders", "shop")[:-4] + "0002"
    (journey,) = json.loads(line.programs.run("trace", newest[-1].id, "--json").out.read_text())
    assert [step["step"] for step in journey["steps"]][:3] == ["committed", "published", "queued"]


def test_a_part_of_the_past_by_lsn_by_offset_and_by_record(line: Line, wso2: Scripted) -> None:
    line.worker()
    made = {record: line.change(record, "a name") for record in range(1, 9)}
    for record in made:
        wso2.attempts(record, 2)
    lsn = [f"0/{int(made[record].split('-')[1], 16):X}" for record in (3, 6)]

    by_lsn = replay(line, "--from", lsn[0], "--to", lsn[1], "--target", "shop")
    mine = partition_of("1", PARTITIONS)
    by_offset = replay(line, "--from", f"{mine}:0", "--to", f"{mine}:1", "--target", "shop")
    by_record = replay(line, "--id", "2", "--id", "7", "--target", "shop")

    assert by_lsn["counts"]["deliveries"] == 3
    assert by_offset["counts"]["deliveries"] == 1
    assert by_record["counts"]["deliveries"] == 2
    for record in (3, 4, 5, 2, 7):
        wso2.attempts(record, 3)
    runs = {record: [bool(sent(wso2, record, run)) for run in (1, 2, 3)] for record in made}
    assert [record for record, seen in runs.items() if seen[0]] == [3, 4, 5]
    assert [record for record, seen in runs.items() if seen[2]] == [2, 7]


def test_a_look_first_sends_nothing(line: Line, wso2: Scripted) -> None:
    line.worker()
    three_states(line, wso2, 1)

    said = replay(line, "--from", ALWAYS, "--dry-run")

    assert said["dry_run"] is True
    assert said["deliveries"] == [
        {"route": "names", "target": "erp", "operation": "update", "number": 3},
        {"route": "orders", "target": "shop", "operation": "update", "number": 3},
    ]
    assert len(wso2.tried(1)) == 6
    nothing = line.programs.start("replay", MODEL, "--from", LATER, "--dry-run")
    assert nothing.wait() == 1
    assert "nothing is sent" in nothing.tail()


def test_older_states_are_forced(line: Line, wso2: Scripted) -> None:
    line.worker()
    states = three_states(line, wso2, 1)

    replay(line, "--from", ALWAYS, "--target", "shop", "--force-older")

    wso2.attempts(1, 9)
    assert sent(wso2, 1, 1) == [state[:-5] for state in states]


def _long_replay(line: Line, wso2: Scripted, records: int, rate: int) -> Program:
    """Begin a replay that takes long; return it when some of it has gone."""
    for record in range(1, records + 1):
        line.change(record, "a name")
    line.flush()
    wso2.received(2 * records, LONG)
    words = ("--from", ALWAYS, "--target", "shop", "--rate", str(rate), "--json")
    running = line.programs.start("replay", MODEL, *words)
    wso2.received(2 * records + 20, LONG)
    return running


def test_law_1_a_worker_is_killed_in_the_middle_of_a_replay(line: Line, wso2: Scripted) -> None:
    worker, records = line.worker(), 2400
    running = _long_replay(line, wso2, records, 2000)

    worker.kill()
    line.worker()

    assert running.wait() == 0, running.tail()
    assert json.loads(running.out.read_text())["counts"]["deliveries"] >= records
    wso2.received(3 * records, LONG)
    line.tail.until(
        lambda: (
            sum(i.endswith("-0001") and e["final"] for i, e in line.tail.ledger.items()) == records
        )
    )
    assert all(len(sent(wso2, record, 1)) == 1 for record in range(1, records + 1))


def test_live_changes_overtake_a_replay_which_can_be_cancelled(line: Line, wso2: Scripted) -> None:
    line.worker()
    running = _long_replay(line, wso2, 2400, 100)

    line.change(9001, "now")
    wso2.attempts(9001, 2)

    assert running.process.poll() is None
    status = line.programs.start("status", "--json")
    assert status.wait() == 3  # it asks the database too, and there is none
    (shown,) = json.loads(status.out.read_text())["stream"]["replays"]
    assert shown["model"] == MODEL
    ended = line.programs.run("replay", "--cancel", shown["id"], "--json")
    said = json.loads(ended.out.read_text())
    assert said["partitions"] == PARTITIONS
    assert running.wait() == 0, running.tail()
    assert json.loads(running.out.read_text())["cancelled"] is True
    assert sum(bool(sent(wso2, record, 1)) for record in range(1, 2401)) < 2400
    twice = line.programs.start("replay", "--cancel", shown["id"])
    assert twice.wait() == 1
    assert "is under way" in twice.tail()


def test_two_who_ask_at_the_same_time_get_numbers_of_their_own(line: Line) -> None:
    def propose(number: int) -> Command:
        return command_of(Kind.CLAIM, {"run": number})

    settings = {"bootstrap.servers": line.servers}
    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(claim, settings, line.topics, propose) for _ in range(6)]
        numbers = [future.result(LONG) for future in futures]

    assert len(set(numbers)) == 6
    assert claim(settings, line.topics, propose) == max(numbers) + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no model"),
        (["sale.ordre", "--from", ALWAYS], 'did you mean "sale.order"?'),
        ([MODEL], "a replay needs `from`, or `ids` of records"),
        ([MODEL, "--from", "yesterday"], "is no time, LSN or offset"),
        ([MODEL, "--from", ALWAYS, "--target", "shpo"], 'did you mean "shop"?'),
        ([MODEL, "--from", ALWAYS, "--rate", "0"], "above 0"),
    ],
)
def test_law_10_what_cannot_be_is_refused(line: Line, words: list[str], said: str) -> None:
    refused = line.programs.start("replay", *words)

    assert refused.wait() == 2
    assert said in refused.tail()
    assert "hint: " in refused.tail()
