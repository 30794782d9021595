"""What the demo reads of topics, target by target."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from embedded.demo.tail import Tail, target_of
from schemas.topics import Topics

TOPICS = Topics("demo")
CHAIN = b"demo/branch/sale.order/7"


class Kafka:
    """A consumer of what a test has written."""

    def __init__(self) -> None:
        self.records: list[Any] = []

    def assign(self, places: object) -> None:
        pass

    def consume(self, most: int, wait: float) -> list[Any]:
        found, self.records = self.records[:most], self.records[most:]
        return found

    def write(self, topic: str, key: bytes | None, value: bytes | None = b"{}") -> None:
        said = {"topic": topic, "key": key, "value": value, "error": None}
        self.records.append(
            SimpleNamespace(**{name: lambda it=it: it for name, it in said.items()})
        )

    def deliver(self, target: str, committed: str, state: str = "delivered") -> None:
        times = {"committed": committed, "delivered": "2026-11-23T10:00:01.500000Z"}
        value = json.dumps({"state": state, "times": times}, separators=(",", ":"))
        self.write(TOPICS.ledger, f"demo/{target}/sale.order/7/r/1".encode(), value.encode())


@pytest.fixture
def kafka() -> Kafka:
    return Kafka()


@pytest.fixture
def tail(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> Tail:
    monkeypatch.setattr("embedded.demo.tail.Consumer", lambda _: kafka)
    return Tail("127.0.0.1:1", TOPICS, range(4))


def test_words_and_dead_letters_are_counted_by_target(tail: Tail, kafka: Kafka) -> None:
    kafka.write(TOPICS.responses, CHAIN)
    kafka.write(TOPICS.responses, CHAIN)
    kafka.write(TOPICS.responses, b"demo/webshop/sale.order/7")
    kafka.write(TOPICS.dead, CHAIN)
    kafka.write(TOPICS.responses, None)

    tail.read()

    assert (tail.acknowledgements("branch"), tail.acknowledgements("webshop")) == (2, 1)
    assert (tail.dead("branch"), tail.dead("webshop")) == (1, 0)


def test_latency_is_of_what_was_committed_while_it_is_measured(
    tail: Tail, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_795_428_000.0)  # 2026-11-23 10:00:00 UTC
    kafka.deliver("branch", "2026-11-23T10:00:01.000000Z")
    tail.read()
    assert tail.latency("branch")["recent_p50"] is None

    tail.live()
    kafka.deliver("branch", "2026-11-23T10:00:01.200000Z")
    kafka.deliver("branch", "2026-11-23T09:59:00.000000Z")
    kafka.deliver("branch", "2026-11-23T10:00:01.000000Z", state="accepted")
    kafka.write(TOPICS.ledger, b"demo/branch/sale.order/7/r/1", None)
    tail.read()

    assert tail.latency("branch")["recent_p50"] == 300.0
    assert tail.latency("branch")["recent_p99"] == 300.0
    assert tail.latency("webshop")["recent_p50"] is None


@pytest.mark.parametrize(
    ("key", "target"),
    [
        (CHAIN, "branch"),
        ("demo/webshop/res.partner/1/r/2", "webshop"),
        (b"other", ""),
        (None, ""),
    ],
    ids=["chain", "id", "neither", "none"],
)
def test_a_key_names_its_target(key: bytes | str | None, target: str) -> None:
    assert target_of(key) == target
