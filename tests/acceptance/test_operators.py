"""What operators do by hand, with the commands as they type them: one worker, real Kafka."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_wso2 import Refuse
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
def line(kafka: Kafka, wso2: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """A source without a worker yet."""
    config = {
        "wso2": wso2.url,
        "targets": list(TARGETS),
        "routes": ROUTES,
        "more": {"targets": TARGETS},
    }
    folder = tmp_path_factory.mktemp("operators")
    with Line(folder, kafka.bootstrap, "src_operators", config) as made:
        yield made


def test_while_no_worker_answers_the_partitions_are_named_and_the_command_is_kept(
    line: Line,
) -> None:
    """First of all: the worker that starts here serves the other tests."""
    asked = line.programs.start("retry", "--all-dead", "--timeout", "1")

    assert asked.wait() == 3
    numbers = ", ".join(map(str, range(PARTITIONS)))
    assert f"no word from the workers of partition {numbers}" in asked.tail()
    assert "hint: " in asked.tail()
    line.worker()
    nothing = line.programs.start("retry", "--all-dead")
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
