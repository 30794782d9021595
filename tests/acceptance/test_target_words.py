"""A target's own reason, from its answer through the real engine and a worker to the operator."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from embedded.ports import free_ports
from tests.stand_ins import HOST, Answer, StandIn
from tests.streaming import Line

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.synapse import Synapse

pytestmark = pytest.mark.acceptance

_records = count(1)
_UNSET = "http://127.0.0.1:9/cdc"
ROUTES = """
routes:
  - {name: orders, model: sale.order, targets: [branch], fields: [name]}
"""
REASON = 'partner_id: "Azure" n\'existe pas\n合作伙伴 <$1> & \\'
WRITTEN = (
    "partner_id: \\u0022Azure\\u0022 n'existe pas\\u000a"
    "\\u5408\\u4f5c\\u4f19\\u4f34 \\u003c$1\\u003e \\u0026 \\u005c"
)


@pytest.fixture
def record() -> int:
    """A record that no other test has."""
    return next(_records)


@pytest.fixture(scope="module")
def branch() -> Iterator[StandIn]:
    target = StandIn()
    yield target
    target.close()


@pytest.fixture(scope="module")
def line(
    kafka: Kafka,
    synapse: Callable[[Path], Synapse],
    branch: StandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Line]:
    """A worker, and the engine with the artifacts that were generated from its file."""
    folder = tmp_path_factory.mktemp("words")
    (acks,) = free_ports(1)
    target = {
        "url": f"http://{HOST}:{branch.port}/deliveries",
        "acknowledge": "required",
        "retry": ["1h"],
    }
    config = {
        "wso2": _UNSET,
        "targets": ["branch"],
        "target": target,
        "routes": ROUTES,
        "more": {"acks": {"listen": f"{HOST}:{acks}", "url": f"http://{HOST}:{acks}/acks"}},
    }
    source = f"src_{secrets.token_hex(3)}"
    with Line(folder, kafka.bootstrap, source, config) as made:
        made.programs.run("wso2", "generate", "--out", str(folder / "artifacts"))
        engine = synapse(folder / "artifacts")
        file = made.programs.config
        file.write_text(file.read_text().replace(_UNSET, engine.url))
        made.worker()
        yield made


def answered(line: Line, branch: StandIn, record: int, status: int, **said: str) -> str:
    """Change a record whose delivery the target answers so; return its id."""
    headers = {name.replace("_", "-"): value for name, value in said.items()}
    branch.next(Answer(status, b"", tuple(headers.items())))
    return line.id_of(record, line.change(record, "changed"), "orders", "branch")


def asked(line: Line, *words: str) -> Any:
    return json.loads(line.programs.run(*words, "--json").out.read_text())


def told(line: Line, delivery: str) -> dict[str, str]:
    """Return what `trace` says of each step of a delivery, once its word is there."""
    (journey,) = asked(line, "trace", delivery)
    return {step["step"]: step["about"] for step in journey["steps"]}


def test_who_looks_at_a_dead_letter_sees_the_targets_own_reason(
    line: Line, branch: StandIn, record: int
) -> None:
    said = {"X_Cdc_Code": "USER_ERROR", "X_Cdc_Message": WRITTEN, "X_Cdc_Target_Id": "17"}
    delivery = answered(line, branch, record, 422, **said)

    line.tail.until(lambda: any(each["id"] == delivery for each in line.tail.letters))

    why = f"rejected by the target: USER_ERROR: {REASON}"
    letter = next(each for each in line.tail.letters if each["id"] == delivery)
    assert (letter["why"], letter["code"], letter["http_status"]) == (why, "USER_ERROR", 422)
    about = ["--state", "rejected", "--record", f"sale.order/{record}"]
    assert [row["why"] for row in asked(line, "queue", *about)["deliveries"]] == [why]
    steps = told(line, delivery)
    assert steps["rejected"] == f"{why}; its id is 17"
    assert steps["said"] == f"rejected, of attempt 1, USER_ERROR, {REASON}, its id is 17"


def test_what_waits_says_why_and_until_when(line: Line, branch: StandIn, record: int) -> None:
    said = {"X_Cdc_Code": "MISSING", "X_Cdc_Message": "no E-COM06 yet", "Retry_After": "7200"}
    delivery = answered(line, branch, record, 503, **said)

    line.tail.reached("waiting", record)

    about = ["--state", "waiting", "--record", f"sale.order/{record}"]
    (row,) = asked(line, "queue", *about)["deliveries"]
    assert row["why"] == "retry by the target: MISSING: no E-COM06 yet"
    item = line.tail.items[delivery]
    assert (item["why"], item["code"]) == (row["why"], "MISSING")
    assert item["due"] - item["sent"] >= 7200


def test_what_is_delivered_says_what_the_target_calls_it(
    line: Line, branch: StandIn, record: int
) -> None:
    delivery = answered(line, branch, record, 200, X_Cdc_Target_Id="4711")

    line.tail.reached("delivered", record)

    assert line.tail.ledger[delivery]["target_id"] == "4711"
    steps = told(line, delivery)
    assert steps["delivered"] == "its id is 4711"
    assert steps["said"] == "delivered, of attempt 1, HTTP_200, its id is 4711"


def test_a_target_that_says_nothing_is_known_by_its_status(
    line: Line, branch: StandIn, record: int
) -> None:
    delivery = answered(line, branch, record, 422, X_Cdc_Message='no","status":"DELIVERED')

    line.tail.reached("rejected", record)

    steps = told(line, delivery)
    assert steps["rejected"] == "rejected by the target: HTTP_422"
    assert steps["said"] == "rejected, of attempt 1, HTTP_422"
