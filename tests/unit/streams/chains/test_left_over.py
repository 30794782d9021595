"""An item of a delivery that the ledger calls final is left over: nothing is sent of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.state import State
from streams.chains import by_hand, rules
from streams.chains.by_hand import Result, Wish
from streams.chains.changes import Forget, Keep, Record
from streams.chains.dead_letter import Letter
from streams.chains.item import Item
from streams.chains.ledger import entry_of
from streams.chains.outcome import Accepted, Unavailable
from tests.model.contents import Archive, MemoryEdit
from tests.model.decisions import Decisions
from tests.model.scenario import ACCEPTED, NOW, Scenario

SCENARIO = Scenario(terms=replace(ACCEPTED, history="latest"))
OLDER, NEWER = (
    Item(delivery, SCENARIO.terms, order, NOW)
    for order, delivery in enumerate(SCENARIO.deliveries)
)


def _view(left_over: Item, state: State, *others: Item) -> MemoryEdit:
    entry = entry_of(replace(left_over, state=state), None, final=True).at(NOW, state)
    items = {item.id: item for item in (left_over, *others)}
    return MemoryEdit(items, {left_over.id: entry})


@pytest.mark.parametrize("state", [State.DEAD, State.ACCEPTED, State.SUPERSEDED])
@pytest.mark.parametrize("at", [State.WAITING, State.SENT, State.ACCEPTED])
def test_it_is_forgotten_when_it_falls_due(state: State, at: State) -> None:
    item = replace(OLDER, state=at, due=NOW)

    assert rules.fall_due(_view(item, state), item, NOW) == [Forget(item.id)]


def test_a_word_on_it_concerns_the_ledger_and_lets_its_chain_go() -> None:
    item = replace(OLDER, state=State.ACCEPTED, due=NOW)
    view = _view(item, State.DELIVERED)

    for status in ("delivered", "rejected", "retry"):
        assert rules.hear(view, Acknowledgement(item.id, status), NOW) == [Forget(item.id)]


def test_a_failed_attempt_does_not_bring_it_back() -> None:
    item = replace(OLDER, state=State.SENT, attempt=1)
    view = _view(item, State.DELIVERED)

    assert rules.attempted(view, item, Unavailable("503"), NOW) == [Forget(item.id)]
    assert Forget(item.id) in rules.attempted(view, item, Accepted(), NOW)


def test_it_replaces_nothing_and_nothing_replaces_it() -> None:
    arrival = Decisions(SCENARIO, Archive(SCENARIO.deliveries)).arrival(0, 0)

    older = rules.arrive(_view(NEWER, State.DEAD), arrival, NOW)
    newer = rules.let_wait(_view(OLDER, State.DEAD), NEWER, NOW)

    assert [type(change) for change in older] == [Keep, Record]
    assert [type(change) for change in newer] == [Keep, Record]


def test_an_interrupted_retry_by_hand_is_completed() -> None:
    view = _view(replace(OLDER, due=NOW), State.DEAD)
    entry = view.entries[OLDER.id]
    letter = Letter(entry, NOW, "", OLDER.delivery, OLDER.terms)
    wish = Wish("a command", "", NOW, 3600.0)

    assert by_hand.concerns(view, letter, wish) is Result.PUT_BACK
    done = by_hand.put_back(view, OLDER.delivery, OLDER.terms, wish)

    assert [type(change) for change in done.changes] == [Keep, Record]
