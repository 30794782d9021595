"""What operators do by hand, with the commands as they type them: one worker, real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from schemas.keys import chain_of, partition_of
from tests.fix_wso2 import Refuse
from tests.programs import Program
from tests.streaming import PARTITIONS, Line, Scripted

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

_records = count(1)
STATES = {"asked": "sale", "fast": "fast"}
_SHOP = {"url": "http://127.0.0.1:9/deliveries", "history": "all", "retry": ["1h"]}
TARGETS = {
    "asked": {**_SHOP, "acknowledge": "required", "ack_timeout": "5m"},
    "fast": {**_SHOP, "acknowledge": "accepted"},
}
_ROUTE = "  - {{name: {0}, model: sale.order, targets: [{0}], fields: [name], domain: {1}}}"
ROUTES = "\n".join(
    ["routes:", *(_ROUTE.format(t, f'[["state", "=", "{s}"]]') for t, s in STATES.items())]
)


@pytest.fixture
def record() -> int:
    """A record that no other test has."""
    return next(_records)


@pytest.fixture(scope="module")
def wso2() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@pytest.fixture(scope="module")
def config(wso2: Scripted) -> dict[str, Any]:
    return {
        "wso2": wso2.url,
        "targets": list(TARGETS),
        "routes": ROUTES,
        "more": {"targets": TARGETS},
    }


@pytest.fixture(scope="module")
def alone(
    kafka: Kafka, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    """A source without a worker."""
    folder = tmp_path_factory.mktemp("alone")
    with Line(folder, kafka.bootstrap, "src_alone", config) as made:
        yield made


@pytest.fixture(scope="module")
def line(
    kafka: Kafka, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    folder = tmp_path_factory.mktemp("operators")
    with Line(folder, kafka.bootstrap, "src_operators", config) as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def workers(line: Line) -> list[Program]:
    """The workers of the source, the one that runs last."""
    return [line.worker()]


def test_while_no_worker_answers_the_partitions_are_named_and_the_command_is_kept(
    alone: Line,
) -> None:
    asked = alone.programs.start("retry", "--all-dead", "--timeout", "1")

    assert asked.wait() == 3
    numbers = ", ".join(map(str, range(PARTITIONS)))
    assert f"no word from the workers of partition {numbers}" in asked.tail()
    assert "hint: " in asked.tail()
    nothing = alone.programs.start("retry", "--all-dead")
    alone.worker().until_said('"action": "command"')
    assert nothing.wait() == 1
    assert "nothing matches" in nothing.tail()


def test_what_is_dead_is_put_back_and_delivered(line: Line, wso2: Scripted, record: int) -> None:
    wso2.of(record, Refuse(422))
    sequence = line.change(record, "refused")
    line.tail.reached("dead", record)
    delivery = line.id_of(record, sequence, "asked", "asked")

    dry = _json(line, "retry", "--all-dead", "--dry-run")
    said = _json(line, "retry", "--id", delivery)

    assert (dry["dry_run"], dry["counts"]["put_back"]) == (True, 1)
    assert said["deliveries"] == [{"id": delivery, "result": "put_back"}]
    assert (said["partitions"], said["silent"]) == (1, [])
    line.tail.reached("accepted", record)
    line.say(delivery, "delivered")
    line.tail.reached("delivered", record)
    first, again = wso2.tried(record)
    assert (again.id, again.body, again.attempt) == (first.id, first.body, 1)


def test_the_targets_own_reason_is_shown_wherever_its_refusal_is(line: Line, record: int) -> None:
    sequence = line.change(record, "wrong")
    line.tail.reached("accepted", record)
    delivery = line.id_of(record, sequence, "asked", "asked")
    reason = 'partner_id: "Azure" n\'existe pas\n合作伙伴 $1 \\ \x1b[2J'

    line.say(delivery, "rejected", code="VALIDATION", message=reason, target_id="17")

    line.tail.reached("rejected", record)
    why = f"rejected by the target: VALIDATION: {reason}"
    about = ["--record", f"sale.order/{record}"]
    (listed,) = _json(line, "queue", "--state", "rejected", *about)["deliveries"]
    assert listed["why"] == why
    ((journey),) = _json(line, "trace", "sale.order", str(record), "--target", "asked")
    said = {step["step"]: step["about"] for step in journey["steps"]}
    assert (journey["why"], said["rejected"]) == (why, f"{why}; its id is 17")
    assert said["said"] == f"rejected, VALIDATION, {reason}, its id is 17"
    line.tail.until(lambda: any(each["id"] == delivery for each in line.tail.letters))
    letter = next(each for each in line.tail.letters if each["id"] == delivery)
    assert (letter["why"], letter["code"], letter["target_id"]) == (why, "VALIDATION", "17")
    for asked in (("queue", *about), ("trace", delivery)):
        text = line.programs.run(*asked).out.read_text()
        assert 'VALIDATION: partner_id: "Azure" n\'existe pas\n' in text
        assert " 合作伙伴 $1 \\ \\u001b[2J" in text


def test_what_waits_goes_now_and_what_was_passed_is_superseded(
    line: Line, wso2: Scripted, record: int
) -> None:
    passed, waiting = record, next(_records)
    wso2.of(passed, Refuse(400))
    wso2.of(waiting, Refuse(503))
    older = line.change(passed, "older", state="fast")
    newer = line.change(passed, "newer", state="fast")
    line.change(waiting, "for an hour", state="fast")
    line.tail.reached("accepted", passed)
    line.tail.reached("waiting", waiting)

    text = line.programs.run("retry", "--target", "fast").out.read_text()

    line.tail.reached("accepted", waiting)
    assert [r.attempt for r in wso2.tried(waiting)] == [1, 2]
    line.tail.until(lambda: sorted(line.tail.states(passed)) == ["accepted", "superseded"])
    ids = [line.id_of(passed, sequence, "fast", "fast") for sequence in (older, newer)]
    assert ids[1] in line.tail.ledger[ids[0]]["why"]
    assert [r.id for r in wso2.tried(passed)] == ids
    assert "go now" in text
    assert ids[0] in text


def _json(line: Line, *words: str) -> Any:
    return json.loads(line.programs.run(*words, "--json").out.read_text())


def test_a_paused_target_waits_through_kill_9_and_is_resumed_in_order(
    line: Line, wso2: Scripted, workers: list[Program], record: int
) -> None:
    other = next(_records)

    said = _json(line, "pause", "--target", "asked")
    sequences = [line.change(record, f"v{number}") for number in range(3)]
    workers[-1].kill()
    workers.append(line.worker())
    line.change(other, "of the other target", state="fast")

    line.tail.reached("accepted", other)
    assert (said["target"], said["left"]) == ("asked", 0)
    assert wso2.tried(record) == []
    (row,) = [r for r in _status(line)["held"] if r["reason"] == "paused"]
    assert row["what"] == "asked"
    assert row["why"].startswith("paused by ")
    (shown,) = _json(line, "queue", "--target", "asked")["paused"]
    assert shown == row
    line.programs.run("resume", "--target", "asked")
    ids = [line.id_of(record, sequence, "asked", "asked") for sequence in sequences]
    for number, name in enumerate(ids, 1):
        assert [r.id for r in wso2.attempts(record, number)] == ids[:number]
        line.say(name, "delivered")
    line.tail.reached("delivered", record)
    again = line.programs.start("resume", "--target", "asked")
    assert again.wait() == 1
    assert "asked is not paused" in again.tail()


def test_a_drain_ends_when_it_is_empty_and_what_is_new_waits(
    line: Line, wso2: Scripted, record: int
) -> None:
    sequence = line.change(record, "there before")
    line.tail.reached("accepted", record)
    drain = line.programs.start("drain", "--target", "asked", "--json")
    drain.until_said("1 on their way or waiting")  # every partition drains

    new = line.change(record, "new")
    line.say(line.id_of(record, sequence, "asked", "asked"), "delivered")

    assert drain.wait() == 0, drain.tail()
    assert json.loads(drain.out.read_text())["target"] == "asked"
    assert [r.id for r in wso2.tried(record)] == [line.id_of(record, sequence, "asked", "asked")]
    line.programs.run("resume", "--target", "asked")
    assert wso2.attempts(record, 2)[-1].id == line.id_of(record, new, "asked", "asked")
    line.say(line.id_of(record, new, "asked", "asked"), "delivered")
    line.tail.reached("delivered", record)


def test_a_drain_lets_out_what_came_in_while_it_was_paused_in_every_partition(
    line: Line, wso2: Scripted
) -> None:
    """Their queues end at other commits, and some are empty."""
    parts = {partition_of(_chain(line, n), PARTITIONS): n for n in range(9001, 9100)}
    *records, _ = (parts[partition] for partition in range(PARTITIONS))
    line.programs.run("pause", "--target", "fast")
    for record in records:
        line.change(record, "while it was paused", state="fast")
    line.tail.until(lambda: _status(line)["targets"]["fast"]["queued"] == len(records))

    paused = line.programs.run("pause", "--target", "fast").out.read_text()
    drain = line.programs.start("drain", "--target", "fast")

    assert drain.wait() == 0, drain.tail()
    assert f"fast is paused; {len(records)} deliveries of it wait" in paused
    assert "fast is drained, and paused" in drain.out.read_text()
    assert "; 0 deliveries of it wait, and what comes waits" in drain.out.read_text()
    assert all(len(wso2.tried(record)) == 1 for record in records)
    line.programs.run("resume", "--target", "fast")


def test_law_10_a_name_that_the_file_does_not_have_is_refused(line: Line) -> None:
    refused = line.programs.start("pause", "--target", "aksed")

    assert refused.wait() == 2
    assert 'the file has no target "aksed", did you mean "asked"?' in refused.tail()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["retry", "--target", "aksed"], 'no target "aksed", did you mean "asked"?'),
        (["trace", "sale.ordre", "7"], 'no model "sale.ordre", did you mean "sale.order"?'),
        (["queue", "--route", "aksed"], 'no route "aksed", did you mean "asked"?'),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
def test_where_nothing_is_found_a_name_that_the_file_does_not_have_is_named(
    line: Line, words: list[str], said: str
) -> None:
    nothing = line.programs.start(*words)

    assert nothing.wait() == 1
    assert f"the file has {said}" in nothing.tail() + nothing.out.read_text()


def _status(line: Line) -> Any:
    """Return what `status` says of the workers; the database it asks for is not there."""
    program = line.programs.start("status", "--json")
    program.wait()
    return json.loads(program.out.read_text())["stream"]


def _chain(line: Line, record: int) -> str:
    return chain_of(line.topics.source, "fast", "sale.order", record)
