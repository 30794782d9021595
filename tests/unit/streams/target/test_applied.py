"""What was applied, on disk: a row for each chain and route."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streams.applying.incoming import Incoming, Operation
from streams.target.applied import (
    NAME,
    Begun,
    Mark,
    Memory,
    MemoryDamaged,
    MemoryInUse,
    MemoryOfAnother,
    NotRemembered,
    Stale,
)
from tests.service_rig import delivery, sequence


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with closing(Memory(tmp_path)) as opened:
        yield opened


def begin(memory: Memory, each: Incoming) -> Stale | Begun:
    with memory.together():
        return memory.begin(each)


def apply(memory: Memory, each: Incoming, target_id: int | None = 7) -> None:
    with memory.together():
        assert isinstance(memory.begin(each), Begun)
        memory.done(each, target_id)


def fail(memory: Memory, each: Incoming) -> None:
    with memory.together():
        begun = memory.begin(each)
        assert isinstance(begun, Begun)
        memory.failed(each, begun)


def test_the_first_of_a_chain_comes_upon_nothing(memory: Memory) -> None:
    assert begin(memory, delivery(1)) == Begun(None)


@pytest.mark.parametrize("number", [4, 5], ids=["older", "equal"])
def test_law_5_what_is_not_newer_than_the_last_applied_is_stale(
    memory: Memory, number: int
) -> None:
    apply(memory, delivery(5), 17)

    assert begin(memory, delivery(number)) == Stale(17)


def test_a_newer_one_comes_upon_the_last_applied(memory: Memory) -> None:
    apply(memory, delivery(5, operation="leave"))

    assert begin(memory, delivery(6)) == Begun("leave")


def test_law_5_what_is_older_than_the_begun_one_is_stale_and_the_begun_one_is_not(
    memory: Memory,
) -> None:
    apply(memory, delivery(5), 17)
    begin(memory, delivery(7))

    assert begin(memory, delivery(6)) == Stale(17)
    assert begin(memory, delivery(7)) == Begun("update", Mark(sequence(7), "update", "update"))


def test_routes_and_records_have_their_own_order(memory: Memory) -> None:
    apply(memory, delivery(5))

    assert begin(memory, delivery(4, route="other")) == Begun(None)
    assert begin(memory, delivery(4, record=2)) == Begun(None)
    assert memory.rows == 3


def test_what_failed_leaves_the_one_before_and_may_come_again(memory: Memory) -> None:
    apply(memory, delivery(5))
    fail(memory, delivery(7))

    assert begin(memory, delivery(6)) == Begun("update")


def test_what_failed_leaves_the_one_that_is_begun_since_before(memory: Memory) -> None:
    apply(memory, delivery(5))
    begin(memory, delivery(7))  # its outcome is not known
    fail(memory, delivery(8))

    assert begin(memory, delivery(6)) == Stale(7)
    assert isinstance(begin(memory, delivery(7)), Begun)


def test_of_a_first_one_that_failed_nothing_is_kept(memory: Memory) -> None:
    fail(memory, delivery(1))

    assert memory.rows == 0
    assert begin(memory, delivery(1)) == Begun(None)


@pytest.mark.parametrize(
    ("applied", "begun", "last"),
    [
        ("update", "leave", "leave"),
        ("leave", "update", "leave"),
        ("create", "update", "update"),
        ("leave", "delete", "delete"),
    ],
    ids=["begun", "applied", "neither", "both"],
)
def test_an_ending_counts_as_behind_it_where_it_may_be(
    memory: Memory, applied: Operation, begun: Operation, last: Operation
) -> None:
    apply(memory, delivery(1, operation=applied))
    begin(memory, delivery(2, operation=begun))  # its outcome is not known

    assert begin(memory, delivery(3)) == Begun(last, Mark(sequence(2), begun, applied))
    again = begin(memory, delivery(3))  # nor is that of this one
    assert isinstance(again, Begun)
    assert again.last == last


def test_one_row_is_kept_of_a_chain_and_route_however_much_comes(memory: Memory) -> None:
    for number in range(1, 200):
        apply(memory, delivery(number, record=number % 2))

    assert memory.rows == 2


def test_it_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    with closing(Memory(tmp_path)) as first:
        apply(first, delivery(5), 17)
        begin(first, delivery(6, record=2))

    with closing(Memory(tmp_path)) as again:
        assert again.rows == 2
        assert again.bytes > 0
        assert begin(again, delivery(5)) == Stale(17)
        assert begin(again, delivery(5, record=2)) == Stale(None)


def test_what_ends_in_the_middle_is_not_there(memory: Memory) -> None:
    def broken() -> None:
        with memory.together():
            memory.begin(delivery(1))
            raise KeyError

    with pytest.raises(KeyError):
        broken()

    assert memory.rows == 0
    assert begin(memory, delivery(1)) == Begun(None)


@pytest.mark.usefixtures("memory")
def test_law_10_a_second_service_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MemoryInUse, match="used by another service"):
        Memory(tmp_path)


@pytest.mark.parametrize("at", [0, 4096], ids=["no database", "a page is lost"])
def test_law_10_a_damaged_file_says_what_to_do(tmp_path: Path, at: int) -> None:
    with closing(Memory(tmp_path)) as first:
        apply(first, delivery(5))
    file = tmp_path / NAME
    data = bytearray(file.read_bytes())
    data[at : at + 512] = b"\xa5" * 512
    file.write_bytes(data)

    with pytest.raises(MemoryDamaged) as error:
        Memory(tmp_path)

    assert "keys still prevent doubles" in error.value.hint
    file.unlink()
    with closing(Memory(tmp_path)) as anew:  # the folder is free, and it begins anew
        assert anew.rows == 0


def test_a_file_that_was_moved_away_does_not_come_back(tmp_path: Path) -> None:
    with closing(Memory(tmp_path)) as first:
        apply(first, delivery(5))
        (tmp_path / NAME).rename(tmp_path / "away")
        log = (tmp_path / f"{NAME}-wal").read_bytes()
    (tmp_path / f"{NAME}-wal").write_bytes(log)  # as after a crash

    with closing(Memory(tmp_path)) as anew:
        assert anew.rows == 0


def test_law_10_a_file_of_another_format_is_not_touched(tmp_path: Path) -> None:
    with closing(Memory(tmp_path)), closing(sqlite3.connect(tmp_path / NAME)) as other:
        other.execute("PRAGMA user_version = 9")

    with pytest.raises(MemoryDamaged, match="of format 9"):
        Memory(tmp_path)


def test_law_10_what_another_odoo_has_is_not_taken_for_done(tmp_path: Path) -> None:
    Memory(tmp_path, "http://b", "prod").close()

    with pytest.raises(MemoryOfAnother, match=r"prod at http://b.*names test at http://b"):
        Memory(tmp_path, "http://b", "test")

    Memory(tmp_path, "http://b", "prod").close()


def test_law_10_where_it_cannot_be_written_it_says_so_and_keeps_what_it_has(
    tmp_path: Path, memory: Memory
) -> None:
    apply(memory, delivery(5), 17)
    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # as a disk that is full, it lets nobody write
        with pytest.raises(NotRemembered, match="cannot be written to"):
            apply(memory, delivery(6))

    assert begin(memory, delivery(5)) == Stale(17)
    apply(memory, delivery(6))
