"""Drafts in a worker's core: filled before they go, once for all, and held while Odoo is away."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.delivery import Delivery
from schemas.state import State
from streams.chains.drafts import WANTING
from streams.chains.outcome import Refused, Unavailable
from streams.drafts import AT_ONCE, CROWD
from streams.filling.reads import Away
from streams.partitions.ports import StateTopic
from streams.sending.holds import Reason
from tests.core_rig import TERMS, Rig
from tests.deliveries import a_delivery, a_draft, other_route
from tests.operator_rig import Operator

LATEST = replace(TERMS, history="latest")
DOWN = Away("connection refused")
BUSY = Unavailable("WSO2 answered 503", http_status=503)
NO = Refused("WSO2 answered 422", "HTTP_422", "", 422)


def images(rig: Rig) -> list[object]:
    """Return what was sent of each call's image; "-" where it was left out."""
    bodies = (json.loads(delivery.body)["data"]["fields"] for delivery, _ in rig.wso2.calls)
    return [fields.get("image", "-") for fields in bodies]


def held(rig: Rig) -> list[Reason]:
    return [hold.reason for hold in rig.core.permits.holds.standing()]


async def filled_and_sent(rig: Rig) -> None:
    await rig.fill()
    await rig.later(0.0)


async def test_a_draft_waits_until_it_has_its_values_then_goes_as_any_other(rig: Rig) -> None:
    draft = a_draft()
    await rig.deliver(draft)
    await rig.later(0.0)
    before = list(rig.wso2.calls)

    await filled_and_sent(rig)

    assert before == []
    assert images(rig) == ["read 1"]
    assert [attempt for _, attempt in rig.wso2.calls] == [1]
    assert rig.state(draft) is State.ACCEPTED
    assert rig.log.items() == {}


async def test_a_draft_that_waits_says_what_for(rig: Rig) -> None:
    draft = a_draft()

    await rig.deliver(draft)

    assert rig.log.entries()[draft.id].why == WANTING


async def test_deliveries_with_all_their_values_never_ask_odoo(rig: Rig) -> None:
    await rig.deliver(a_delivery())
    await rig.fill()

    assert rig.odoo.asked == []
    assert len(rig.wso2.taken) == 1


async def test_law_2_a_draft_holds_its_chain_and_no_other(rig: Rig) -> None:
    draft = a_draft(record=7)
    behind = a_delivery(record=7, body=b'{"data":{"fields":{}}}')
    other = a_delivery()

    await rig.deliver(draft, behind, other)
    await rig.later(0.0)
    first = list(rig.wso2.taken)
    await filled_and_sent(rig)
    await rig.later(0.0)

    assert first == [other.id]
    assert rig.wso2.taken == [other.id, draft.id, behind.id]


async def test_what_stands_before_a_draft_goes_at_once(rig: Rig) -> None:
    before = a_delivery(record=7)
    draft = a_draft(record=7)

    await rig.deliver(before, draft)

    assert rig.wso2.taken == [before.id]
    assert set(rig.log.items()) == {draft.id}


async def test_drafts_that_are_due_are_filled_with_one_read(rig: Rig) -> None:
    drafts = [a_draft() for _ in range(AT_ONCE)]
    await rig.deliver(*drafts)

    await filled_and_sent(rig)

    assert [len(asked.ids) for asked in rig.odoo.asked] == [AT_ONCE]
    assert images(rig) == ["read 1"] * AT_ONCE


async def test_law_9_only_so_many_are_filled_at_once(rig: Rig) -> None:
    await rig.deliver(*(a_draft() for _ in range(AT_ONCE + 1)))

    await rig.fill()
    first = [len(asked.ids) for asked in rig.odoo.asked]
    await rig.fill()

    assert first == [AT_ONCE]
    assert [len(asked.ids) for asked in rig.odoo.asked] == [AT_ONCE, 1]


async def test_nothing_is_remembered_from_one_batch_to_the_next(rig: Rig) -> None:
    await rig.deliver(a_draft(record=7))
    await filled_and_sent(rig)
    await rig.deliver(a_draft(record=7))
    await filled_and_sent(rig)

    assert images(rig) == ["read 1", "read 2"]


# --- the same id never has two bodies


