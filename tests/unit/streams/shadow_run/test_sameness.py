from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from streams.shadow_run.sameness import ALL, MISSING, Leniency, differing, is_same


@pytest.mark.parametrize(
    ("old", "ours", "by"),
    [
        pytest.param(Decimal("12.5"), "12.50", "numbers", id="a number and its text"),
        pytest.param(7, Decimal("7.0"), "numbers", id="an integer and a float"),
        pytest.param(False, None, "empty", id="false and null"),
        pytest.param("", None, "blank", id="an empty text and null"),
        pytest.param("2026-11-23 10:00:00", "2026-11-23T10:00:00.12Z", "datetimes", id="moments"),
        pytest.param(
            "2026-11-23T11:00:00+01:00", "2026-11-23 10:00:00", "datetimes", id="an offset"
        ),
        pytest.param([7, "Azure"], 7, "many2one", id="an id and its name"),
        pytest.param([3, 1], [1, 3], "order", id="tags"),
        pytest.param([{"a": False}], [{}], "empty", id="inside"),
    ],
)
def test_each_leniency_can_be_turned_off(old: Any, ours: Any, by: str) -> None:
    assert is_same(old, ours)
    assert is_same(old, ours, frozenset({Leniency(by)}))
    assert not is_same(old, ours, ALL - {Leniency(by)})


@pytest.mark.parametrize(
    ("old", "ours"),
    [
        pytest.param("007", "7", id="a code is no number"),
        pytest.param(True, 1, id="true is not one"),
        pytest.param(False, 0, id="false is not zero"),
        pytest.param(None, 0, id="nothing is not zero"),
        pytest.param("2026-11-23 10:00:00", "2026-11-23", id="a date is no moment"),
        pytest.param("2026-11-23T10:00:00.1Z", "2026-11-23T10:00:00.2Z", id="two fractions"),
        pytest.param("2026-13-41 10:00:00", "2026-13-41T10:00:00Z", id="no moment at all"),
        pytest.param([7, "Azure"], 8, id="another id"),
        pytest.param([7, "Azure"], [7], id="lists of another length"),
        pytest.param([], None, id="an empty list is a list"),
        pytest.param([1, 1, 2], [1, 2, 2], id="how often counts"),
        pytest.param([{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], id="objects have an order"),
    ],
)
def test_what_is_not_the_same(old: Any, ours: Any) -> None:
    assert not is_same(old, ours)


def test_differences_are_named_as_deep_as_they_lie() -> None:
    old = {"name": "S1", "lines": [{"qty": 1, "sku": "A"}, {"qty": 2}], "x": 1}
    ours = {"name": "S1", "lines": [{"qty": 1, "sku": "B"}, {"qty": 3}], "y": [1]}

    assert list(differing(old, ours)) == [
        ("lines[0].sku", "A", "B"),
        ("lines[1].qty", 2, 3),
        ("x", 1, MISSING),
        ("y", MISSING, [1]),
    ]
