"""What the index reads, and when it begins anew."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.config import Config, load
from streams.index.store import Index
from streams.kafka.scan import Reach
from streams.queries import catalogue
from streams.queries.catalogue import catalogue as opened
from tests.programs import sync_yaml

ROUTES = "routes: [{name: orders, model: sale.order, targets: [shop], fields: [name]}]"


class Offsets:
    """A Kafka whose topics have an id, and as many records each."""

    def __init__(self) -> None:
        self.name, self.end = "one", 0

    def ids(self, topics: Any) -> dict[str, str]:
        return dict.fromkeys(topics, self.name)

    def bounds(self, parts: Any) -> dict[Any, tuple[int, int]]:
        return dict.fromkeys(parts, (0, self.end))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    text = sync_yaml(source="odoo_a", dsn="host=x", kafka="x:1", targets=["shop"], routes=ROUTES)
    (tmp_path / "sync.yaml").write_text(text)
    return load(tmp_path / "sync.yaml")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    words: list[str] = []
    monkeypatch.setattr(catalogue, "_say", words.append)
    monkeypatch.setattr(catalogue, "scan", lambda *_: iter([([], Reach())]))
    return words


def reached(config: Config, offsets: Offsets) -> None:
    """Look once, as if everything had been read."""
    with opened(config, offsets) as index:  # type: ignore[arg-type]
        mark(index, offsets)


def mark(index: Index, offsets: Offsets) -> None:
    for topic in ("ledger", "retries", "dead", "responses"):
        index.take(catalogue.Kind(topic), f"odoo_a.{topic}", 0, [], (offsets.end, offsets.name))


def test_topics_that_were_made_anew_are_read_from_their_beginning(
    config: Config, said: list[str]
) -> None:
    offsets = Offsets()
    offsets.end = 5
    reached(config, offsets)
    offsets.name, offsets.end = "two", 9

    with opened(config, offsets) as index:  # type: ignore[arg-type]
        assert index.reach("odoo_a.ledger", 0)[0] == 0

    assert "was made anew" in said[0]


def test_a_topic_that_ends_before_what_was_read_is_another_one(
    config: Config, said: list[str]
) -> None:
    offsets = Offsets()
    offsets.end = 5
    reached(config, offsets)
    offsets.end = 3

    with opened(config, offsets):  # type: ignore[arg-type]
        assert "was made anew" in said[0]


def test_after_a_day_without_a_look_tombstones_may_be_gone(
    config: Config, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets = Offsets()
    reached(config, offsets)
    now = time.time()
    monkeypatch.setattr(catalogue.time, "time", lambda: now + 21 * 3600)

    with opened(config, offsets):  # type: ignore[arg-type]
        assert "nobody has looked for a day" in said[0]
