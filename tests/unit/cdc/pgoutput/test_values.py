from __future__ import annotations

import pytest

from cdc.pgoutput.decoder import MalformedMessage
from cdc.pgoutput.values import iso_time, microseconds_of, unix_seconds


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        pytest.param(0, "2000-01-01T00:00:00.000000Z", id="the first moment"),
        pytest.param(848_743_200_123_456, "2026-11-23T10:00:00.123456Z", id="the example"),
        pytest.param(848_743_200_000_000, "2026-11-23T10:00:00.000000Z", id="a whole second"),
        pytest.param(-1, "1999-12-31T23:59:59.999999Z", id="before the first moment"),
        pytest.param(-31_556_908_800_000_000, "1000-01-01T00:00:00.000000Z", id="long ago"),
        pytest.param(-63_082_281_600_000_000, "0001-01-01T00:00:00.000000Z", id="the first year"),
    ],
)
def test_a_time_has_six_digits_always(microseconds: int, text: str) -> None:
    assert iso_time(microseconds) == text


def test_a_time_that_no_calendar_has_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="years 1 to 9999"):
        iso_time(2**62)


def test_the_clocks_agree() -> None:
    assert unix_seconds(0) == 946_684_800
    assert microseconds_of(unix_seconds(848_743_200_000_000)) == 848_743_200_000_000
