"""What becomes of deliveries that repeat past events: they never follow a newer state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas import delivery as deliveries
from schemas.acknowledgement import Acknowledgement
from schemas.delivery import Delivery
from schemas.state import State
from streams.chains.item import Item
from streams.chains.ledger import iso
from streams.chains.outcome import Refused, Unavailable
from streams.partitions.ports import StateTopic
from tests.core_rig import ASKED, BEGIN, TERMS, Cut, PowerCut, Rig
from tests.deliveries import a_delivery, replay_of
from tests.operator_rig import Operator

BUSY = Unavailable("WSO2 answered 503", http_status=503)
LATEST = replace(ASKED, history="latest")


def three() -> tuple[Delivery, Delivery, Delivery]:
    """Return three states of one record."""
    first = a_delivery()
    return first, *(a_delivery(record=first.record_id) for _ in range(2))  # type: ignore[return-value]


def test_the_flag_travels_with_the_delivery_and_with_what_waits() -> None:
    forced = replay_of(a_delivery(), force_older=True)

    assert deliveries.decode(deliveries.encode(forced)) == forced
    waiting = Item(forced, TERMS, 7, 1_800_000_000.0)
    assert Item.from_json(waiting.to_json()) == waiting


async def test_law_2_a_replayed_older_state_never_follows_a_newer_one(rig: Rig) -> None:
    older, middle, newest = three()
    await rig.deliver(older, middle, newest)
    again = [replay_of(each) for each in (older, middle, newest)]

    await rig.deliver(*again)
    assert rig.wso2.taken == [older.id, middle.id, newest.id]  # first they have their endings
    await rig.later(0.1)

    assert rig.wso2.taken == [older.id, middle.id, newest.id, again[2].id]
    assert [rig.state(each) for each in again[:2]] == [State.SUPERSEDED] * 2
    entry = rig.log.entries()[again[0].id]
    assert entry.superseded_by == middle.id
    assert entry.why == f"a newer one had gone ahead: {middle.id}"
    assert rig.log.items() == {}


async def test_where_nothing_newer_is_known_the_past_goes_in_its_order(rig: Rig) -> None:
    again = [replay_of(each) for each in three()]

    await rig.deliver(*again)

    assert rig.wso2.taken == [each.id for each in again]


@pytest.mark.parametrize("waits", [False, True], ids=["in its queue", "as an item"])
async def test_law_2_one_that_outlives_the_ledger_is_not_sent(
    rig: Rig,
    waits: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """Its queue rested until nobody knew any more what had gone ahead of it."""
    older, newer, _ = three()
    await rig.deliver(newer)
    again, forced = replay_of(older), replay_of(older, 2, force_older=True)
    if waits:
        rig.wso2.script.append(Unavailable("no connection", counted=False))
        await rig.deliver(a_delivery())
        await rig.deliver(again)
        await rig.deliver(forced)
    await rig.later(8 * 86400.0)
    for _ in range(5):
        await rig.later(1.0)
    if not waits:
        await rig.deliver(again)
        await rig.deliver(forced)

    assert again.id not in rig.wso2.taken
    assert forced.id in rig.wso2.taken
    assert rig.log.entries()[again.id].state is State.SUPERSEDED


async def test_what_is_committed_meanwhile_goes_behind(rig: Rig) -> None:
    older, middle, newest = three()
    again = [replay_of(each) for each in (older, middle)]

    await rig.deliver(*again, newest)

    assert rig.wso2.taken == [again[0].id, again[1].id, newest.id]


async def test_law_2_it_does_not_pass_a_newer_one_whose_sending_nobody_could_write_down(
    rig: Rig,
) -> None:
    older, _, newest = three()
    rig.log.cut = Cut()
    with pytest.raises(PowerCut):
        await rig.deliver(newest)
    await rig.power_cut()
    await rig.begin()
    assert rig.wso2.taken == [newest.id]

    await rig.deliver(newest, replay_of(older))

    assert rig.wso2.taken == [newest.id]
    assert rig.state(replay_of(older)) is State.SUPERSEDED


async def test_one_behind_a_newer_that_waits_is_superseded(rig: Rig) -> None:
    older, middle, newest = three()
    rig.wso2.script.append(BUSY)
    await rig.deliver(newest)
    again = [replay_of(each) for each in (older, middle)]

    await rig.deliver(*again)

    assert [rig.state(each) for each in again] == [State.SUPERSEDED] * 2
    assert [each.id for each in rig.log.items().values()] == [newest.id]


async def test_one_that_stood_behind_a_newer_in_its_batch_goes_where_that_came_to_nothing(
    rig: Rig,
) -> None:
    older, _, newest = three()
    rig.wso2.script.append(Refused("not this one", http_status=422))

    await rig.deliver(newest, replay_of(older))
    await rig.later(0.1)

    assert rig.state(newest) is State.DEAD
    assert rig.wso2.taken == [replay_of(older).id]


async def test_a_newer_one_that_was_rejected_before_its_acceptance_was_written_is_one(
    rig: Rig,
) -> None:
    older, _, newest = three()
    rig.log.cut = Cut(0, {StateTopic.RETRIES: 1})
    with pytest.raises(PowerCut):
        await rig.deliver(newest, terms=ASKED)
    await rig.power_cut()
    await rig.begin()
    await rig.hear(Acknowledgement(newest.id, "rejected"))

    await rig.deliver(replay_of(older), terms=ASKED)

    assert rig.wso2.taken == [newest.id]
    assert rig.state(replay_of(older)) is State.SUPERSEDED


async def test_one_behind_a_newer_whose_word_is_awaited_is_superseded(rig: Rig) -> None:
    older, _, newest = three()
    await rig.deliver(newest, terms=ASKED)

    await rig.deliver(replay_of(older), terms=ASKED)

    assert rig.state(replay_of(older)) is State.SUPERSEDED
    await rig.hear(Acknowledgement(newest.id, "delivered"))
    assert rig.wso2.taken == [newest.id]


async def test_a_newer_one_that_wso2_never_took_is_no_hindrance(rig: Rig) -> None:
    older, _, newest = three()
    rig.wso2.script.append(Refused("not this one", http_status=422))
    await rig.deliver(newest)
    assert rig.state(newest) is State.DEAD

    await rig.deliver(replay_of(older))

    assert rig.wso2.taken == [replay_of(older).id]


async def test_a_newer_one_that_was_taken_and_rejected_is_one(rig: Rig) -> None:
    older, _, newest = three()
    await rig.deliver(newest, terms=ASKED)
    await rig.hear(Acknowledgement(newest.id, "rejected"))

    await rig.deliver(replay_of(older), terms=ASKED)

    assert rig.wso2.taken == [newest.id]
    assert rig.state(replay_of(older)) is State.SUPERSEDED


async def test_where_the_newest_is_enough_a_waiting_live_one_replaces_the_replayed(
    rig: Rig,
) -> None:
    older, _, newest = three()
    rig.wso2.script.append(BUSY)
    await rig.deliver(newest, terms=LATEST)

    await rig.deliver(replay_of(older), terms=LATEST)

    assert rig.state(replay_of(older)) is State.SUPERSEDED
    assert rig.state(newest) is State.WAITING


async def test_a_forced_one_goes_behind_the_newer_state(rig: Rig) -> None:
    older, middle, newest = three()
    await rig.deliver(older, middle, newest)
    again = [replay_of(each, force_older=True) for each in (older, middle)]

    await rig.deliver(*reversed(again))

    assert rig.wso2.taken[3:] == [each.id for each in again]


async def test_a_forced_one_that_was_given_up_is_put_back(rig: Rig, operator: Operator) -> None:
    older, _, newest = three()
    await rig.deliver(newest)
    forced = replay_of(older, force_older=True)
    rig.wso2.script.append(Refused("not this one", http_status=422))
    await rig.deliver(forced)
    assert rig.state(forced) is State.DEAD

    await operator.retry(ids=[forced.id])
    await rig.later(0.1)

    assert rig.wso2.taken == [newest.id, forced.id]


async def test_law_5_one_whose_newer_ones_the_ledger_may_have_forgotten_is_not_put_back(
    rig: Rig, operator: Operator
) -> None:
    again = replay_of(replace(a_delivery(), time=iso(BEGIN)))
    rig.wso2.script.append(Refused("not this one", http_status=422))
    rig.clock.now += rig.limits.retention - 5.0
    await rig.deliver(again)
    assert rig.state(again) is State.DEAD
    rig.clock.now += 10.0

    counts = await operator.retry(ids=[again.id])

    assert counts == {"forgotten": 1}
    assert rig.wso2.taken == []


@pytest.mark.parametrize("run", [1, 2])
async def test_a_portion_that_is_written_again_is_dropped(rig: Rig, run: int) -> None:
    again = replay_of(a_delivery(), run)
    await rig.deliver(again)

    await rig.deliver(again)

    assert rig.wso2.taken == [again.id]
    assert len(rig.wso2.calls) == 1
    assert rig.meter.counts["copies_dropped"] == 1
