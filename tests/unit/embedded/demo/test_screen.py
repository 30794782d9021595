"""What people see of the demo."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from embedded.demo.figures import Figures, Lasting, sums
from embedded.demo.screen import Pictures, Plain, Rates, choose, counters, standing

FIGURES = Figures(
    behind=1_234,
    events=7,
    deliveries=6,
    acknowledgements=5,
    dead=0,
    unread=1,
    waiting=2,
    retries=3,
    superseded=8,
    shop={
        "accepted": 4,
        "duplicates": 1,
        "latency_ms": {"recent_p50": 81.4, "recent_p99": 250.0},
    },
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
        )
    )


def test_counters_follow_the_data(load: Any) -> None:
    assert [count for _, count in counters(load, FIGURES)] == [9, 7, 6, 4, 8, 0, 5, 3, 1]


def test_what_nobody_answered_is_left_out() -> None:
    assert standing(Figures()) == ""
    assert standing(FIGURES) == (
        "waiting 2, WAL behind 1,234 bytes, commit to webshop p50 81 ms, p99 250 ms"
    )


def test_what_waits_is_not_forgotten_while_the_worker_is_away() -> None:
    assert standing(Figures(last_waiting=95)) == "waiting 95 when the worker was last asked"


def test_counters_go_on_over_the_lives_of_a_program() -> None:
    counted = Lasting()

    counted.note(11, {"retries_total": 60.0})
    counted.note(11, {"retries_total": 63.0})
    counted.note(12, {"superseded_total": 2.0})
    counted.note(13, {"retries_total": 7.0})

    assert (counted.total("retries_total"), counted.total("superseded_total")) == (70, 2)


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
    assert "commits 9, events 7" in lines[1]
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

    for word in ("second", "postgres", "runs", "synapse", "away", "commits"):
        assert word in shown


def test_downloads_are_bars_in_the_picture() -> None:
    shown = drawn(lambda screen: (screen.download("kafka", 7, 45), screen.say("waits")))

    for word in ("kafka", "7/45", "waits"):
        assert word in shown


def drawn(draw: Callable[[Pictures], object]) -> str:
    """Return the last picture of a terminal."""
    written = io.StringIO()
    with Pictures(Console(file=written, force_terminal=True, width=120, height=40)) as screen:
        draw(screen)
    return written.getvalue()


def test_a_terminal_gets_pictures_and_a_file_lines() -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True)

    assert isinstance(choose(terminal, print), Pictures)
    assert isinstance(choose(Console(file=io.StringIO()), print), Plain)


def test_metrics_are_summed_over_their_labels() -> None:
    text = """
# HELP odoo_cdc_stream_waiting deliveries that are not final
odoo_cdc_stream_waiting{target="a",state="sent"} 2
odoo_cdc_stream_waiting{target="b",state="sent"} 3
odoo_cdc_stream_gate_open 1
another_program 7
"""

    assert sums(text) == {"waiting": 5.0, "gate_open": 1.0}
