"""Figures of the benchmarks, as people and programs read them."""

from __future__ import annotations

import pytest

from tests.benchmarks.figures import Figure, percentile, table

SPEED = Figure("capture", "1/s", (20_000.0, 30_000.0, 10_000.0), "20,000 or more")


@pytest.mark.parametrize(
    ("percent", "value"),
    [(50, 50.0), (99, 99.0), (100, 100.0), (0, 1.0)],
    ids=["the median", "the tail", "the largest", "the smallest"],
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, value: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], percent) == value


def test_a_figure_is_a_median_with_its_spread_and_every_run() -> None:
    found = SPEED.to_json()

    assert (found["median"], found["low"], found["high"]) == (20_000.0, 10_000.0, 30_000.0)
    assert found["runs"] == [20_000.0, 30_000.0, 10_000.0]


def test_a_table_shows_the_budget_beside_the_figures() -> None:
    head, line = table([SPEED]).splitlines()

    assert head.split() == ["median", "low", "high", "runs", "unit", "budget"]
    cells = ["capture", "20,000", "10,000", "30,000", "3", "1/s"]
    assert line.split() == [*cells, *SPEED.budget.split()]
