"""No route that could match is left out of the choice."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.domain import Context, Domain, compile_domain, parse
from streams.routing.choice import Choice
from tests.property.test_domain import DOCUMENTS, DOMAINS, SHAPE

WANTED = st.one_of(
    st.tuples(st.just("name"), st.just("="), st.sampled_from(["a", "ab", "B", ""])),
    st.tuples(st.just("name"), st.just("in"), st.lists(st.sampled_from(["a", "B", "", False]))),
    st.tuples(st.just("priority"), st.just("="), st.integers(-2, 2)),
    st.tuples(st.just("priority"), st.just("in"), st.lists(st.integers(-2, 2))),
    st.tuples(st.just("locked"), st.just("="), st.booleans()),
)
ROUTES = st.lists(
    st.tuples(st.lists(WANTED, max_size=2), DOMAINS).map(lambda parts: [*parts[0], *parts[1]])
    | st.lists(WANTED, max_size=3),
    min_size=5,
    max_size=12,
)


@given(ROUTES, DOCUMENTS, DOCUMENTS | st.none())
def test_whoever_matches_is_chosen_in_order(
    written: list[list[Any]], before: dict[str, Any], after: dict[str, Any] | None
) -> None:
    routes = list(enumerate(map(parse, written)))

    def domain(route: tuple[int, Domain]) -> Domain:
        return route[1]

    chosen = Choice(routes, domain, SHAPE).of(before, after)

    assert chosen == sorted(chosen, key=lambda route: route[0])
    for route in routes:
        matches = compile_domain(route[1], SHAPE, Context())
        if matches(before) or (after is not None and matches(after)):
            assert route in chosen


def test_those_that_want_other_values_are_not_asked() -> None:
    routes = [parse([["name", "=", f"n{number}"], ["locked", "=", True]]) for number in range(20)]
    choice = Choice(routes, lambda route: route, SHAPE)
    image = {"name": "n7", "locked": True}

    assert choice.of(image, {**image, "name": "n9"}) == [routes[7], routes[9]]
    assert choice.of(None, {**image, "name": None}) == []
