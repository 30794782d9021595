from __future__ import annotations

import pytest

from cdc.postgres.snapshot import Snapshot


@pytest.mark.parametrize(
    ("text", "snapshot"),
    [
        ("10:10:", Snapshot(10, 10, frozenset())),
        ("10:20:10,14", Snapshot(10, 20, frozenset({10, 14}))),
    ],
    ids=["nobody writes", "two write"],
)
def test_a_snapshot_is_read_as_postgres_writes_it(text: str, snapshot: Snapshot) -> None:
    assert Snapshot.parse(text) == snapshot


@pytest.mark.parametrize(
    ("xid", "seen"),
    [(9, True), (10, False), (12, True), (14, False), (19, True), (20, False), (25, False)],
    ids=["older", "open", "ended", "open too", "last", "the next", "later"],
)
def test_a_snapshot_sees_what_had_ended(xid: int, seen: bool) -> None:  # noqa: FBT001 - a case
    assert Snapshot(10, 20, frozenset({10, 14})).sees(xid) is seen


def test_a_snapshot_sees_across_the_end_of_the_numbers() -> None:
    snapshot = Snapshot(3 * 2**32 - 5, 3 * 2**32 + 10, frozenset({3 * 2**32 + 4}))
    assert snapshot.sees(2**32 - 100)
    assert snapshot.sees(3)
    assert not snapshot.sees(4)
    assert not snapshot.sees(10)
