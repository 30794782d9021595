"""docs/messages.md: its examples are what is sent, its tables what is understood."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas import acknowledgement
from schemas.config import load
from schemas.delivery import Delivery
from schemas.document import Read
from schemas.event import Document
from schemas.position import Lsn, Position
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable, of_answer
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from streams.wso2.sender import headers_of
from tests.documents import behind, event_of, order, record, shape_of
from tests.programs import sync_yaml

PAGE = (Path(__file__).parents[3] / "docs" / "messages.md").read_text(encoding="utf-8")
SHAPE = shape_of([Read(p) for p in ("name", "state", "amount_total", "partner_id.name")])


def block(kind: str, heading: str) -> str:
    """Return the first block of a kind behind a heading of the page."""
    _, _, rest = PAGE.partition(f"\n{heading}\n")
    found = re.search(rf"```{kind}\n(.*?)```", rest, re.DOTALL)
    assert found, heading
    return found[1]


def image(state: str, total: str) -> Document:
    customer = record(behind(SHAPE, "partner_id"), 7, name="Azure Interior")
    return order(SHAPE, name="S00042", state=state, amount_total=total, partner_id=customer)


CONFIRMED, CHANGED = image("sale", "100.00"), image("sale", "250.00")
EVENTS: dict[str, tuple[Document | None, Document | None, str]] = {
    "create": (image("draft", "100.00"), CONFIRMED, "7311 16B3748 1 10:00:00.123456"),
    "update": (CONFIRMED, CHANGED, "7312 16B3900 1 10:05:00.000000"),
    "leave": (CHANGED, image("cancel", "250.00"), "7320 16B3A10 2 11:00:00.000000"),
    "delete": (CHANGED, None, "7330 16B3B28 1 12:00:00.000000"),
}


@pytest.fixture
def routes(tmp_path: Path) -> Routes:
    file = tmp_path / "sync.yaml"
    text = sync_yaml(
        source="odoo_a",
        dsn="dbname=odoo",
        kafka="127.0.0.1:9092",
        targets=["webshop"],
        routes=block("yaml", "## One example of each"),
    )
    file.write_text(text, encoding="utf-8")
    return Routes.of_config(load(file))


def made(routes: Routes, operation: str) -> Delivery:
    """Return what the page's route makes of an event."""
    before, after, about = EVENTS[operation]
    transaction, lsn, ordinal, at = about.split()
    event = replace(
        event_of(before, after, SHAPE),
        transaction=int(transaction),
        position=Position(0x6743A1F0, Lsn(int(lsn, 16)), int(ordinal)),
        time=f"2026-11-23T{at}Z",
    )
    (delivery,) = dispatch(event, routes).deliveries
    return delivery


@pytest.mark.parametrize("operation", EVENTS)
def test_an_example_is_the_message_byte_for_byte_but_for_blanks(
    routes: Routes, operation: str
) -> None:
    shown = json.loads(block("json", f"### {operation}"))

    assert json.dumps(shown, separators=(",", ":")).encode() == made(routes, operation).body


def test_the_examples_sort_as_they_were_committed() -> None:
    sequences = [json.loads(block("json", f"### {name}"))["sequence"] for name in EVENTS]

    assert sequences == sorted(set(sequences))


def test_the_headers_are_those_of_the_first_attempt(routes: Routes) -> None:
    lines = block("http", "## Headers").splitlines()

    sent = headers_of(made(routes, "create"), 1)
    assert dict(line.split(": ", 1) for line in lines) == sent


def test_the_acknowledgement_is_one(routes: Routes) -> None:
    (word,) = acknowledgement.read(block("json acknowledgement", "## Acknowledgements").encode())

    assert (word.id, word.status) == (made(routes, "create").id, "delivered")


def rows(heading: str) -> list[tuple[str, ...]]:
    """Return the cells of the last table of a section."""
    section = PAGE.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    table = section.rpartition("|---|")[2]
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in table.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]


def statuses(text: str) -> list[int]:
    """Return the statuses that a cell names, a whole class by two of it."""
    found = [int(number) for number in re.findall(r"\b\d{3}\b", text)]
    classes = [int(digit) for digit in re.findall(r"\b(\d)xx\b", text)]
    return found + [digit * 100 + more for digit in classes for more in (3, 7)]


MEANINGS: dict[str, Any] = {
    "it is sent again": Unavailable,
    "all deliveries to WSO2 pause": Unauthorised,
    "dead at once": Refused,
}


def answered(status: int, body: bytes = b"{}") -> Outcome:
    return of_answer(status, body, delivery_id="a/b", now=0.0)


def test_what_an_answer_means_is_what_the_page_says() -> None:
    asked: list[int] = []
    for answer, means in rows("## A flow of your own: what the worker takes for an answer"):
        expected = [kind for text, kind in MEANINGS.items() if means.startswith(text)]
        for status in statuses(answer) if expected else []:
            assert isinstance(answered(status), expected[0]), (status, means)
            asked.append(status)

    assert len(asked) >= 17
    assert answered(202, b'{"status": "ACCEPTED", "id": "a/b"}') == Accepted()


def test_what_a_target_s_status_becomes_is_what_the_flow_says() -> None:
    root = Path(__file__).parents[3]
    flow = (root / "deploy/wso2/sequences/CdcReply.xml").read_text(encoding="utf-8")
    cases = re.findall(r'<case regex="(.*?)">\s*<property name="cdc_status" value="(\w+)"', flow)
    said = {
        status: word.strip("`").upper()
        for answer, word, _ in rows("## What a target answers")
        for status in statuses(answer)
    }

    assert {status for status, word in said.items() if word == "RETRY"} == {
        401, 408, 425, 429, 503, 507,
    }  # fmt: skip
    for status, word in said.items():
        (found,) = (value for pattern, value in cases if re.fullmatch(pattern, str(status)))
        assert found == word


def test_the_headers_of_an_answer_are_those_that_the_flow_lets_through() -> None:
    root = Path(__file__).parents[3]
    flow = (root / "deploy/wso2/sequences/CdcReply.xml").read_text(encoding="utf-8")
    properties = dict(re.findall(r'name="(\w+)" expression="\$trp:(.*?)"', flow))
    filters = re.findall(r'<filter source="\$ctx:(\w+)" regex="(.*?)">', flow)
    patterns = {properties[name]: pattern for name, pattern in filters}

    said = {name.strip("`"): holds for name, holds, _ in rows("## What it says in headers")}
    example = dict(
        line.split(": ", 1)
        for line in block("http", "## What it says in headers").splitlines()[1:]
    )

    assert set(said) == set(patterns)
    for name in ("X-Cdc-Code", "X-Cdc-Target-Id"):
        assert said[name].startswith(f"`{patterns[name]}`")
    for name, value in example.items():
        assert re.fullmatch(patterns[name].replace(r"\z", r"\Z"), value), name
