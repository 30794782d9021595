"""What `status` says of what is held back."""

from __future__ import annotations

from schemas.arguments import Subject
from schemas.config import Window
from streams.chains.pause import Pause
from streams.queries.held import held
from streams.sending.holds import Hold, Reason, from_json, to_json

NOW = 1_800_000_000.0  # 08:00 UTC


def test_a_target_that_several_workers_found_failing_is_one_row() -> None:
    said = {
        "two": [Hold(Reason.BREAKER, "shop", "shop fails: timeout", NOW - 10)],
        "one": [Hold(Reason.BREAKER, "shop", "shop fails: 503", NOW - 5)],
    }

    (row,) = held({}, said, NOW)

    assert row == {
        "what": "shop",
        "reason": "breaker",
        "since": "2027-01-15T07:59:50.000000Z",
        "until": None,
        "workers": ["one", "two"],
        "why": "shop fails: 503",
    }


def test_a_closed_window_is_told_by_the_clock_and_wso2_is_about_all_targets() -> None:
    closed, opened = Window.parse("09:00-10:00 UTC"), Window.parse("07:00-10:00 UTC")
    assert closed is not None
    assert opened is not None
    said = {"one": [Hold(Reason.WSO2, "", "away", NOW)]}

    rows = held({"shop": closed, "erp": opened}, said, NOW)

    assert [(row["what"], row["reason"], row["until"]) for row in rows] == [
        ("all targets", "wso2", None),
        ("shop", "window", "2027-01-15T09:00:00.000000Z"),
    ]


def test_what_operators_have_paused_says_since_when_and_by_whom() -> None:
    pauses = [
        Pause(Subject("target", "shop"), NOW, "eve@host"),
        Pause(Subject("route", "orders"), NOW, "bob@host", draining=True),
    ]

    rows = held({}, {}, NOW, pauses)

    assert [(row["what"], row["reason"], row["why"]) for row in rows] == [
        ("route orders", "draining", "paused by bob@host once it is drained"),
        ("shop", "paused", "paused by eve@host"),
    ]
    assert {row["since"] for row in rows} == {"2027-01-15T08:00:00.000000Z"}


def test_what_a_worker_writes_is_read_back() -> None:
    holds = [Hold(Reason.BREAKER, "shop", "shop fails: é", NOW, None), Hold(Reason.WSO2, "", "x")]

    assert from_json(to_json("one", holds, "0123456789abcdef")) == holds
