from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.dead_letter import Letter
from streams.chains.ledger import Entry, iso
from streams.index.merged import Told
from streams.index.records import Kind
from streams.index.row import Row, Wanted
from tests.indexes import PARTITION, Fed

NOW = 1_000_000.0
COMMITTED = NOW - 60


def entry(state: State, record: int = 42, *, final: bool) -> Entry:
    sequence = "6743A1F0-00000000016B3748-00000003-0000"
    return Entry(
        id=DeliveryId(f"odoo_a/shop/sale.order/{record}/orders/{sequence}"),
        model="sale.order",
        record=record,
        operation="update",
        state=state,
        final=final,
        order=0,
        times={"committed": iso(COMMITTED)},
    )


def test_an_acceptance_that_is_final_waits_for_nothing() -> None:
    fed = Fed()
    fed.entry(entry(State.ACCEPTED, final=True))

    assert fed.index.counts() == {}


@pytest.mark.parametrize("state", [State.WAITING, State.SENT, State.ACCEPTED])
def test_what_is_on_its_way_is_counted_with_the_age_of_the_oldest(state: State) -> None:
    fed = Fed()
    fed.entry(entry(state, final=False))
    fed.entry(entry(State.DEAD, 7, final=True))

    shop = fed.index.counts()["shop"].to_json(NOW)

    assert (shop[state.value], shop["dead"]) == (1, 1)
    assert shop["oldest_waiting_seconds"] == 60


def test_what_is_replayed_waits_since_it_was_queued_and_not_since_its_event() -> None:
    fed, live = Fed(), entry(State.WAITING, final=False)
    name = DeliveryId(f"{live.id[:-4]}0001")
    fed.entry(replace(live, id=name).at(NOW - 5, State.QUEUED))

    assert fed.index.counts()["shop"].to_json(NOW)["oldest_waiting_seconds"] == 5
    (row,) = fed.index.rows(Wanted(), NOW, 9)[1]
    assert row.to_json(NOW)["committed"] == iso(COMMITTED)


@pytest.mark.parametrize("state", [State.DEAD, State.REJECTED])
@pytest.mark.parametrize("seen", [True, False], ids=["seen before", "never seen"])
def test_a_letter_that_the_ledger_has_forgotten_is_past_and_troubles_nobody(
    state: State,
    seen: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    fed, dead = Fed(), replace(entry(state, final=True), why="HTTP_422").at(NOW - 30, state)
    fed.letter(Letter(dead, NOW - 30))
    if seen:
        fed.entry(dead)
        fed.entry(replace(dead, state=State.DELIVERED).at(NOW, State.DELIVERED))
        fed.index.age(Kind.LEDGER, PARTITION, 2)

    assert fed.index.counts() == {}
    assert fed.index.rows(Wanted(), NOW, 10) == (0, [])
    (number, (row,)) = fed.index.rows(Wanted(states=frozenset({state})), NOW, 10)
    assert (number, row.id, row.past, row.why) == (1, dead.id, True, "HTTP_422")
    assert row.to_json(NOW)["past"] is True
    (known,) = fed.index.chain(dead.chain)
    assert known.row.past
    assert known.steps == (Told(iso(NOW - 30), state.value, "HTTP_422"),)


def test_what_was_given_up_is_counted_by_when_it_came() -> None:
    fed, queued = Fed(), NOW - 50
    for record, state in enumerate([State.DEAD, State.REJECTED, State.DELIVERED], start=1):
        fed.entry(entry(state, record, final=True).at(queued, State.QUEUED).at(NOW, state))
    fed.entry(entry(State.DEAD, 4, final=True).at(NOW - 5, State.QUEUED))
    fed.entry(entry(State.DEAD, 5, final=True))  # when it came is not known: when it was committed
    past = entry(State.DEAD, 6, final=True)
    fed.letter(Letter(past, NOW))

    assert fed.index.given_up(queued) == {"shop": 1}
    assert fed.index.given_up(queued + 1) == {"shop": 3}
    assert fed.index.given_up(NOW) == {"shop": 4}


@pytest.mark.parametrize("state", [State.DEAD, State.REJECTED])
def test_what_the_ledger_still_knows_to_be_given_up_needs_somebody(state: State) -> None:
    fed, dead = Fed(), entry(state, final=True)
    fed.letter(Letter(dead, NOW))
    fed.entry(dead)

    assert fed.index.counts()["shop"].states == {state: 1}
    (_, (row,)) = fed.index.rows(Wanted(), NOW, 10)
    assert (row.id, row.past) == (dead.id, False)


@pytest.mark.parametrize(
    ("state", "final", "listed"),
    [
        pytest.param(State.ACCEPTED, True, False, id="accepted for good"),
        pytest.param(State.ACCEPTED, False, True, id="accepted, the target's word to come"),
        pytest.param(State.DELIVERED, True, False, id="delivered"),
        pytest.param(State.SUPERSEDED, True, False, id="superseded"),
        pytest.param(State.REJECTED, True, True, id="rejected"),
        pytest.param(State.DEAD, True, True, id="dead"),
    ],
)
def test_without_a_state_the_unsettled_ones_are_listed(
    state: State,
    final: bool,  # noqa: FBT001  a parameter of the test
    listed: bool,  # noqa: FBT001  likewise
) -> None:
    row = Row.of_entry(entry(state, final=final))

    assert Wanted().holds(row, NOW) is listed
    assert Wanted(states=frozenset({state})).holds(row, NOW)
