from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.acknowledgement import (
    LONGEST,
    STATUSES,
    Acknowledgement,
    MalformedAcknowledgement,
    read,
    to_json,
)
from schemas.delivery import Delivery, NotADelivery, Want, decode, encode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
IDS = st.integers(1, 2**63 - 1)
WANTS = st.builds(Want, TEXTS, TEXTS, IDS, TEXTS, TEXTS, st.none() | TEXTS)
DELIVERIES = st.builds(
    Delivery,
    **{
        name: TEXTS
        for name in Delivery.__slots__
        if name not in ("record_id", "body", "force_older", "wants")
    },
    wants=st.lists(WANTS, max_size=3).map(tuple),
    record_id=IDS,
    body=st.binary(),
    force_older=st.booleans(),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
JSON = PLAIN | st.lists(PLAIN, max_size=2) | st.sampled_from(STATUSES)
WORDS = st.dictionaries(st.sampled_from(list(Acknowledgement.__slots__)), JSON)


@given(DELIVERIES)
def test_every_delivery_survives_the_wire(sent: Delivery) -> None:
    assert decode(encode(sent)) == sent


@given(DELIVERIES, st.integers(0), st.integers(0, 255))
def test_changed_bytes_are_a_delivery_or_none_and_nothing_else(
    sent: Delivery, at: int, byte: int
) -> None:
    value = bytearray(encode(sent))
    value[at % len(value)] = byte
    try:
        decode(bytes(value))
    except NotADelivery as error:
        assert error.hint  # noqa: PT017 - either outcome is right


@given(st.binary() | st.builds(json.dumps, WORDS | st.lists(WORDS, max_size=3)).map(str.encode))
@example(b'{"id":"x","status":"retry","message":"\\ud800"}')
def test_bytes_are_acknowledgements_or_malformed_and_nothing_else(body: bytes) -> None:
    try:
        found = read(body)
    except MalformedAcknowledgement as error:
        assert error.hint  # noqa: PT017 - either outcome is right
    else:
        assert [again for word in found for again in read(to_json(word))] == found


@given(
    st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=200),
    st.sampled_from(STATUSES),
    st.dictionaries(st.sampled_from(["attempt", "http_status"]), st.integers(0, 10**9 - 1)),
    st.dictionaries(st.sampled_from(["code", "message", "retry_after"]), TEXTS),
)
def test_every_acknowledgement_survives_the_topic(
    delivery: str, status: Any, numbers: dict[str, Any], texts: dict[str, Any]
) -> None:
    word = Acknowledgement(delivery, status, **numbers, **texts)

    assert read(to_json(word)) == [word]
    assert len(word.message) <= LONGEST
