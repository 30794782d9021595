"""What the webshop holds against what it must hold."""

from __future__ import annotations

from typing import Any

from embedded.demo.questions import compare


def held(**records: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    return {"orders": records}


def test_equal_records_are_clean() -> None:
    found = compare(held(a={"total": "1.0"}, b={}), held(a={"total": "1.0"}, b={}))

    assert (found.records, found.lost, found.different) == (2, 0, [])


def test_what_never_came_and_what_should_be_gone_is_lost() -> None:
    found = compare(held(a={}, b={}), held(b={}, c={}))

    assert (found.missing, found.left, found.lost) == (["orders a"], ["orders c"], 2)


def test_a_route_that_sent_nothing_is_missing() -> None:
    assert compare(held(a={}), {}).missing == ["orders a"]


def test_a_field_that_differs_is_told() -> None:
    assert compare(held(a={"name": "x"}), held(a={"name": "y"})).different == ["orders a"]
    assert compare(held(a={"name": None}), held(a={})).different == ["orders a"]


def test_numbers_are_compared_as_numbers_where_they_are_numbers() -> None:
    lines = held(a={"lines": [{"price": "100.0"}]}), held(a={"lines": [{"price": "100.00"}]})

    assert compare(*lines).different == []
    assert compare(held(a={"name": "1.0"}), held(a={"name": "1.00"})).different == ["orders a"]
    assert compare(held(a={"total": "1.0"}), held(a={"total": "1.1"})).different == ["orders a"]
    assert compare(held(a={"total": "1"}), held(a={"total": "none"})).different == ["orders a"]


def test_the_order_of_lists_counts() -> None:
    found = compare(held(a={"tags": ["x", "y"]}), held(a={"tags": ["y", "x"]}))

    assert found.different == ["orders a"]
