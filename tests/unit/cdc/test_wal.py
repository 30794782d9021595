"""WAL that is held: how fast it grows, when that ends."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.checks.wal import findings
from cdc.notes import PROGRESS
from cdc.shadow.look import Seen
from cdc.status import growth
from cdc.wal import Gauge, Growth, SlotReleased, in_words, room, warnings
from schemas.position import Lsn
from tests.source_facts import MEGABYTE, SLOT

GIGABYTE = 1024 * MEGABYTE


def test_what_is_left_is_the_nearer_of_both_limits() -> None:
    slot = replace(SLOT, wal_held=6 * GIGABYTE, safe_wal_size=3 * GIGABYTE)

    assert room(slot, 0) == 3 * GIGABYTE
    assert room(slot, 8 * GIGABYTE) == 2 * GIGABYTE
    assert room(slot, 5 * GIGABYTE) == 0
    assert room(replace(slot, safe_wal_size=None), 0) is None


@given(
    st.floats(60, 1e6), st.integers(0, 1 << 50), st.integers(0, 1 << 50), st.integers(0, 1 << 50)
)
def test_what_grows_on_as_it_did_has_used_the_room_when_it_is_said_to_be_gone(
    seconds: float, then: int, now: int, left: int
) -> None:
    found = Growth.between((0.0, then), (seconds, now))

    assert found is not None
    ends = found.seconds_to(left)
    assert (ends is None) is (now <= then)
    if ends is not None:
        assert (now - then) / seconds * ends == pytest.approx(left)


def test_two_looks_near_to_each_other_say_nothing() -> None:
    assert Growth.between((0.0, 0), (59.0, GIGABYTE)) is None


@pytest.mark.parametrize(
    ("seconds", "said"), [(1_800.0, "30 min"), (3_600.0, "1 h"), (10_900.0, "3 h")]
)
def test_a_time_is_said_in_words(seconds: float, said: str) -> None:
    assert in_words(seconds) == said


def test_status_tells_the_hours_until_a_slot_that_nobody_confirms_is_gone() -> None:
    # An hour ago everything was durable at 1 GiB; since then a GiB was written.
    seen = Seen({PROGRESS: {"at": 0.0, "lsn": GIGABYTE}}, 0)
    slot = replace(
        SLOT, confirmed_flush_lsn=Lsn(GIGABYTE), lag=GIGABYTE, safe_wal_size=3 * GIGABYTE
    )

    found = growth(seen, slot, 3600.0)

    assert found == Growth(GIGABYTE)
    (said,) = warnings(slot, 0, found)
    assert "1024 MiB of WAL are written an hour: at this rate the slot is gone in 3 h" in said
    assert growth(seen, slot, 30.0) is None, "a moment ago: it goes on"
    assert growth(None, slot, 3600.0) is None, "another host has the shadow"


@pytest.mark.parametrize(("held", "warned"), [(9, False), (11, True)])
def test_law_1_status_warns_from_half_of_what_the_file_allows(held: int, *, warned: bool) -> None:
    slot = replace(SLOT, wal_held=held * GIGABYTE)

    found = list(warnings(slot, 20 * GIGABYTE, None))

    assert bool(found) is warned
    assert all("11264 of the 20480 MiB" in each for each in found)
    assert not list(warnings(slot, 0, None))


def test_above_the_limit_of_the_file_the_slot_is_to_be_dropped_and_not_below() -> None:
    gauge = Gauge(20 * GIGABYTE)
    gauge.see(replace(SLOT, wal_held=20 * GIGABYTE), 0.0)

    with pytest.raises(SlotReleased, match=r"20481 MiB of WAL, more than source\.stop_at_wal"):
        gauge.see(replace(SLOT, wal_held=20 * GIGABYTE + MEGABYTE), 5.0)

    Gauge(0).see(replace(SLOT, wal_held=1 << 50), 0.0)  # nobody asked for it


def test_half_of_it_raises_the_alarm_once_until_there_is_more_room_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gauge = Gauge(10 * GIGABYTE)
    with caplog.at_level(logging.WARNING):
        for at, held in enumerate((4, 6, 7, 4, 6)):
            gauge.see(replace(SLOT, wal_held=held * GIGABYTE), 120.0 * at)

    assert [record.__dict__["alarm"] for record in caplog.records] == ["wal_held"] * 2
    assert "at this rate in 4 min" in caplog.records[0].getMessage()
    assert gauge.hourly == 15 * GIGABYTE
    assert gauge.seconds_left == pytest.approx(960)


@pytest.mark.parametrize(
    ("stop_at", "keep", "said"),
    [
        (0, None, []),
        (20 * GIGABYTE, None, []),
        (20 * GIGABYTE, 50 * GIGABYTE, []),
        (50 * GIGABYTE, 50 * GIGABYTE, ["never reached"]),
        (100 * MEGABYTE, None, ["soon held"]),
    ],
)
def test_a_limit_that_does_no_good_is_warned_of(
    stop_at: int, keep: int | None, said: list[str]
) -> None:
    found = list(findings(stop_at, keep))

    assert [each.level for each in found] == ["warning"] * len(said)
    assert all(text in each.message for each, text in zip(found, said, strict=True))
