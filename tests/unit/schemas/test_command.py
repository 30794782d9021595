from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.arguments import MalformedCommand, Selection
from schemas.command import Answer, Command, Progress

ID = "odoo_a/webshop/sale.order/42/orders/6743A1F0-00000000016B3748-00000003-0000"
CHAIN = "odoo_a/webshop/sale.order/42"
COMMAND: dict[str, Any] = {
    "id": "retry-20261123T100000Z-ab12",
    "kind": "retry",
    "arguments": {"ids": [ID]},
    "who": "eve@host",
    "when": "2026-11-23T10:00:00Z",
}


def test_a_command_is_read_as_it_was_written() -> None:
    command = Command("a", "retry", {"ids": [ID]}, "Käthe", "2026-11-23T10:00:00Z", {"at": 7})

    assert Command.from_json(command.to_json()) == command


def test_people_may_write_one_by_hand() -> None:
    command = Command.from_json(json.dumps(COMMAND).encode())

    assert Selection.of(command.arguments) == Selection(ids=(ID,))


def test_of_an_unknown_kind_the_rest_is_read_so_that_it_can_be_answered() -> None:
    assert Command.from_json(json.dumps({**COMMAND, "kind": "levitate"}).encode()).id


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": "with a space"},
        {"id": "x" * 81},
        {"kind": 5},
        {"arguments": []},
        {"when": "yesterday"},
        {"who": 7},
        {"rest": "?"},
    ],
)
def test_law_10_what_is_no_command_is_refused_with_a_hint(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedCommand) as refused:
        Command.from_json(json.dumps(COMMAND | change).encode())

    assert refused.value.hint


@pytest.mark.parametrize("value", [b"", b"[]", b"[" * 100_000, b"\xff", b"null"])
def test_law_10_what_is_no_object_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedCommand):
        Command.from_json(value)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "needs"),
        ({"dry_run": True}, "needs"),
        ({"ids": ["nonsense"]}, "not the id of a delivery"),
        ({"ids": ID}, "list"),
        ({"chains": ["odoo_a/webshop/sale.order"]}, "SOURCE/TARGET/MODEL/RECORD"),
        ({"targets": ["../etc"]}, "no name"),
        ({"targets": ["a"] * 1001}, "more than 1000"),
        ({"all_dead": "yes"}, "true or false"),
        ({"all_dead": True, "older": "1h"}, "`older` is not known"),
    ],
)
def test_law_10_a_selection_says_what_is_wrong_with_it(
    arguments: dict[str, Any], why: str
) -> None:
    with pytest.raises(MalformedCommand, match=why):
        Selection.of(arguments)


@pytest.mark.parametrize(
    ("arguments", "held"),
    [
        ({"ids": [ID]}, True),
        ({"ids": [ID.replace("42", "43")]}, False),
        ({"chains": [CHAIN]}, True),
        ({"chains": ["odoo_a/webshop/sale.order/4"]}, False),
        ({"targets": ["webshop"]}, True),
        ({"targets": ["erp"]}, False),
        ({"targets": ["erp"], "ids": [ID]}, True),
        ({"all_dead": True}, True),
        ({"all_dead": True, "targets": ["erp"]}, False),
    ],
)
def test_a_selection_holds_what_any_name_matches(arguments: dict[str, Any], *, held: bool) -> None:
    selection = Selection.of(arguments)

    assert selection.holds(ID, "webshop") is held
    assert Selection.of(selection.to_fields()) == selection


def test_an_answer_is_read_as_it_was_written() -> None:
    answer = Answer("a", "retry", 3, Progress.DOING, {"now": 2}, [(ID, "now")], "", "2026")

    assert Answer.from_json(answer.to_json()) == answer
