"""A shadow's file that was cut short is found before a page of it is missed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from struct import Struct
from typing import Final

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.shadow.length import cut_short
from cdc.shadow.store import Shadow, ShadowDamaged

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
LAST_AT: Final = 136  # in a page: the highest page that was taken
NUMBER: Final = Struct("=2Q")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shadow with rows, an index, and notes that have pages of their own."""
    chance = random.Random(1)  # noqa: S311  rows need no secrets
    with Shadow(tmp_path) as shadow:
        for row in range(5_000):
            shadow.put(b"\0\1" + row.to_bytes(8, "big"), chance.randbytes(150))
            shadow.add(b"\0\1" + (row % 7).to_bytes(8, "big"), row)
        for name in range(3):
            shadow.note(f"note {name}", {"text": "x" * 3 * PAGE})
        shadow.commit()
        shadow.begin()
        for row in range(0, 5_000, 3):
            shadow.delete(b"\0\1" + row.to_bytes(8, "big"))
        shadow.commit()
        shadow.begin()
    return tmp_path


def test_one_that_is_whole_is_opened(folder: Path) -> None:
    assert cut_short(folder / "data.mdb") == ""
    assert cut_short(folder / "there is none") == ""


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_law_10_one_that_was_cut_short_is_refused_and_ends_no_process(
    folder: Path, share: float
) -> None:
    data = folder / "data.mdb"
    os.truncate(data, max(2, int(data.stat().st_size * share) // PAGE) * PAGE)

    with pytest.raises(ShadowDamaged, match="cut short"):
        Shadow(folder)


def test_pages_at_the_end_that_nothing_leads_to_may_be_missing(folder: Path) -> None:
    data = folder / "data.mdb"
    with data.open("r+b") as file:
        for page in range(2):
            file.seek(page * PAGE + LAST_AT)
            last, transaction = NUMBER.unpack(file.read(NUMBER.size))
            file.seek(page * PAGE + LAST_AT)
            file.write(NUMBER.pack(last + 9, transaction))

    assert cut_short(data) == ""
    with Shadow(folder) as shadow:
        assert len(list(shadow.rows(1))) == 5_000 - len(range(0, 5_000, 3))


def test_every_page_that_is_led_to_is_missed_alone(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path)) as made, made.begin(write=True) as txn:
        for key in range(3):
            txn.put(bytes([key]), b"x" * 2 * PAGE)
    data = tmp_path / "data.mdb"
    whole = data.read_bytes()

    for pages in range(2, len(whole) // PAGE):
        data.write_bytes(whole[: pages * PAGE])
        assert "cut short" in cut_short(data), pages


@pytest.mark.parametrize("content", [b"", b"\0", b"\xa5" * 3 * PAGE])
def test_what_is_no_such_file_is_left_to_who_opens_it(tmp_path: Path, content: bytes) -> None:
    data = tmp_path / "data.mdb"
    data.write_bytes(content)

    assert cut_short(data) == ""


@given(
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=9))),
    st.floats(0, 1),
)
def test_whatever_stands_in_the_file_it_is_looked_at_to_the_end(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, bytes]], share: float
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    with lmdb.open(str(folder)) as made, made.begin(write=True) as txn:
        for key in range(200):
            txn.put(bytes([key]), b"x" * (100 if key % 9 else PAGE))
    data = folder / "data.mdb"
    whole = bytearray(data.read_bytes())
    for place, content in changes:
        at = place % len(whole)
        whole[at : at + len(content)] = content
    data.write_bytes(whole[: int(len(whole) * share)])

    assert isinstance(cut_short(data), str)
