"""What arrives at the target service: a delivery, or a reason why it is none."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.applying.incoming import NotOurs, of, read
from tests.target_messages import message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
)


def test_a_message_of_ours_is_read() -> None:
    said = message("sale.order", 42, {"name": "S42"}, target_model="purchase.order")

    found = read(json.dumps(said).encode())

    assert found.id == said["id"]
    assert (found.source, found.route, found.model) == ("odoo_a", "r", "purchase.order")
    assert (found.key, found.operation) == ("odoo_a.sale_order_42", "update")
    assert found.fields == {"name": "S42"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": NaN}', "NaN is no number"),
        (b"[]", "no JSON object"),
        (b"{}", "no `id`"),
        (b'{"id": 7}', "no `id`"),
        (b'{"id": "nothing"}', "not the id of a delivery"),
        (b'{"id": "a/b/c/1/r/x"}', "no sequence"),
    ],
)
def test_what_is_none_of_ours_is_named(body: bytes, why: str) -> None:
    with pytest.raises(NotOurs, match=why):
        read(body)


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ("data", None, "`data` is missing"),
        ("data.fields", [], "`fields` is missing, or is no JSON object"),
        ("data.record.operation", "drop", "`operation` is none of create, update, leave, delete"),
        ("data.record.key", "../etc", "`key` is not of the right form"),
        ("data.record.key", "a.b\nc", "`key` is not of the right form"),
        ("data.record.target_model", "x; drop", "`target_model` is not of the right form"),
        ("data.record.external_id", "base", "`external_id` is not of the right form"),
        ("time", 5, "`time` is missing, or is no text"),
    ],
)
def test_what_is_missing_or_of_another_form_is_named(place: str, value: Any, why: str) -> None:
    said = message("res.partner", 1, {})
    *steps, last = place.split(".")
    inside: Any = said
    for step in steps:
        inside = inside[step]
    inside[last] = value

    with pytest.raises(NotOurs, match=why) as raised:
        of(said)

    assert raised.value.delivery == said["id"]


def test_what_is_nested_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"x": [deep]}

    with pytest.raises(NotOurs, match="levels deep"):
        of(message("res.partner", 1, {"x": deep}))


@pytest.mark.parametrize("place", ["value", "name", "external_id"])
def test_half_a_character_is_refused(place: str) -> None:
    texts = dict.fromkeys(("value", "name", "external_id"), "a.b") | {place: "a.\ud800"}
    fields = {texts["name"]: [texts["value"]]}
    said = message("res.partner", 1, fields, external_id=texts["external_id"])

    with pytest.raises(NotOurs, match="surrogate") as raised:
        read(json.dumps(said).encode())

    assert raised.value.delivery == said["id"]


@given(JSON)
def test_whatever_is_said_is_read_or_refused(said: Any) -> None:
    with suppress(NotOurs):
        assert of(said).id


@given(st.binary())
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    with suppress(NotOurs):
        assert read(body).id