async def test_law_3_what_goes_out_is_written_down_before_it_goes(rig: Rig) -> None:
    draft = a_draft()
    await rig.deliver(draft)
    stood: list[Delivery] = []
    rig.wso2.watch = lambda sent: stood.append(rig.log.items()[sent.id].delivery)

    await filled_and_sent(rig)

    assert [each.body for each in stood] == [delivery.body for delivery, _ in rig.wso2.calls]
    assert stood[0].wants == ()


async def test_law_3_a_retry_sends_the_same_values_although_odoo_has_others(rig: Rig) -> None:
    draft = a_draft()
    rig.wso2.script.append(BUSY)
    await rig.deliver(draft)
    await filled_and_sent(rig)

    await rig.later(10.1)
    await rig.fill()

    assert images(rig) == ["read 1", "read 1"]
    assert len(rig.odoo.asked) == 1


async def test_law_3_killed_between_reading_and_writing_it_is_read_again(rig: Rig) -> None:
    draft, answer = a_draft(), asyncio.Event()
    await rig.deliver(draft)
    rig.odoo.script.append(answer)
    asked = asyncio.create_task(rig.drafts.turn())
    await rig.settled()
    await rig.power_cut()
    assert asked.done()
    await rig.begin()

    await filled_and_sent(rig)

    assert images(rig) == ["read 2"]
    assert len({delivery.body for delivery, _ in rig.wso2.calls}) == 1


async def test_law_3_killed_between_writing_and_sending_it_goes_as_it_was_written(
    rig: Rig,
) -> None:
    draft = a_draft()
    await rig.deliver(draft)
    await rig.fill()
    await rig.power_cut()
    await rig.begin()

    await filled_and_sent(rig)

    assert images(rig) == ["read 1"]


async def test_law_3_what_a_dead_letter_holds_is_what_had_gone_out(
    rig: Rig, operator: Operator
) -> None:
    draft = a_draft()
    rig.wso2.script.append(NO)
    await rig.deliver(draft)
    await filled_and_sent(rig)

    counts = await operator.retry(ids=[draft.id])
    await filled_and_sent(rig)

    assert counts == {"put_back": 1}
    assert images(rig) == ["read 1", "read 1"]


async def test_law_3_a_draft_whose_message_is_nowhere_any_more_is_not_made_anew(
    rig: Rig, operator: Operator
) -> None:
    draft = a_draft()
    arrival = rig.arrival(draft)
    operator.queue[arrival.offset] = draft
    await rig.forwarder.deliver([arrival])
    await filled_and_sent(rig)
    await rig.hear(Acknowledgement(draft.id, "rejected"))

    counts = await operator.retry(ids=[draft.id])
    await filled_and_sent(rig)

    assert counts == {"gone": 1}
    assert images(rig) == ["read 1"]


# --- as of the event


async def test_a_record_that_has_moved_on_leaves_its_value_out_and_says_so(rig: Rig) -> None:
    rig.odoo.written = "2026-11-23 10:00:07"
    await rig.deliver(a_draft())

    await filled_and_sent(rig)

    assert images(rig) == ["-"]
    (sent, _) = rig.wso2.calls[0]
    assert json.loads(sent.body)["data"]["record"]["moved_on"] == ["image"]
    assert rig.meter.counts["moved_on"] == 1


async def test_one_that_a_newer_replaces_while_it_waits_is_never_read(rig: Rig) -> None:
    older, newer = a_draft(record=7), a_draft(record=7)

    await rig.deliver(older, newer, terms=LATEST)
    await filled_and_sent(rig)

    assert rig.state(older) is State.SUPERSEDED
    assert rig.wso2.taken == [newer.id]
    assert len(rig.odoo.asked) == 1


async def test_one_that_a_newer_replaces_while_it_is_read_does_not_come_back(rig: Rig) -> None:
    older, newer, answer = a_draft(record=7), a_draft(record=7), asyncio.Event()
    await rig.deliver(older, terms=LATEST)
    rig.odoo.script.append(answer)
    reading = asyncio.create_task(rig.drafts.turn())
    await rig.settled()

    await rig.deliver(newer, terms=LATEST)
    answer.set()
    await reading
    await filled_and_sent(rig)

    assert rig.state(older) is State.SUPERSEDED
    assert rig.wso2.taken == [newer.id]


