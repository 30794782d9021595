"""How fast tables are read, and what is said of it."""

from __future__ import annotations

import logging
import sys
from struct import pack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cdc.loading import ROWS, LoadRate
from cdc.pgoutput.messages import Begin
from cdc.progress import Progress
from cdc.reading import Reading
from cdc.status import transaction_of
from cdc.under_way import UnderWay, reading_text


def rows_in(rate: int, seconds: int, look: float) -> int:
    """Return how many rows may be read in a time that is looked at every `look` seconds."""
    allowed, rows, now = LoadRate(rate), 0, 1_000.0
    end = now + seconds
    while now < end:
        if allowed.may_read(now):
            rows += allowed.rows
        now += look
    return rows


def test_a_rate_is_kept_however_seldom_it_is_looked_at() -> None:
    for rate in (1, 300, 5_000, 17_000):
        for look in (0.01, 0.25):
            found = rows_in(rate, 100, look)
            assert 0.97 * 100 * rate <= found <= 1.03 * 100 * rate + 2 * rate, (rate, look)


def test_without_a_rate_it_reads_as_fast_as_it_is_asked() -> None:
    assert rows_in(0, 10, 0.5) == 20 * ROWS


def test_a_range_of_a_slow_load_has_no_more_rows_than_a_second() -> None:
    assert [LoadRate(rate).rows for rate in (0, 7, 4_999, 5_001, 10**6)] == [
        *(ROWS, 7, 4_999, ROWS, ROWS)
    ]


def test_what_a_long_pause_missed_is_not_made_up_for() -> None:
    rate = LoadRate(1_000)
    assert rate.may_read(0.0)
    allowed = sum(rate.may_read(3_600.0) for _ in range(10))
    assert allowed <= 2


def test_the_rate_is_what_was_read_since_the_first_range() -> None:
    reading = Reading(rows=10_000, of=30_000)
    for second in range(5):
        reading.took(2_000, 30_000, 50.0 + second)
    assert (reading.rows, reading.of, reading.rate) == (20_000, 30_000, 2_000.0)
    assert reading.seconds_left == 5.0


def test_more_rows_than_were_estimated_are_not_more_than_all() -> None:
    reading = Reading()
    reading.took(5_000, 100, 1.0)
    assert (reading.of, reading.seconds_left) == (5_000, None)


def test_a_kill_keeps_what_was_read_and_a_second_load_begins_at_nothing() -> None:
    progress = Progress({"res_partner": None})
    progress.read("res_partner", 5_000, 9_000, 1.0)
    progress.loaded("res_partner", (5_000,))

    again = Progress.from_json(progress.to_json())
    again.read("res_partner", 1_000, 9_000, 7.0)
    assert again.reading["res_partner"].rows == 6_000

    again.loaded("res_partner", None)
    assert not again.reading
    again.frontiers["res_partner"] = None
    again.read("res_partner", 10, 9_000, 8.0)
    assert again.reading["res_partner"].rows == 10


def test_the_bar_says_how_far_it_is() -> None:
    progress = Progress({"res_partner": (5,), "sale_order": None})
    assert reading_text(progress) == ""
    progress.reading["res_partner"] = Reading(25_000, 100_000, 5_000.0)
    assert reading_text(progress) == (
        "reading res_partner [######..................]  25% 25,000 of about 100,000 rows,"
        " 5,000 rows/s, 15 s left; tables behind it: 1"
    )
    progress.reading["res_partner"] = Reading(25_000)
    assert reading_text(progress) == "reading res_partner 25,000 rows; tables behind it: 1"


class Part:
    """What is looked at: a stream, an epoch, a fold; and how often half of it was made durable."""

    def __init__(self) -> None:
        self.progress = Progress({"res_partner": (5,)})
        self.begin: Begin | None = None
        self.row = b"w" + pack(">QQq", 0x1500, 0x1500, 0) + b"U" + pack(">I", 7)
        self.readers = {pack(">I", 7): SimpleNamespace(plan=SimpleNamespace(name="res_partner"))}
        self.count = 4_711
        self.left = 0

    def leave(self) -> None:
        self.left += 1


def looking(part: Part) -> UnderWay:
    return UnderWay(cast("Any", SimpleNamespace(stream=part, epoch=part, fold=part)))


def test_a_terminal_has_a_bar_that_what_is_logged_goes_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    part = Part()
    under_way = looking(part)
    part.progress.reading["res_partner"] = Reading(50, 100)
    under_way.look(1.0)
    part.progress.loaded("res_partner", None)
    under_way.look(2.0)
    bar = "reading res_partner [############............]  50% 50 of about 100 rows"
    assert capsys.readouterr().err == f"\r\033[K{bar}\r\033[K"


def test_a_log_has_a_line_now_and_then_where_it_takes_long(
    caplog: pytest.LogCaptureFixture,
) -> None:
    part = Part()
    under_way = looking(part)
    with caplog.at_level(logging.INFO):
        for second in range(25):
            part.progress.reading["res_partner"] = Reading(second)
            under_way.look(float(second))
    assert [record.getMessage() for record in caplog.records] == [
        "reading res_partner 10 rows",
        "reading res_partner 20 rows",
    ]


def test_a_transaction_that_takes_long_is_told_and_what_was_before_it_is_durable() -> None:
    part = Part()
    under_way = looking(part)
    part.begin = Begin(0x2000, 0, 77)
    for second in range(5):
        under_way.look(float(second))
    assert (part.left, part.progress.transaction) == (0, None)
    for second in range(5, 12):
        under_way.look(float(second))
    assert part.left == 2
    assert part.progress.transaction == {
        "id": 77,
        "commit_lsn": "0/2000",
        "committed": "2000-01-01T00:00:00.000000Z",
        "read_lsn": "0/1500",
        "table": "res_partner",
        "rows": 4_711,
    }
    told = part.progress.to_json()
    assert transaction_of({**told, "lsn": 0x1FFF}) == part.progress.transaction
    assert transaction_of({**told, "lsn": 0x2008}) is None, "it is over"


def test_short_transactions_are_not_told_however_many_they_are() -> None:
    part = Part()
    under_way = looking(part)
    for second in range(100):
        part.begin = Begin(0x2000 + second, 0, second)
        under_way.look(float(second))
    assert not part.left
