"""What another file would send, asked with the command; nothing is sent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.streaming import Line

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES = """
routes:
  - name: orders
    model: sale.order
    domain: [[state, "=", sale]]
    targets: [shop]
    fields: [name]
"""
WIDER = """
routes:
  - {name: orders, model: sale.order, targets: [shop], map: {number: name}}
"""


@pytest.fixture
def line(kafka: Kafka, kafka_prefix: str, tmp_path: Path) -> Iterator[Line]:
    config = {"wso2": "http://127.0.0.1:9/", "targets": ["shop"], "routes": ROUTES}
    with Line(tmp_path, kafka.bootstrap, kafka_prefix, config) as made:
        made.change(1, "S00001")
        made.change(2, "S00002", state="draft")
        made.change(2, "S00003", state="draft")
        made.flush()
        yield made


def other(line: Line, routes: str, **changes: str) -> Path:
    """Write another file beside the one at hand."""
    text = line.programs.config.read_text(encoding="utf-8")
    before = text[: text.index("routes:")] + routes.strip()
    for old, new in changes.items():
        before = before.replace(old, new)
    path = line.programs.config.with_name("new.yaml")
    path.write_text(before + "\n", encoding="utf-8")
    return path


def asked(line: Line, *words: str) -> dict[str, Any]:
    done = line.programs.run("preview", "--json", *words)
    said: dict[str, Any] = json.loads(done.out.read_text(encoding="utf-8"))
    return said


def test_counts_come_first_then_what_differs_and_who_enters(line: Line) -> None:
    path = str(other(line, WIDER))

    said = asked(line, "--with", path)

    assert said["events"] == 3
    (route,) = said["routes"]
    assert (route["different"], route["only_new"], route["same"]) == (1, 2, 0)
    assert (route["entering"], route["leaving"]) == ([2], [])
    first = said["differences"][0]
    assert first["record"] == 1
    assert first["old"]["fields"] == {"name": "S00001"}
    assert first["new"]["fields"] == {"number": "S00001"}

    text = line.programs.run("preview", "--with", path, "--show", "1")
    shown = text.out.read_text(encoding="utf-8")
    assert shown.startswith("3 events, committed ")
    assert '- fields.name: "S00001"' in shown
    assert '+ fields.number: "S00001"' in shown
    assert "2 more deliveries differ: --show 3, or --json" in shown
    assert "\x1b" not in shown  # no colours in a file


def test_the_same_file_differs_in_nothing_and_the_latest_are_enough(line: Line) -> None:
    same = line.programs.config.with_name("same.yaml")
    shutil.copy(line.programs.config, same)

    said = asked(line, "--with", str(same), "--last", "2")

    assert said["events"] == 2
    assert said["differences"] == []


@pytest.mark.parametrize(
    ("routes", "words", "code", "says"),
    [
        (WIDER.replace("name}", "nothing}"), [], 0, "unknown"),
        (WIDER.replace("name}", "{path: name, lang: fr_FR}}"), [], 2, "routes[0].map.number"),
        (WIDER, ["--model", "sale.ordr"], 2, 'did you mean "sale.order"?'),
        (WIDER.replace("[shop]", "[shp]"), [], 2, 'did you mean "shop"?'),
        (WIDER.replace("sale.order", "res.partner"), ["--model", "res.partner"], 1, "no events"),
    ],
    ids=["not shown", "unfit", "model", "target", "no events"],
)
def test_law_10_what_cannot_be_compared_is_said(
    line: Line, routes: str, words: list[str], code: int, says: str
) -> None:
    path = other(line, routes)

    done = line.programs.start("preview", "--with", str(path), *words)

    assert done.wait() == code
    assert says in done.tail() + done.out.read_text(encoding="utf-8")


def test_law_10_a_file_of_another_source_is_refused(line: Line) -> None:
    path = other(line, WIDER, **{line.topics.source: "elsewhere"})

    done = line.programs.start("preview", "--with", str(path))

    assert done.wait() == 2
    assert f"of source elsewhere, not of {line.topics.source}" in done.tail()
