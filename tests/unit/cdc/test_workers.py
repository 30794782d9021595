"""What a worker says of its routes, as capture reads it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cdc.kafka_workers import routes_in
from streams.sending.holds import to_json


@given(st.dictionaries(st.text(), st.text()))
def test_capture_reads_the_routes_that_a_worker_says(routes: dict[str, str]) -> None:
    assert routes_in(to_json("one", [], "aa", routes)) == frozenset(routes.items())


anything = (
    st.none()
    | st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    ).map(lambda value: json.dumps(value).encode())
)


@given(anything)
def test_law_10_one_that_says_none_has_none(value: bytes | None) -> None:
    assert routes_in(value) == frozenset()


def test_a_worker_of_an_earlier_version_has_none() -> None:
    assert routes_in(b'{"worker":"one","config":"aa","holds":[]}') == frozenset()
