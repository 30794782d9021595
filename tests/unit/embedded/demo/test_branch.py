"""What the branch has against what it must have."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.demo.branch.questions import Difference, Held, judge

KIND = "purchase_orders"


def order(*prices: str) -> dict[str, Any]:
    return {"state": "purchase", "lines": [{"price": price} for price in prices]}


def judged(wanted: dict[str, Any], held: dict[str, Held]) -> Difference:
    return judge({KIND: wanted}, {KIND: held}, [])


def test_equal_orders_are_clean_and_counted() -> None:
    found = judged(
        {"a": order("1.0", "2.0"), "b": order()},
        {"a": Held(order("1.00", "2.00"), over=False), "b": Held(order(), over=False)},
    )

    assert (found.comparison.lost, found.comparison.different, found.double) == (0, [], [])
    assert found.counts == {KIND: 2, "purchase_order_lines": 2}


def test_what_is_cancelled_may_stay_where_it_is_not_wanted() -> None:
    found = judged({}, {"a": Held(order(), over=True)})

    assert (found.comparison.left, found.ended) == ([], 1)


def test_what_is_not_cancelled_although_it_is_wanted_no_more_is_told() -> None:
    assert judged({}, {"a": Held(order(), over=False)}).comparison.left == [f"{KIND} a"]


def test_what_is_cancelled_although_it_is_wanted_is_different() -> None:
    cancelled = Held(order() | {"state": "cancel"}, over=True)

    assert judged({"a": order()}, {"a": cancelled}).comparison.different == [f"{KIND} a"]


@pytest.mark.parametrize(
    "held",
    [order("1.0"), order("1.0", "2.0", "2.0"), order("2.0", "1.0"), order("1.0", "3.0")],
    ids=["a line less", "a line twice", "another order", "another price"],
)
def test_lines_that_are_other_than_they_must_be_are_told(held: dict[str, Any]) -> None:
    found = judged({"a": order("1.0", "2.0")}, {"a": Held(held, over=False)})

    assert found.comparison.different == [f"{KIND} a"]
