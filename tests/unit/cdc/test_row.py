"""Held rows: how they are laid out, and what their links say."""

from __future__ import annotations

import pytest

from cdc.engine.row import Entries, Layout
from cdc.engine.split import NULL, UNCHANGED, cells_of_values
from schemas.via import ManyToOne

LAYOUT = Layout(b"\x00\x01", 2, 3, (4,), written=True, entries=())
WHOLE = cells_of_values([b"7", b'{"1": 3}', b"5", b"Azure", b"1"])


@pytest.mark.parametrize("place", [1, 2, 3], ids=["the first link", "the second", "a column"])
def test_a_filled_row_is_as_if_it_had_come_whole(place: int) -> None:
    partial = list(WHOLE)
    partial[place] = UNCHANGED

    filled = LAYOUT.fill(LAYOUT.pack(partial), WHOLE)

    assert filled == LAYOUT.pack(WHOLE)


def test_what_is_known_of_a_partial_row_stays() -> None:
    partial = [*WHOLE[:1], UNCHANGED, NULL, *WHOLE[3:]]

    filled = LAYOUT.fill(LAYOUT.pack(partial), WHOLE)

    assert LAYOUT.links_of(filled) == [b'{"1": 3}', None]


@pytest.mark.parametrize(
    ("text", "default", "expected"),
    [
        (b'{"1": 3, "2": 4}', 7, 3),
        (b'{"2": 4}', 7, 7),
        (None, 7, 7),
        (None, 0, None),
        (b'{"1": null}', 7, None),
        (b'{"1": false}', 7, None),
        (b'{"1": "3"}', 7, 3),
        (b'{"1": 0}', 7, None),
        (b'{"1": 2147483648}', 7, None),
        (b'{"1": [3]}', 7, None),
        (b"[3]", 7, None),
    ],
    ids=[
        "its own",
        "of another company alone",
        "of none",
        "no default",
        "nothing",
        "false",
        "a text that holds an id",
        "no record has 0",
        "no record has so large an id",
        "a list in its place",
        "no object",
    ],
)
def test_a_row_stands_under_the_id_that_it_has_for_the_company(
    text: bytes | None, default: int, expected: int | None
) -> None:
    entries = Entries(1, 0, via=ManyToOne(1, default))

    assert entries.value([text]) == expected
