from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.applying.markup import spoken

LARGEST = 2_000_000  # bytes of one request
PIECES = ("<", "<!", "<!--", "<![", "<a ", "<a b='", "</", "<?", "<a href=x ", "a&#", "<p>", "'")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("plain & text < 3", "<p>plain &amp; text &lt; 3</p>", id="a paragraph"),
        pytest.param("<P>a</P>", "<p>a</p>", id="letter case"),
        pytest.param('<p class="x">a\n b</p>', "<p>a b</p>", id="attributes and white space"),
        pytest.param('<p title="a > b">c</p>', "<p>c</p>", id="an end between quotes"),
        pytest.param("<p>a<!-- b > c --></p>", "<p>a</p>", id="a comment"),
        pytest.param('<a href="/?a=1&amp;b">x</a>', "<a href='/?a=1&b'>x</a>", id="a link"),
        pytest.param("a<3", "<p>a&lt;3</p>", id="a sign that is no tag"),
        pytest.param("<br/>", "<br>", id="an empty tag"),
    ],
)
def test_what_is_the_same_to_odoo_is_the_same(one: str, other: str) -> None:
    assert spoken(one) == spoken(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("<p>a</p>", "<p>b</p>", id="words"),
        pytest.param("<p>a</p>", "<div>a</div>", id="tags"),
        pytest.param('<a href="/x">a</a>', '<a href="/y">a</a>', id="links"),
        pytest.param("", "a", id="nothing"),
        pytest.param("<p>&lt;b&gt;</p>", "<p><b></p>", id="a tag that is spoken of"),
    ],
)
def test_what_differs_to_a_reader_differs(one: str, other: str) -> None:
    assert spoken(one) != spoken(other)


@given(st.lists(st.sampled_from((*PIECES, "x", '"', "&amp;", "-->", ">", "\ud800"))).map("".join))
def test_whatever_it_is_given_it_answers(text: str) -> None:
    assert isinstance(spoken(text), tuple)


@pytest.mark.parametrize("piece", PIECES)
def test_law_9_the_largest_html_takes_moments_whatever_it_is(piece: str) -> None:
    text = piece * (LARGEST // len(piece))
    began = time.process_time()

    spoken(text)

    assert time.process_time() - began < 20  # what is tried anew from each sign takes hours


def test_a_number_of_thousands_of_digits_is_text() -> None:
    assert spoken(f"&#{'9' * 5000};") == ("<p>", f" &#{'9' * 5000};", "</p>")
