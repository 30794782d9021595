"""When two values are the same, whoever wrote them."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.shadow_run.sameness import ALL, MISSING, Leniency, differing, is_same

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-9999).filter(
    lambda each: each < 9999
)
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    numbers,
    st.text(max_size=3),
    st.sampled_from(["", "0", "1", "1.0", "01", "2026-11-23 10:00:00", "2026-11-23T10:00:00.5Z"]),
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
terms = st.frozensets(st.sampled_from(sorted(Leniency)))


@given(values, terms)
def test_everything_is_the_same_as_itself(value: Any, lenient: frozenset[Leniency]) -> None:
    assert is_same(value, copy.deepcopy(value), lenient)


@given(values, values, terms)
def test_it_is_the_same_in_both_directions(
    one: Any, other: Any, lenient: frozenset[Leniency]
) -> None:
    assert is_same(one, other, lenient) is is_same(other, one, lenient)


@given(values, values, terms, terms)
def test_more_leniency_never_finds_more_differences(
    one: Any, other: Any, some: frozenset[Leniency], more: frozenset[Leniency]
) -> None:
    if is_same(one, other, some):
        assert is_same(one, other, some | more)


@given(values, values, terms)
def test_differences_are_given_where_and_only_where_there_are_any(
    one: Any, other: Any, lenient: frozenset[Leniency]
) -> None:
    found = list(differing(one, other, lenient))

    assert bool(found) is not is_same(one, other, lenient)
    assert all(not is_same(old, ours, lenient) for _, old, ours in found)


@given(numbers)
def test_numbers_are_the_same_by_value(number: Decimal) -> None:
    written = format(number, "f")

    assert is_same(written, number)
    assert is_same(f"{written}0", written)
    assert not is_same(written, number, ALL - {Leniency.NUMBERS})
    assert not is_same(number, number + 1)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001  zones below
def test_moments_are_the_same_however_they_are_written(moment: datetime) -> None:
    bare = moment.replace(microsecond=0)
    theirs, ours = f"{bare:%Y-%m-%d %H:%M:%S}", f"{moment.isoformat()}Z"

    assert is_same(theirs, ours)
    assert is_same(ours, moment.replace(tzinfo=UTC).isoformat())
    assert not is_same(theirs, ours, ALL - {Leniency.DATETIMES})


@given(st.sampled_from([None, False, MISSING]), st.sampled_from([None, False, MISSING]))
def test_empty_is_empty(one: Any, other: Any) -> None:
    assert is_same(one, other)
    assert is_same(one, other, ALL - {Leniency.EMPTY}) is (one is other)
