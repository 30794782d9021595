"""What of an answer the flow of WSO2 can carry on: it stands in JSON that stands in XML."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.http.reply import LONGEST, Reply, plain

SAFE = re.compile(r"([ !#-%'-;=?-\[\]-~]|\\u[0-9a-f]{4})*")


@given(st.text())
def test_a_message_is_read_back_from_the_json_that_it_is_put_into(text: str) -> None:
    written = plain(text, 6 * 2 * len(text))

    assert SAFE.fullmatch(written)
    assert json.loads(f'"{written}"') == text


@given(st.text(min_size=1), st.integers(0, 40))
def test_a_long_one_is_cut_between_two_characters(text: str, longest: int) -> None:
    written = plain(text, longest)

    assert len(written) <= longest
    assert text.startswith(json.loads(f'"{written}"'))
    following = plain(text, longest + 12)
    assert following == written or len(following) > len(written)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('a "b" & <c>\\', r"a \u0022b\u0022 \u0026 \u003cc\u003e\u005c"),
        ("caf\u00e9\r\nX-Other: 1", r"caf\u00e9\u000d\u000aX-Other: 1"),
        ("\U0001f600", r"\ud83d\ude00"),
    ],
    ids=["quotes", "a line break", "beyond 16 bits"],
)
def test_what_could_end_the_text_around_it_is_escaped(text: str, written: str) -> None:
    assert plain(text) == written


def test_the_headers_say_what_the_body_says() -> None:
    reply = Reply(503, {"code": "ODOO_AWAY", "message": "x" * 1000}, 0.2)

    assert reply.headers == {
        "X-Cdc-Code": "ODOO_AWAY",
        "X-Cdc-Message": "x" * LONGEST,
        "Retry-After": "1",
    }


@pytest.mark.parametrize(
    "body",
    [{"code": "", "message": ""}, {"code": "not a code"}, [1]],
    ids=["none", "bad", "a list"],
)
def test_what_is_not_there_or_not_fit_is_left_out(body: object) -> None:
    assert Reply(200, body).headers == {}