async def test_a_word_that_comes_while_it_is_read_ends_it(rig: Rig) -> None:
    draft, answer = a_draft(), asyncio.Event()
    await rig.deliver(draft)
    rig.odoo.script.append(answer)
    reading = asyncio.create_task(rig.drafts.turn())
    await rig.settled()

    await rig.hear(Acknowledgement(draft.id, "delivered"))
    answer.set()
    await reading
    await filled_and_sent(rig)

    assert rig.state(draft) is State.DELIVERED
    assert rig.wso2.calls == []


# --- Odoo away


async def test_law_1_while_odoo_is_away_drafts_wait_and_others_go(rig: Rig) -> None:
    rig.odoo.down = DOWN
    drafts, other = [a_draft() for _ in range(3)], a_delivery()
    await rig.deliver(*drafts, other)
    await rig.fill()

    waits = [rig.log.items()[draft.id] for draft in drafts]
    assert rig.wso2.taken == [other.id]
    assert [(item.attempt, item.delivery.wants != ()) for item in waits] == [(0, True)] * 3
    assert held(rig) == [Reason.ODOO]
    assert "connection refused" in waits[0].why

    rig.odoo.down = None
    await rig.later(1.0)
    await rig.fill()
    await rig.fill()
    await rig.later(0.0)

    assert sorted(rig.wso2.taken) == sorted(each.id for each in (*drafts, other))
    assert held(rig) == []


async def test_one_draft_asks_for_all_with_pauses_that_double_up_to_a_minute(rig: Rig) -> None:
    rig.odoo.down = DOWN
    await rig.deliver(*(a_draft() for _ in range(5)))
    await rig.fill()
    asked = [(0.0, len(rig.odoo.asked[0].ids))]

    for second in range(1, 200):
        rig.clock.now += 1.0
        number = len(rig.odoo.asked)
        await rig.fill()
        asked += [(float(second), len(each.ids)) for each in rig.odoo.asked[number:]]

    assert [at for at, _ in asked] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]
    assert [records for _, records in asked] == [5, *[1] * 8]


async def test_a_key_that_is_not_taken_is_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.odoo.down = Away("Wrong login ID or password", unauthorised=True)
    await rig.deliver(a_draft())

    for _ in range(3):
        await rig.fill()
        rig.clock.now += 60.0

    alarms = [each for each in caplog.records if getattr(each, "action", "") == "alarm"]
    assert [getattr(each, "alarm", "") for each in alarms] == ["odoo_unauthorised"]
    assert rig.meter.counts["odoo_away"] == 3


async def test_an_odoo_that_stays_away_is_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.odoo.down = DOWN
    await rig.deliver(a_draft())

    for _ in range(12):
        await rig.fill()
        rig.clock.now += 60.0

    alarms = [getattr(each, "alarm", "") for each in caplog.records if hasattr(each, "alarm")]
    assert alarms == ["odoo_away"]


async def test_law_9_a_queue_rests_while_odoo_has_enough_to_answer_of_it(rig: Rig) -> None:
    await rig.deliver(*(a_draft() for _ in range(CROWD + AT_ONCE)))

    await rig.fill()
    rests = rig.halt.halts("webshop"), rig.halt.halts("other")
    await rig.fill()
    await rig.fill()

    assert rests == (True, False)
    assert not rig.halt.halts("webshop")


async def test_while_odoo_is_away_no_queue_rests_for_its_drafts(rig: Rig) -> None:
    await rig.deliver(*(a_draft() for _ in range(CROWD + 2 * AT_ONCE)))
    await rig.fill()
    rig.odoo.down = DOWN

    await rig.fill()

    assert not rig.halt.halts("webshop")


# --- faults of one record


