"""Values of messages as Odoo has them, and which of them are the same."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.applying.facts import Fact
from streams.applying.values import BadValue, canonical, cell, main_text, other_texts, to_odoo

CHAR = Fact("x", "char")
PRICE = Fact("x", "float", decimals=2)
NAME = Fact("x", "char", translate=True)
HTML = Fact("x", "html")
TYPES = ("char", "html", "boolean", "integer", "float", "monetary", "date", "datetime", "json")


@pytest.mark.parametrize(
    ("type_", "value", "odoo"),
    [
        ("char", "a", "a"),
        ("char", None, False),
        ("monetary", "12.50", 12.5),
        ("float", 3, 3.0),
        ("integer", 7, 7),
        ("boolean", True, True),
        ("date", "2026-11-23", "2026-11-23"),
        ("datetime", "2026-11-23T10:00:00.123456Z", "2026-11-23 10:00:00"),
        ("datetime", "2026-11-23T10:00:00Z", "2026-11-23 10:00:00"),
        ("datetime", "2026-11-23 10:00:00", "2026-11-23 10:00:00"),
    ],
)
def test_values_become_what_odoo_takes(type_: str, value: Any, odoo: Any) -> None:
    assert to_odoo(Fact("x", type_), value) == odoo


@pytest.mark.parametrize(
    ("type_", "value", "why"),
    [
        ("char", 5, "a text is wanted, not a number"),
        ("char", {"a": 1}, "a text is wanted, not keys with values"),
        ("char", "a\x00b", "zero byte"),
        ("boolean", "yes", "true or false is wanted, not a text"),
        ("boolean", 1, "true or false is wanted, not a number"),
        ("integer", True, "a whole number is wanted"),
        ("integer", 1.5, "a whole number is wanted"),
        ("integer", 2**31, "larger than Odoo's integers"),
        ("float", "abc", "not a text without one"),
        ("float", "inf", "not finite"),
        ("float", True, "a number is wanted"),
        ("date", "2026-02-30", "no such day"),
        ("date", "23.11.2026", "a date is wanted"),
        ("datetime", "2026-11-23T25:00:00Z", "no such moment"),
        ("datetime", "2026-11-23T10:00:00+02:00", "a moment in UTC is wanted"),
        ("json", {}, "type json cannot be written"),
        ("reference", "a,1", "type reference cannot be written"),
    ],
)
def test_values_that_a_field_cannot_hold_are_refused(type_: str, value: Any, why: str) -> None:
    with pytest.raises(BadValue, match=why):
        to_odoo(Fact("x", type_), value)


def test_a_selection_takes_its_own_values_alone() -> None:
    fact = Fact("type", "selection", selection=("consu", "service"))

    assert to_odoo(fact, "service") == "service"
    with pytest.raises(BadValue, match='"product" is none of its values: consu, service'):
        to_odoo(fact, "product")


def test_a_translated_field_takes_a_text_or_one_for_each_language() -> None:
    texts = {"en_US": "Desk", "fr_FR": "Bureau"}

    assert to_odoo(NAME, "Desk") == "Desk"
    assert to_odoo(NAME, texts) == texts
    with pytest.raises(BadValue, match="texts by language"):
        to_odoo(NAME, {"en_US": 5})
    assert (main_text(texts, "fr_FR"), main_text(texts, "de_DE")) == ("Bureau", "Desk")
    assert other_texts(texts, "fr_FR") == {"en_US": "Desk"}
    assert (main_text("Desk", "fr_FR"), other_texts("Desk", "fr_FR")) == ("Desk", {})


@pytest.mark.parametrize(
    ("fact", "one", "other"),
    [
        (PRICE, 12.345, 12.35),
        (PRICE, False, 0.0),
        (CHAR, False, ""),
        (Fact("x", "boolean"), False, None),
        (Fact("x", "many2many"), [2, 1], [1, 2]),
        (HTML, "plain & text", "<p>plain &amp; text</p>"),
        (HTML, '<p class="a">x</p>', '<p data-oe="1">x</p>'),
        (HTML, "<p>a  b</p>\n", "<p>a b</p>"),
        (Fact("x", "binary"), "QUJD\nREVG", "QUJDREVG"),
    ],
)
def test_what_is_the_same_to_odoo_is_the_same(fact: Fact, one: Any, other: Any) -> None:
    assert canonical(fact, one) == canonical(fact, other)


@pytest.mark.parametrize(
    ("fact", "one", "other"),
    [
        (PRICE, 12.34, 12.36),
        (CHAR, "a", "A"),
        (Fact("x", "many2many"), [1], [1, 2]),
        (HTML, "<p>a</p>", "<p>b</p>"),
        (HTML, '<a href="x">a</a>', '<a href="y">a</a>'),
        (Fact("x", "many2one"), 1, False),
        (Fact("x", "date"), "2026-11-23", "2026-11-24"),
    ],
)
def test_what_differs_differs(fact: Fact, one: Any, other: Any) -> None:
    assert canonical(fact, one) != canonical(fact, other)


@pytest.mark.parametrize(
    ("fact", "value", "text"),
    [
        (Fact("x", "boolean"), False, "0"),
        (Fact("x", "boolean"), True, "1"),
        (PRICE, 0.0, "0.0"),
        (PRICE, 1e-7, "1e-07"),
        (CHAR, False, ""),
        (Fact("x", "integer"), 0, "0"),
    ],
)
def test_cells_of_load_are_texts(fact: Fact, value: Any, text: str) -> None:
    assert cell(fact, value) == text


@given(st.sampled_from(TYPES), st.from_type(object) | st.floats() | st.text() | st.integers())
def test_any_value_is_taken_or_refused(type_: str, value: Any) -> None:
    fact = Fact("x", type_)
    found: Any = None
    with suppress(BadValue):
        found = to_odoo(fact, value)
    assert isinstance(cell(fact, found), str)
    assert canonical(fact, found) == canonical(fact, found)
