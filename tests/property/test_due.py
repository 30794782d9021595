"""What is due, lane by lane, as the cache of a partition finds it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from schemas.keys import Chain, DeliveryId, delivery_id
from schemas.state import State
from streams.cache.partition import LmdbCache
from streams.chains.item import Item
from streams.partitions.ports import Lane
from tests.core_rig import ASKED, BEGIN
from tests.deliveries import a_delivery, a_draft

TARGETS, ROUTES = ("a", "a-b", "b"), ("a", "b")
KINDS = ((False, False), (True, False), (False, True))  # to be sent, its word awaited, a draft
LANES = [Lane(t, r, *kind) for t in TARGETS for r in ROUTES for kind in KINDS]
DUES = st.integers(1, 20).map(lambda n: BEGIN + n)


@st.composite
def items(draw: st.DrawFn) -> list[Item]:
    """Return items, each of a chain of its own, with where they stand."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        target = draw(st.sampled_from(TARGETS))
        draft = draw(st.booleans())
        sent = (a_draft if draft else a_delivery)(target=target, record=number + 1)
        route = draw(st.sampled_from(ROUTES))
        name = delivery_id(Chain(sent.chain), route, sent.sequence)
        states = [State.WAITING] if draft else [State.WAITING, State.SENT, State.ACCEPTED]
        state = draw(st.sampled_from(states))
        head = state is State.WAITING and draw(st.booleans())
        since, due = draw(DUES), None if head else draw(DUES)
        sent = replace(sent, id=name, route=route)
        found.append(Item(sent, ASKED, number, since, state, due))
    return found


def due_of(item: Item) -> float:
    return item.since if item.due is None else item.due


def lane_of(item: Item) -> Lane:
    is_draft = bool(item.delivery.wants)
    return Lane(item.target, item.route, item.state is State.ACCEPTED, is_draft)


@given(items(), st.sets(st.sampled_from(LANES)), DUES, st.sets(st.integers(1, 12)), st.data())
def test_due_is_what_has_its_time_in_the_lanes_that_are_asked_for(
    kept: list[Item], lanes: set[Lane], now: float, skipped: set[int], data: st.DataObject
) -> None:
    gone = data.draw(st.sets(st.sampled_from([i.id for i in kept]))) if kept else set()

    def skip(name: DeliveryId) -> bool:
        return int(name.split("/")[3]) in skipped

    with tempfile.TemporaryDirectory() as folder:
        cache = LmdbCache(Path(folder), 0, lambda: BEGIN + 100)
        edit = cache.edit()
        for item in kept:
            edit.keep(item)
        for name in gone:
            edit.forget(name)
        edit.commit({})
        with cache.view() as view:
            due = view.due(now, 100, skip, lanes.__contains__)
            first = view.due(now, 1, skip, lanes.__contains__)
            soon = view.next_due(skip, lanes.__contains__)
        cache.close()

    asked = [i for i in kept if i.id not in gone and lane_of(i) in lanes and not skip(i.id)]
    asked.sort(key=lambda item: (due_of(item), item.id))
    expected = [item.id for item in asked if due_of(item) <= now]
    assert due == expected
    assert first == expected[:1]
    assert soon == (due_of(asked[0]) if asked else None)
