"""Html is cleaned as lightly as can be, and once is enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.odoo_rpc.markup import clean

PIECES = st.lists(
    st.sampled_from(
        [
            *("<p>", "</p>", "<b>", "</b>", "<br>", "<script>", "</script>", "a", " ", "&"),
            *("<a href='javascript:x'>", "</a>", "<img src=x onerror=y>", "<", "é", "\n"),
            "&amp;",
        ]
    ),
    max_size=12,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("<p>a</p>", "<p>a</p>"),
        ("a<br>b", "<p>a<br>b</p>"),
        ("a & b", "<p>a &amp; b</p>"),
        ("a &amp; &nbsp; é", "<p>a &amp; &nbsp; é</p>"),
        ("x<p>y</p>z", "<p>x</p><p>y</p><p>z</p>"),
        ("<p>a<b>b</p>", "<p>a<b>b</b></p>"),
        ("<p>a</p></p>", "<p>a</p>"),
        ("<p>a<script>evil()</script></p>", "<p>a</p>"),
        ('<a href="javascript:x">l</a>', '<p><a href="">l</a></p>'),
        ('<p onclick="x" class="c" style="color:red">a</p>',
         '<p class="c" style="color:red">a</p>'),
    ],
    ids=str,
)  # fmt: skip
def test_what_may_stay_stays(given: str, kept: str) -> None:
    assert clean(given) == kept


@given(PIECES)
def test_nothing_is_left_that_runs_and_once_is_enough(pieces: list[str]) -> None:
    kept = clean("".join(pieces))

    assert "<script" not in kept
    assert "javascript:" not in kept
    assert "onerror" not in kept
    assert clean(kept) == kept
