"""The hours in which a target is sent to, also on the days when clocks are put on or back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Window

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
TIMES = st.times().map(lambda t: f"{t.hour:02}:{t.minute:02}")


def window(text: str) -> Window:
    made = Window.parse(text)
    assert made is not None
    return made


def at(text: str) -> float:
    """Return a moment that is written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "moment", "is_open"),
    [
        ("22:00-06:00 Europe/Berlin", "2026-11-23 20:59:59", False),
        ("22:00-06:00 Europe/Berlin", "2026-11-23 21:00", True),
        ("22:00-06:00 Europe/Berlin", "2026-11-24 04:59:59", True),
        ("22:00-06:00 Europe/Berlin", "2026-11-24 05:00", False),
        ("22:00-06:00 Europe/Berlin", "2026-07-01 20:00", True),  # summer: UTC+2
        ("22:00-06:00 Europe/Berlin", "2026-07-02 04:00", False),
        ("09:00-17:00 UTC", "2026-07-02 08:59:59", False),
        ("09:00-17:00 UTC", "2026-07-02 09:00", True),
        ("09:00-17:00 UTC", "2026-07-02 17:00", False),
        ("00:00-00:01 UTC", "2026-07-02 00:00:59", True),
    ],
)
def test_it_is_open_from_its_first_time_on_and_before_its_second(
    text: str, moment: str, *, is_open: bool
) -> None:
    assert window(text).is_open(at(moment)) is is_open


def test_where_clocks_are_put_forward_the_missing_hour_is_left_out() -> None:
    night = window("01:30-03:30 Europe/Berlin")  # 02:00 to 03:00 is not, on March 29th, 2026

    opens = night.until(at("2026-03-29 00:00"))
    closes = night.until(opens)

    assert opens == at("2026-03-29 00:30")
    assert closes - opens == 3600
    missing = window("02:10-02:50 Europe/Berlin")
    assert missing.until(at("2026-03-28 12:00")) == at("2026-03-30 00:10")


def test_where_clocks_are_put_back_the_hour_comes_twice() -> None:
    night = window("02:10-02:50 Europe/Berlin")  # October 25th, 2026

    edges = [at("2026-10-24 12:00")]
    for _ in range(4):
        edges.append(night.until(edges[-1]))

    assert edges[1:] == [
        at("2026-10-25 00:10"),
        at("2026-10-25 00:50"),
        at("2026-10-25 01:10"),
        at("2026-10-25 01:50"),
    ]


@given(TIMES, TIMES, st.sampled_from(ZONES), st.floats(1.5e9, 2.2e9))
def test_it_stays_as_it_is_until_it_says(start: str, end: str, zone: str, moment: float) -> None:
    if start == end:
        return
    some = window(f"{start}-{end} {zone}")

    until = some.until(moment)

    assert moment < until <= moment + 2 * 86400
    assert some.is_open(until) is not some.is_open(moment)
    between = range(int(moment) + 1, int(until), 97)
    assert all(some.is_open(each) is some.is_open(moment) for each in between)


def test_no_window_is_always_open() -> None:
    assert Window.parse("") is None
