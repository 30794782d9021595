"""What people see of the demo."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from embedded.demo.figures import Figures, Side
from embedded.demo.screen import (
    Pictures,
    Plain,
    Rates,
    choose,
    counters,
    of_target,
    sides,
    standing,
)

FIGURES = Figures(
    behind=1_234,
    events=7,
    unread=1,
    kept=12,
    webshop=Side(
        deliveries=6,
        taken=4,
        acknowledgements=5,
        duplicates=1,
        retries=3,
        superseded=8,
        waiting=2,
        latency={"recent_p50": 81.4, "recent_p99": 250.0},
    ),
    branch=Side(deliveries=21, taken=20, last_waiting=1),
)


@pytest.fixture
def load() -> Any:
    return SimpleNamespace(commits=9)


@pytest.fixture
def stage() -> Any:
    return SimpleNamespace(
        services=(
            SimpleNamespace(name="postgres", running=True, pid=11),
            SimpleNamespace(name="synapse", running=False, pid=0),
        ),
        branch=SimpleNamespace(kind="stand-in"),
    )


def test_counters_follow_the_data(load: Any) -> None:
    assert [count for _, count in counters(load, FIGURES)] == [9, 7, 12]
    assert [count for _, count in of_target(FIGURES.webshop)] == [6, 4, 8, 0, 5, 3, 1]


def test_a_stand_in_is_called_one_and_a_real_odoo_by_its_version(stage: Any) -> None:
    assert [name for name, _ in sides(stage, FIGURES)] == ["webshop", "branch (stand-in for Odoo)"]

    stage.branch.kind = "odoo 18.0"

    assert sides(stage, FIGURES)[1][0] == "branch (Odoo 18.0)"


def test_what_nobody_answered_is_left_out() -> None:
    assert standing(Side()) == ""
    assert standing(FIGURES.webshop) == "waiting 2, from the commit p50 81 ms, p99 250 ms"


def test_what_waits_is_not_forgotten_while_the_worker_is_away() -> None:
    assert standing(FIGURES.branch) == "waiting 1 when the worker was last asked"


def test_all_is_settled_when_nothing_waits_for_either_target() -> None:
    calm = Figures(unread=0, webshop=Side(waiting=0), branch=Side(waiting=0))

    assert calm.settled
    assert not replace(calm, branch=Side(waiting=1)).settled
    assert not replace(calm, webshop=Side(waiting=None)).settled
    assert not replace(calm, unread=1).settled


def test_rates_look_back_over_a_window() -> None:
    rates = Rates(window=5.0)

    assert rates.of("x", 10, 100.0) == 0.0
    assert rates.of("x", 30, 102.0) == 10.0
    assert rates.of("x", 30, 107.0) == 0.0
    assert rates.of("y", 5, 107.0) == 0.0


def test_plain_lines_say_what_is_away_and_not_too_often(stage: Any, load: Any) -> None:
    lines: list[str] = []
    with Plain(lines.append) as screen:
        screen.say("begun")
        screen.show(stage, load, FIGURES)
        screen.show(stage, load, FIGURES)

    assert len(lines) == 2
    assert lines[0].endswith("begun")
    assert "commits 9, events 7, records in the branch 12; webshop deliveries 6" in lines[1]
    assert "branch (stand-in for Odoo) deliveries 21, taken 20" in lines[1]
    assert lines[1].endswith("away: synapse")


def test_downloads_are_two_plain_lines() -> None:
    lines: list[str] = []
    with Plain(lines.append) as screen:
        for here in range(1, 46):
            screen.download("kafka", here, 45)

    assert [line.split("  ")[-1] for line in lines] == [
        "kafka: 1 of 45 jars",
        "kafka: 45 of 45 jars",
    ]


def test_the_picture_shows_every_process_and_what_was_said(stage: Any, load: Any) -> None:
    shown = drawn(lambda screen: (screen.say("first\nsecond"), screen.show(stage, load, FIGURES)))

    for word in (
        "second",
        "postgres",
        "runs",
        "synapse",
        "away",
        "commits",
        "(stand-in for Odoo)",
        "waiting 2",
    ):
        assert word in shown


def test_downloads_are_bars_in_the_picture() -> None:
    shown = drawn(lambda screen: (screen.download("kafka", 7, 45), screen.say("waits")))

    for word in ("kafka", "7/45", "waits"):
        assert word in shown


def test_a_narrow_picture_names_what_is_away_and_cuts_nothing(stage: Any, load: Any) -> None:
    shown = drawn(lambda screen: screen.show(stage, load, FIGURES), width=80)

    for word in ("acknowledgements", "(stand-in for Odoo)", "2 processes, away: synapse"):
        assert word in shown
    assert "…" not in shown


def drawn(draw: Callable[[Pictures], object], width: int = 120) -> str:
    """Return the last picture of a terminal."""
    written = io.StringIO()
    terminal = Console(file=written, force_terminal=True, width=width, height=40)
    with Pictures(terminal) as screen:
        draw(screen)
    return written.getvalue()


def test_a_terminal_gets_pictures_and_a_file_lines() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)

    assert isinstance(choose(terminal, print), Pictures)
    assert isinstance(choose(Console(file=io.StringIO()), print), Plain)
