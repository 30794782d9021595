"""Where the index is kept, and what happens where it cannot be."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from streams.index.opening import Anew, IndexDamaged, opened
from streams.index.records import Kind
from streams.index.store import Index
from streams.index.tables import FORMAT


class Source:
    """Fills an index up to an offset; keeps what people were told, and from where it read."""

    def __init__(self, end: int = 3) -> None:
        self.end = end
        self.said: list[str] = []
        self.starts: list[int] = []

    def fill(self, index: Index) -> None:
        at, _ = index.reach("ledger", 0)
        self.starts.append(at)
        if at > self.end:
            raise Anew("the topic was made anew")
        index.take(Kind.LEDGER, "ledger", 0, [], (self.end, "one"))

    def look(self, folder: Path) -> int:
        """Open it; return how far it is."""
        with opened(folder, self.fill, self.said.append) as index:
            return index.reach("ledger", 0)[0]


@pytest.fixture
def source() -> Source:
    return Source()


def test_what_was_read_is_not_read_again(source: Source, tmp_path: Path) -> None:
    source.look(tmp_path / "index")
    source.end = 5

    assert source.look(tmp_path / "index") == 5
    assert source.starts == [0, 3]
    assert source.said == []


def test_an_index_of_topics_that_are_gone_is_made_anew(source: Source, tmp_path: Path) -> None:
    source.look(tmp_path)
    source.end = 1

    assert source.look(tmp_path) == 1
    assert source.starts == [0, 3, 0]
    assert source.said == [f"{tmp_path}/index.sqlite is made anew: the topic was made anew"]


def test_a_damaged_file_is_made_anew(source: Source, tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"no database" * 1000)

    assert source.look(tmp_path) == 3
    assert "is made anew: file is not a database" in source.said[0]
    assert source.look(tmp_path) == 3
    assert source.starts == [0, 3]


def test_a_file_of_another_format_is_made_anew(source: Source, tmp_path: Path) -> None:
    source.look(tmp_path)
    database = sqlite3.connect(tmp_path / "index.sqlite")
    database.execute(f"PRAGMA user_version = {FORMAT + 1}")
    database.close()

    assert source.look(tmp_path) == 3
    assert source.starts == [0, 0]
    assert f"format {FORMAT + 1}" in source.said[0]


def test_law_10_where_there_is_no_place_everything_is_read_this_once(
    source: Source, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text("a file, not a folder")

    for _ in range(2):
        assert source.look(tmp_path / "state" / "index") == 3

    assert source.starts == [0, 0]
    assert all("all is read from Kafka, which takes longer" in said for said in source.said)


def test_two_who_look_at_the_same_time_take_turns(source: Source, tmp_path: Path) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slowly(index: Index) -> None:
        inside.set()
        assert leave.wait(10)
        source.fill(index)

    def first() -> None:
        with opened(tmp_path, slowly, source.said.append):
            pass

    def say(text: str) -> None:
        source.said.append(text)
        leave.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with opened(tmp_path, source.fill, say) as index:
        assert index.reach("ledger", 0)[0] == 3
    thread.join()

    assert source.starts == [0, 3]
    assert source.said == ["another command is reading what Kafka has gained; waiting for it"]


def test_a_file_that_is_damaged_inside_is_removed_and_said_so(
    source: Source, tmp_path: Path
) -> None:
    def ask() -> None:
        with opened(tmp_path, source.fill, source.said.append):
            raise sqlite3.DatabaseError("database disk image is malformed")

    with pytest.raises(IndexDamaged, match="malformed"):
        ask()

    assert source.look(tmp_path) == 3
    assert source.starts == [0, 0]