async def test_law_7_what_odoo_refuses_of_one_record_counts_and_ends_as_a_dead_letter(
    rig: Rig,
) -> None:
    bad, good = a_draft(record=7), a_draft(record=8)
    rig.odoo.spoilt = {7}
    await rig.deliver(bad, good)

    await filled_and_sent(rig)
    first = rig.log.entries()[bad.id]
    for pause in (10.1, 20.1):
        rig.clock.now += pause
        await rig.fill()

    entry = rig.log.entries()[bad.id]
    assert rig.wso2.taken == [good.id]
    assert (first.state, first.attempt) == (State.WAITING, 1)
    assert "no right" in first.why
    assert (entry.state, entry.attempt, entry.code) == (State.DEAD, 3, "ODOO")
    assert "source.odoo.user" in entry.why
    assert len(rig.log.letters()) == 1


async def test_what_was_dead_for_want_of_a_right_is_read_anew_when_it_is_put_back(
    rig: Rig, operator: Operator
) -> None:
    draft = a_draft(record=7)
    rig.odoo.spoilt = {7}
    await rig.deliver(draft, terms=replace(TERMS, retry=()))
    await rig.fill()
    rig.odoo.spoilt.clear()

    counts = await operator.retry(ids=[draft.id])
    await filled_and_sent(rig)

    assert counts == {"put_back": 1}
    assert rig.state(draft) is State.ACCEPTED
    assert [attempt for _, attempt in rig.wso2.calls] == [1]


async def test_once_it_has_its_values_its_attempts_count_from_one(rig: Rig) -> None:
    draft = a_draft(record=7)
    rig.odoo.spoilt = {7}
    await rig.deliver(draft)
    await rig.fill()
    rig.odoo.spoilt.clear()
    rig.clock.now += 10.1

    await filled_and_sent(rig)

    assert [attempt for _, attempt in rig.wso2.calls] == [1]


async def test_law_10_a_value_that_cannot_be_sent_is_dead_at_once(rig: Rig) -> None:
    sent = a_draft()
    draft = replace(sent, wants=(replace(sent.wants[0], kind="binary"),))
    await rig.deliver(draft)

    await rig.fill()

    entry = rig.log.entries()[draft.id]
    assert (entry.state, entry.code) == (State.DEAD, "UNSENDABLE")
    assert rig.wso2.calls == []


# --- what is held back


async def test_what_is_paused_is_not_read_before_it_may_go(rig: Rig, operator: Operator) -> None:
    await operator.ask("pause", target="webshop")
    await rig.deliver(a_draft())
    await rig.fill()
    before = len(rig.odoo.asked)

    await operator.ask("resume", target="webshop")
    await filled_and_sent(rig)

    assert before == 0
    assert images(rig) == ["read 1"]


async def test_a_target_that_fails_can_be_tried_with_what_was_a_draft(rig: Rig) -> None:
    rig.wso2.down["webshop"] = BUSY
    await rig.deliver(*(a_draft() for _ in range(6)))
    await filled_and_sent(rig)
    assert Reason.BREAKER in held(rig)
    late = a_draft()
    await rig.deliver(late)
    rig.wso2.down.clear()

    for _ in range(30):
        await rig.fill()
        await rig.later(5.0)

    assert late.id in rig.wso2.taken
    assert len(rig.wso2.taken) == 7


async def test_drafts_alone_do_not_keep_a_closed_gate_closed(rig: Rig) -> None:
    rig.wso2.script.append(Unavailable("no connection", counted=False))
    await rig.deliver(a_draft())
    await filled_and_sent(rig)
    assert Reason.WSO2 in held(rig)
    await rig.deliver(a_draft())

    for _ in range(10):
        await rig.fill()
        await rig.later(2.0)

    assert len(rig.wso2.taken) == 2


async def test_two_routes_of_one_event_go_in_their_order(rig: Rig) -> None:
    draft = a_draft(record=7)
    plain = other_route(replace(draft, wants=(), operation="leave"))

    await rig.deliver(plain, draft)
    await filled_and_sent(rig)

    assert rig.wso2.taken == [plain.id, draft.id]


async def test_a_cache_that_is_made_anew_knows_what_is_a_draft(rig: Rig) -> None:
    draft = a_draft()
    await rig.deliver(draft)
    await rig.power_cut()
    for cache in rig.folder.glob("**/data.mdb"):
        cache.unlink()
    await rig.begin()

    await filled_and_sent(rig)

    assert images(rig) == ["read 1"]
    assert rig.log.latest(StateTopic.RETRIES) == {}
