"""Two Odoos that sync products to each other settle, whatever is written where, and are equal."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from contextlib import nullcontext
from typing import Any, Final

import pytest

from tests.synced_odoos import PRODUCT, Side, Two, until

pytestmark = pytest.mark.acceptance
ROUNDS: Final = 12  # of a burst
SHARED: Final = 5  # products that both write


@pytest.fixture
def mark() -> str:
    """How the names of a test's products begin."""
    return f"m{secrets.token_hex(3)}"


def shared(two: Two, mark: str, number: int = 1) -> tuple[int, int]:
    """Make a product at `a`; return its ids on both sides, once it is on both."""
    name = f"{mark} {number}"
    there = two.a.create(name=name, default_code=f"{mark}-{number}", list_price=number)
    until(lambda: bool(two.b.found(name)))
    (here,) = two.b.found(name)
    return there, here


def equal(two: Two, mark: str, number: int) -> None:
    two.settled(mark)

    assert two.a.products(mark) == two.b.products(mark)
    assert len(two.a.products(mark)) == number


def test_what_one_writes_comes_to_the_other_and_not_back(two: Two, mark: str) -> None:
    there, here = shared(two, mark)
    before = len(two.b.sent)

    two.a.write(there, list_price=12.5)
    until(lambda: two.a.products(mark) == two.b.products(mark))
    two.settled(mark)

    own = [each for each in two.b.sent[before:] if each.split("/")[3] == str(here)]
    assert own == []


def test_a_code_that_is_changed_where_it_came_to_makes_no_second_product(
    two: Two, mark: str
) -> None:
    """No rule finds it: it is known by the key that it has at home."""
    there, here = shared(two, mark)

    two.b.write(here, default_code=f"{mark}-other", name=f"{mark} other")

    equal(two, mark, 1)
    assert two.a.admin.one(PRODUCT, there, "default_code")["default_code"] == f"{mark}-other"


def test_of_two_writes_that_knew_nothing_of_each_other_one_stands_and_both_are_logged(
    two: Two, mark: str
) -> None:
    there, here = shared(two, mark)
    two.settled(f"{mark}-begin")

    with two.apart():
        two.a.write(there, name=f"{mark} by a", list_price=1)
        two.b.write(here, name=f"{mark} by b", list_price=2)

    equal(two, mark, 1)
    name = two.a.products(mark)[0][0]
    assert name in {f"{mark} by a", f"{mark} by b"}
    for side, stands in zip(two.sides(), "ab", strict=True):
        (line,) = [line for line in side.conflicts() if mark in line]
        assert f"{mark} by a" in line
        assert f"{mark} by b" in line
        assert f"stands={'ours' if name.endswith(stands) else 'theirs'}" in line


def test_archived_here_and_renamed_there(two: Two, mark: str) -> None:
    there, here = shared(two, mark)
    two.settled(f"{mark}-begin")

    with two.apart():
        two.a.write(there, active=False)
        two.b.write(here, name=f"{mark} renamed")

    equal(two, mark, 1)


def test_the_same_code_is_made_on_both_sides_at_once(two: Two, mark: str) -> None:
    with two.apart():
        for side in two.sides():
            side.create(name=f"{mark} by {side.name}", default_code=f"{mark}-1")

    equal(two, mark, 1)


def record_of(side: Side, delivery: str) -> str:
    return f"{side.name}/{delivery.split('/')[3]}"


def burst(two: Two, mark: str, pairs: list[tuple[int, int]]) -> Counter[str]:
    """Write the same products on both sides; return how often each, also those never written."""
    chance = random.Random(7)  # noqa: S311  any
    writes: Counter[str] = Counter()
    for turn in range(ROUNDS):
        for place, pair in enumerate(pairs):
            for side, number in zip(two.sides(), pair, strict=True):
                name = f"{side.name}/{number}"
                writes[name] += 0
                if chance.random() < 0.5:
                    continue
                values: dict[str, Any] = {"name": f"{mark} {place} {turn} {side.name}"}
                if chance.random() < 0.3:
                    values["active"] = chance.random() < 0.5
                if chance.random() < 0.3:
                    values["default_code"] = f"{mark}-{place}-{turn}-{side.name[-1]}"
                with side.turns.writing():
                    side.write(number, **values)
                writes[name] += 1
    return writes


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "neither hears of the other"])
def test_any_burst_of_edits_settles_and_both_are_equal(
    two: Two,
    mark: str,
    apart: bool,  # noqa: FBT001  a parameter
) -> None:
    pairs = [shared(two, mark, number) for number in range(1, SHARED + 1)]
    two.settled(f"{mark}-begin")
    before = {side.name: len(side.sent) for side in two.sides()}
    with two.apart() if apart else nullcontext():
        writes = burst(two, mark, pairs)

    equal(two, mark, SHARED)
    for side in two.sides():
        fresh = dict.fromkeys(side.sent[before[side.name] :])
        sent = Counter(record_of(side, name) for name in fresh)
        ours = sent.keys() & writes.keys()
        assert all(sent[record] <= writes[record] for record in ours)  # no ping-pong
    assert any(mark in line for side in two.sides() for line in side.conflicts())
