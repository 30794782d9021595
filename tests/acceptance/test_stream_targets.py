"""Two targets of one worker on real Kafka: what holds one of them back leaves the other alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

import pytest

from embedded.ports import free_ports
from tests.fix_wso2 import Refuse
from tests.streaming import Line, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

RECORDS = 1_000  # two batches
PLAIN = {
    "url": "http://127.0.0.1:9/deliveries",
    "acknowledge": "accepted",
    "history": "all",
    "retry": ["200ms", "300ms"],
}
ROUTES = """
routes:
  - {name: orders, model: sale.order, domain: [], targets: [shop, erp], fields: [name]}
"""


@pytest.fixture
def wso2() -> Iterator[Scripted]:
    service = Scripted()
    yield service
    service.close()


@contextmanager
def a_line(
    folder: Path, kafka: Kafka, prefix: str, wso2: Scripted, shop: dict[str, Any]
) -> Iterator[Line]:
    health = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    targets = {"shop": {**PLAIN, **shop}, "erp": PLAIN}
    config = {
        "wso2": wso2.url,
        "targets": ["shop", "erp"],
        "routes": ROUTES,
        "more": {"health": health, "targets": targets},
    }
    with Line(folder, kafka.bootstrap, prefix, config) as made:
        yield made


def test_law_7_a_target_that_fails_waits_alone_and_comes_back_without_a_loss(
    kafka: Kafka, kafka_prefix: str, wso2: Scripted, tmp_path: Path
) -> None:
    records = range(1, RECORDS + 1)
    wso2.down["shop"] = Refuse(503)
    # Each life may try one delivery twice before five failures have opened the breaker.
    shop = {"retry": ["200ms", "300ms", "300ms", "300ms", "300ms"]}
    with a_line(tmp_path, kafka, kafka_prefix, wso2, shop) as line:
        sent = {record: line.change(record, "S1") for record in records}
        worker = line.worker()

        line.tail.until(lambda: taken(wso2, "erp") == RECORDS)
        line.tail.until(lambda: metric(line, "breaker_state") == 2)
        tried = [r for r in list(wso2.requests) if target(r) == "shop"]
        assert len(tried) < 50  # what was under way when it opened, and trials
        line.tail.until(lambda: held(line)[:1] == [("shop", "breaker", ["one"])])
        worker.kill()

        # GIVEN a worker that has to learn it again
        line.worker()
        for record in records:
            line.change(record, "S2")
        line.tail.until(lambda: taken(wso2, "erp") == 2 * RECORDS)
        line.tail.until(lambda: metric(line, "breaker_state") == 2)

        wso2.down.clear()

        line.tail.until(lambda: taken(wso2, "shop") == 2 * RECORDS)
        line.tail.until(lambda: not held(line))
        assert line.tail.letters == []
        orders = defaultdict(list)
        for request in list(wso2.requests):
            if request.id not in orders[chain(request)]:
                orders[chain(request)].append(request.id)
        for record, sequence in sent.items():
            mine = orders[line.id_of(record, sequence, "orders", "shop").rsplit("/", 2)[0]]
            assert mine == sorted(mine)


def test_outside_its_window_a_target_waits_alone_and_status_says_until_when(
    kafka: Kafka, kafka_prefix: str, wso2: Scripted, tmp_path: Path
) -> None:
    opens = datetime.now(UTC) + timedelta(hours=2)
    window = f"{opens:%H:%M}-{opens + timedelta(hours=1):%H:%M} UTC"
    with a_line(tmp_path, kafka, kafka_prefix, wso2, {"window": window}) as line:
        worker = line.worker()
        for record in range(1, 11):
            line.change(record, "S1")
        line.tail.until(lambda: taken(wso2, "erp") == 10)
        said = status(line)
        assert taken(wso2, "shop") == 0
        (row,) = said["held"]
        assert (row["what"], row["reason"], row["workers"]) == ("shop", "window", [])
        assert row["until"] == f"{opens:%Y-%m-%dT%H:%M}:00.000000Z"
        line.tail.until(lambda: kept_back(line, "shop") == 10)
        worker.stop()

        # GIVEN a worker that may send at every hour
        config = line.programs.config
        config.write_text(config.read_text(encoding="utf-8").replace(window, ""), encoding="utf-8")
        line.worker()

        line.tail.until(lambda: taken(wso2, "shop") == 10)


def kept_back(line: Line, name: str) -> int:
    """Return how many deliveries have not been sent; more until the worker says what it read."""
    found: dict[str, int] = status(line)["targets"][name]
    return found["queued"] + found["waiting"]


def taken(wso2: Scripted, name: str) -> int:
    """Return how many deliveries WSO2 has taken for a target."""
    requests = [r for r in list(wso2.requests) if target(r) == name]
    return 0 if name in wso2.down else len({r.id for r in requests})


def target(request: Any) -> str:
    return str(request.headers["X-Cdc-Target"])


def chain(request: Any) -> str:
    return str(request.headers["X-Cdc-Chain"])


def held(line: Line) -> list[tuple[str, str, list[str]]]:
    """Return what `status` says is held back."""
    return [(row["what"], row["reason"], row["workers"]) for row in status(line)["held"]]


def status(line: Line) -> Any:
    """Return what `status` says of the workers; there is no database to ask."""
    program = line.programs.start("status", "--json")
    assert program.wait() == 3
    return json.loads(program.out.read_text())["stream"]


def metric(line: Line, name: str) -> float | None:
    """Return a figure of the worker, None while it does not answer."""
    try:
        return line.metric(name)
    except URLError:
        return None
