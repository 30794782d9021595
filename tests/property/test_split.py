"""Tuples that come often are read by a pattern: as the walk reads them, whatever their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from struct import pack
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.engine.split import SKIP, Tuples
from cdc.pgoutput.decoder import MalformedMessage

OFTEN: Final = 1_000  # more than it takes until there is a pattern

CELLS: Final = st.one_of(
    st.just(b"n"),
    st.just(b"u"),
    st.binary(max_size=260).map(lambda text: b"t" + pack(">I", len(text)) + text),
)


@st.composite
def slots(draw: st.DrawFn) -> tuple[Sequence[int], list[bytes]]:
    """Draw which cell each column becomes, and what cells are that none becomes."""
    columns = draw(st.integers(1, 12))
    blank = draw(st.lists(st.sampled_from([b"n", b"u"]), min_size=1, max_size=columns))
    lacking = draw(st.integers(0, len(blank) - 1))
    cells = draw(st.permutations(range(len(blank))))[lacking:]
    return draw(st.permutations([*cells, *[SKIP] * (columns - len(cells))])), blank


def tuple_of(cells: Sequence[bytes]) -> bytes:
    return pack(">H", len(cells)) + b"".join(cells)


def often(data: st.DataObject, chosen: Sequence[int], blank: list[bytes]) -> Tuples:
    """Return one that has seen many tuples, of which some are like others."""
    tuples, count = Tuples(chosen, blank), len(chosen)
    rows = st.lists(CELLS, min_size=count, max_size=count)
    first, *others = data.draw(st.lists(rows, min_size=1, max_size=3))
    for number in range(OFTEN):
        row = others[number % len(others)] if others and not number % 15 else first
        tuples.split(tuple_of(row), 0)
    return tuples


def outcome(tuples: Tuples, data: bytes) -> object:
    try:
        return tuples.split(data, 3)
    except MalformedMessage as error:
        return str(error)


@given(slots(), st.data())
def test_a_tuple_is_the_same_however_it_is_read(
    chosen: tuple[Sequence[int], list[bytes]], data: st.DataObject
) -> None:
    warm, count = often(data, *chosen), len(chosen[0])
    for _ in range(5):
        cells = data.draw(st.lists(CELLS, min_size=count, max_size=count))
        whole = b"xyz" + tuple_of(cells)
        wanted = [
            cells[chosen[0].index(cell)] if cell in chosen[0] else blank
            for cell, blank in enumerate(chosen[1])
        ]
        assert warm.split(whole + b"more", 3) == (wanted, len(whole))
        assert Tuples(*chosen).split(whole, 3) == (wanted, len(whole))


@given(slots(), st.data())
def test_law_10_a_malformed_tuple_ends_alike_however_it_is_read(
    chosen: tuple[Sequence[int], list[bytes]], data: st.DataObject
) -> None:
    warm, count = often(data, *chosen), len(chosen[0])
    for _ in range(5):
        whole = b"xyz" + tuple_of(data.draw(st.lists(CELLS, min_size=count, max_size=count)))
        at = data.draw(st.integers(3, len(whole)))
        put, gone = data.draw(st.binary(max_size=3)), data.draw(st.integers(0, 5))
        broken = whole[:at] + put + whole[at + gone :]
        assert outcome(warm, broken) == outcome(Tuples(*chosen), broken)
        cut = whole[:at]
        if at < len(whole):
            with pytest.raises(MalformedMessage, match="ends before its columns do"):
                warm.split(cut, 3)
