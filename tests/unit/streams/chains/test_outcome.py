"""What an answer of WSO2 means, whatever it looks like."""

from __future__ import annotations

import pytest

from streams.chains.outcome import Unavailable, may_be_taken, of_answer, seconds_until

NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
WEEK = 7 * 86400.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("90", 90.0),
        ("1e15", WEEK),
        ("Fri, 15 Jan 2027 08:01:30 GMT", 90.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", WEEK),
        ("Mon, 1 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2020 00:00:00 -99999999999999999999", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
    ],
)
def test_a_pause_asked_for_is_read_or_ignored_and_never_absurd(
    text: str, seconds: float | None
) -> None:
    assert seconds_until(text, NOW) == seconds


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"id":' * 9_000], ids=["lists", "objects"])
def test_a_body_nested_too_deeply_is_one_without_the_id(body: bytes) -> None:
    outcome = of_answer(202, body, delivery_id="a", now=NOW)

    assert outcome == Unavailable("WSO2 answered 202 without the delivery's id", http_status=202)


@pytest.mark.parametrize(
    ("may_be", "statuses"),
    [(True, (200, 202, 500, 502, 504)), (False, (302, 401, 404, 408, 422, 429, 503))],
)
def test_only_a_clear_refusal_says_that_wso2_has_it_not(
    *, may_be: bool, statuses: tuple[int, ...]
) -> None:
    for status in statuses:
        outcome = of_answer(status, b"{}", delivery_id="a", now=NOW)

        assert may_be_taken(outcome) is may_be, status


def test_no_answer_may_be_a_lost_one_but_not_where_no_connection_was() -> None:
    assert may_be_taken(Unavailable("no answer within 10 s"))
    assert not may_be_taken(Unavailable("no connection", counted=False))
