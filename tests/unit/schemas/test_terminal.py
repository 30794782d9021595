"""Texts of others in a terminal."""

from __future__ import annotations

import pytest

from schemas.terminal import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("a\x1b[31mb", "a\\u001b[31mb", id="a colour"),
        pytest.param("a\rb\x00\x7f\x9b", "a\\rb\\u0000\\u007f\\u009b", id="control characters"),
        pytest.param("a\u202eb\u2066", "a\\u202eb\\u2066", id="the writing's direction"),
        pytest.param("\ud800", "\\ud800", id="half a character"),
        pytest.param(
            "déjà\xa0: 合作 \N{FACE WITH TEARS OF JOY} \\ \t",
            "déjà\xa0: 合作 \N{FACE WITH TEARS OF JOY} \\ \t",
            id="what can be seen",
        ),
    ],
)
@pytest.mark.parametrize("lines", [False, True])
def test_only_what_can_be_seen_is_shown(text: str, shown: str, *, lines: bool) -> None:
    assert visible(text, lines=lines) == shown


def test_lines_end_where_that_is_wanted() -> None:
    assert visible("a\nb") == "a\\nb"
    assert visible("a\nb", lines=True) == "a\nb"
