"""`purge`, typed: real Kafka, a worker, a scripted WSO2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_wso2 import Refuse
from tests.streaming import MODEL, Line, Scripted

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES = """
routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
"""


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    made = Scripted()
    yield made
    made.close()


@pytest.fixture
def line(kafka: Kafka, wso2: Scripted, tmp_path: Path) -> Iterator[Line]:
    target = {"retry": ["1h"], "history": "all"}
    config = {"wso2": wso2.url, "targets": ["shop"], "target": target, "routes": ROUTES}
    with Line(tmp_path, kafka.bootstrap, "src_purge", config) as made:
        yield made


def purge(line: Line, *words: str) -> Any:
    done = line.programs.run("purge", MODEL, *words, "--json")
    return json.loads(done.out.read_text())


def trace(line: Line, record: int) -> Any:
    done = line.programs.run("trace", MODEL, str(record), "--json")
    return json.loads(done.out.read_text())


def test_a_record_is_forgotten_and_what_kafka_holds_of_it_is_named(
    line: Line, wso2: Scripted
) -> None:
    line.worker()
    wso2.of(7, Refuse(422), Refuse(503))
    for name in ("refused", "waits", "waits too"):
        line.change(7, name)
    line.change(8, "another")
    ends = ["accepted", "dead", "waiting", "waiting"]
    line.tail.until(lambda: sorted(line.tail.states(7, 8)) == ends)

    looked = purge(line, "7", "--dry-run")
    done = purge(line, "7")

    assert (looked["waiting"], looked["known"]) == (done["waiting"], done["known"]) == (2, 3)
    held = {each["topic"]: each["records"] for each in done["held"]}
    assert held == {
        line.topics.events(MODEL): 3,
        line.topics.deliveries("shop"): 3,
        line.topics.dead: 1,
    }
    assert all(each["until"] for each in done["held"])
    line.tail.until(lambda: not any("/7/" in name for name in line.tail.items))
    assert [each["state"] for each in trace(line, 7)] == ["dead"]  # as its letter says
    assert [each["state"] for each in trace(line, 8)] == ["accepted"]
    assert purge(line, "7")["known"] == 0
    nothing = line.programs.start("purge", MODEL, "999")
    assert nothing.wait() == 1
    assert f"nothing is known of {MODEL} 999" in nothing.tail()
