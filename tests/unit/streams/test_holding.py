"""What is held back: a target that fails, one outside its window, all while WSO2 is away."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.config import Window
from schemas.delivery import Delivery
from schemas.state import State
from streams.chains.dead_letter import Letter
from streams.chains.outcome import Accepted, Refused, Unauthorised, Unavailable
from streams.sending.breaker import Stage
from tests.core_rig import ASKED, TERMS, Rig
from tests.deliveries import a_delivery

FAILS = Unavailable("WSO2 answered 503", http_status=503)
AWAY = Unavailable("no connection", counted=False)
LONG = replace(ASKED, ack_timeout=600.0)


async def fail(rig: Rig, number: int = 5) -> list[Delivery]:
    """Let a target fail as often as makes its breaker open; return what failed."""
    rig.wso2.down["webshop"] = FAILS
    failed = [a_delivery() for _ in range(number)]
    await rig.deliver(*failed)
    return failed


def stage(rig: Rig, target: str = "webshop") -> Stage:
    return rig.core.figures().breakers[target]


def calls(rig: Rig) -> list[str]:
    """Return what was sent since the last time."""
    sent = [delivery.id for delivery, _ in rig.wso2.calls]
    rig.wso2.calls.clear()
    return sent


async def test_law_7_a_target_that_fails_holds_up_no_other(rig: Rig) -> None:
    await fail(rig)
    other, late = a_delivery(target="shop"), a_delivery()

    await rig.deliver(other)
    await rig.deliver(late)

    assert stage(rig) is Stage.OPEN
    assert rig.state(other) is State.ACCEPTED
    assert rig.halt.halts("webshop")
    assert not rig.halt.halts("shop")
    assert late.id not in calls(rig)
    assert rig.log.items()[late.id].why == "webshop fails: WSO2 answered 503"


@pytest.mark.parametrize(("failures", "chains"), [(4, 4), (9, 2)])
async def test_few_failures_and_those_of_few_chains_hold_nothing_back(
    rig: Rig, failures: int, chains: int
) -> None:
    terms = replace(TERMS, retry=(1.0,) * 20)
    rig.wso2.down["webshop"] = FAILS
    await rig.deliver(*(a_delivery(record=n + 1) for n in range(chains)), terms=terms)
    while len(rig.wso2.calls) < failures:
        await rig.later(1.0)

    assert stage(rig) is Stage.CLOSED


async def test_a_success_between_failures_ends_their_row(rig: Rig) -> None:
    await fail(rig, 4)
    rig.wso2.script.append(Accepted())
    await rig.deliver(a_delivery())

    await fail(rig, 4)

    assert stage(rig) is Stage.CLOSED


async def test_while_a_target_is_away_for_a_day_nothing_is_counted_and_nothing_dies(
    rig: Rig,
) -> None:
    failed = await fail(rig)
    behind = a_delivery()
    await rig.deliver(behind)
    calls(rig)

    for _ in range(24 * 60):
        await rig.later(60.0)
    assert stage(rig) is Stage.OPEN
    tried = calls(rig)
    rig.wso2.down.clear()
    for _ in range(5):
        await rig.later(60.0)

    assert len(tried) == pytest.approx(24 * 60, rel=0.01)  # one a minute
    assert set(tried) == {each.id for each in [*failed, behind]}
    assert rig.log.letters() == []
    entries = rig.log.entries()
    assert [entries[each.id].state for each in [*failed, behind]] == [State.ACCEPTED] * 6
    assert [entries[each.id].attempt for each in [*failed, behind]] == [2] * 5 + [1]


async def test_trials_go_one_at_a_time_with_pauses_that_double(rig: Rig) -> None:
    await fail(rig)
    await rig.deliver(a_delivery(), a_delivery())
    calls(rig)

    begun = []
    for second in range(1, 70):
        await rig.later(1.0)
        begun += [second] * len(calls(rig))

    assert begun == [1, 3, 7, 15, 31, 63]


async def test_a_pause_that_is_asked_for_is_kept_by_trials_too(rig: Rig) -> None:
    await fail(rig)
    behind = a_delivery()
    await rig.deliver(behind)
    rig.wso2.down["webshop"] = replace(FAILS, retry_after=45.0)
    calls(rig)

    await rig.later(1.0)
    assert calls(rig) == [behind.id]
    await rig.later(44.0)
    assert calls(rig) == []
    assert rig.log.items()[behind.id].due == rig.clock.now + 1
    await rig.later(1.0)
    assert len(calls(rig)) == 1


async def test_where_nothing_of_a_target_is_at_hand_its_queue_is_read_for_a_trial(
    rig: Rig,
) -> None:
    await fail(rig)  # these wait for their rungs
    assert rig.halt.halts("webshop")

    await rig.later(1.0)
    assert not rig.halt.halts("webshop")
    rig.wso2.down.clear()
    first, second = a_delivery(), a_delivery()
    calls(rig)
    await rig.deliver(first, second)
    assert calls(rig) == []
    await rig.later(0)

    assert calls(rig)[0] == first.id
    assert stage(rig) is Stage.RETURNING
    await rig.later(0)
    assert rig.state(second) is State.ACCEPTED


async def test_missed_acknowledgements_open_and_a_202_alone_does_not_close(rig: Rig) -> None:
    silent = [a_delivery() for _ in range(8)]
    await rig.deliver(*silent, terms=ASKED)
    await rig.later(60.0)
    assert stage(rig) is Stage.OPEN
    attempts = sorted(item.attempt for item in rig.log.items().values())
    assert attempts == [0, 0, 0, 1, 1, 1, 1, 1]
    calls(rig)

    await rig.later(1.0)
    (first,) = calls(rig)
    await rig.later(30.0)
    assert stage(rig) is Stage.OPEN
    assert calls(rig) == []  # its word may still come
    await rig.later(30.0)  # it did not: the trial has failed
    await rig.later(2.0)
    (second,) = calls(rig)
    assert second != first
    assert rig.log.items()[first].attempt <= 1
    await rig.hear(Acknowledgement(second, "delivered"))

    assert stage(rig) is Stage.RETURNING
    assert rig.log.letters() == []


async def test_a_word_that_asks_for_another_attempt_is_a_failure_too(rig: Rig) -> None:
    asking = [a_delivery() for _ in range(6)]
    await rig.deliver(*asking, terms=ASKED)

    await rig.hear(*(Acknowledgement(each.id, "retry", attempt=1) for each in asking))

    assert stage(rig) is Stage.OPEN
    assert [rig.log.items()[each.id].attempt for each in asking] == [1] * 5 + [0]


async def test_law_7_a_target_that_waits_for_other_records_is_not_away(rig: Rig) -> None:
    early = [a_delivery() for _ in range(9)]
    await rig.deliver(*early, terms=ASKED)

    words = (Acknowledgement(e.id, "retry", attempt=1, http_status=425) for e in early)
    await rig.hear(*words)

    assert stage(rig) is Stage.CLOSED
    assert {rig.log.items()[each.id].attempt for each in early} == {1}
    assert {rig.state(each) for each in early} == {State.WAITING}


async def test_a_target_that_rejects_is_not_away(rig: Rig) -> None:
    rejected = [a_delivery() for _ in range(9)]
    await rig.deliver(*rejected, terms=ASKED)

    await rig.hear(*(Acknowledgement(each.id, "rejected") for each in rejected))

    assert stage(rig) is Stage.CLOSED


async def test_a_target_that_is_back_gets_twice_as_many_with_every_round(rig: Rig) -> None:
    await fail(rig)
    waiting = [a_delivery() for _ in range(40)]
    await rig.deliver(*waiting, terms=LONG)
    rig.wso2.down.clear()
    calls(rig)
    rounds = []

    await rig.later(1.0)
    for _ in range(5):
        sent = calls(rig)
        rounds.append(len(sent))
        await rig.later(0)
        assert calls(rig) == []  # nothing more before the target has answered
        await rig.hear(*(Acknowledgement(name, "delivered") for name in sent))
        await rig.later(0)

    assert rounds == [1, 2, 4, 8, 16]


async def test_a_target_with_little_to_get_has_returned_when_none_had_to_wait(rig: Rig) -> None:
    await fail(rig)
    rig.wso2.down.clear()
    await rig.later(10.0)
    assert stage(rig) is Stage.RETURNING

    await rig.later(5.0)
    assert stage(rig) is Stage.RETURNING
    await rig.later(5.0)

    assert stage(rig) is Stage.CLOSED
    assert rig.core.figures().holds == ()


async def test_while_wso2_and_a_target_are_away_wso2_is_tried_in_peace(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(rig)
    await rig.deliver(a_delivery())  # waits for the target
    rig.wso2.down = {"shop": AWAY, "webshop": AWAY}
    await rig.deliver(a_delivery(target="shop"))
    await rig.later(0.2)
    rig.wso2.down["shop"] = Refused("WSO2 answered 422")
    calls(rig)

    with caplog.at_level(logging.INFO):
        for _ in range(60):
            await rig.later(0.5)

    said = [vars(record)["action"] for record in caplog.records]
    assert said.count("gate_opened") <= 1
    assert len(calls(rig)) < 20


async def test_a_target_that_fails_again_as_it_comes_back_is_left_alone_for_longer(
    rig: Rig,
) -> None:
    await fail(rig)
    await rig.deliver(*(a_delivery() for _ in range(20)))
    rig.wso2.script.append(Accepted())

    await rig.later(1.0)
    assert stage(rig) is Stage.RETURNING
    for _ in range(4):
        await rig.later(0)
    assert stage(rig) is Stage.OPEN
    calls(rig)
    await rig.later(1.0)
    assert calls(rig) == []
    await rig.later(1.0)

    assert len(calls(rig)) == 1


async def test_a_worker_that_starts_again_learns_it_again(rig: Rig) -> None:
    await fail(rig)

    await rig.power_cut()
    await rig.begin()

    assert rig.core.figures().breakers == {}
    await fail(rig)
    assert stage(rig) is Stage.OPEN


async def test_a_trial_whose_chain_went_to_another_worker_is_followed_by_another(
    rig: Rig,
) -> None:
    silent = [a_delivery() for _ in range(8)]
    await rig.deliver(*silent, terms=ASKED)
    await rig.later(60.0)
    await rig.later(1.0)
    calls(rig)

    await rig.core.revoke([0])
    await rig.core.assign([0])
    await rig.later(0)

    assert len(calls(rig)) == 1


async def test_a_target_that_fails_for_long_is_an_alarm(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    await fail(rig)
    with caplog.at_level(logging.INFO):
        for _ in range(12):
            await rig.later(60.0)
        rig.wso2.down.clear()
        await rig.later(60.0)

    said = [record for record in caplog.records if record.name == "streams.sending.breaker"]
    assert [vars(record)["action"] for record in said] == [
        "breaker_opened",
        "alarm",
        "breaker_closed",
    ]
    assert vars(said[1])["target"] == "webshop"


async def test_after_a_delivery_that_wso2_forbids_another_chain_is_tried(rig: Rig) -> None:
    forbidden, other = a_delivery(), a_delivery()
    rig.wso2.script.append(Unauthorised("WSO2 answered 403"))
    await rig.deliver(forbidden)
    await rig.deliver(other)
    rig.wso2.script.append(Unauthorised("WSO2 answered 403"))
    calls(rig)

    await rig.later(0.2)
    await rig.later(0.4)

    assert calls(rig)[:2] == [forbidden.id, other.id]
    assert not rig.halt.halted


async def go_on(rig: Rig, more: list[Delivery], seconds: float) -> None:
    """Let time pass; each second one more comes, where its send queue is read."""
    for _ in range(int(seconds)):
        await rig.later(1.0)
        if more and not rig.halt.halted:
            await rig.deliver(more.pop(0))


@pytest.mark.parametrize("number", [3, 10])
async def test_law_7_records_that_fail_by_themselves_stop_no_target(rig: Rig, number: int) -> None:
    bad = [a_delivery() for _ in range(number)]
    rig.wso2.spoilt = {each.id: FAILS for each in bad}
    for each in bad:
        await rig.deliver(each)
    good = [a_delivery() for _ in range(60)]
    wanted = [each.id for each in good]

    await go_on(rig, good, 3600)

    assert sorted(rig.wso2.taken) == sorted(wanted)
    assert [rig.state(each) for each in bad] == [State.DEAD] * number
    assert stage(rig) is Stage.CLOSED


async def test_while_a_target_is_away_little_of_its_queue_is_read(rig: Rig) -> None:
    failed = await fail(rig)
    more = [a_delivery() for _ in range(2000)]
    rig.wso2.down["webshop"] = FAILS

    await go_on(rig, more, 3600)

    tried = {delivery.id for delivery, _ in rig.wso2.calls}
    assert 2000 - len(more) == pytest.approx(len(tried) - len(failed), abs=2)


async def test_law_7_a_record_that_wso2_forbids_stops_no_other(rig: Rig) -> None:
    forbidden = a_delivery()
    rig.wso2.spoilt = {forbidden.id: Unauthorised("WSO2 answered 403", 403)}
    await rig.deliver(forbidden)
    good = [a_delivery() for _ in range(20)]
    wanted = [each.id for each in good]

    await go_on(rig, good, 120)

    assert rig.wso2.taken == wanted
    assert not rig.halt.halted
    assert rig.state(forbidden) is State.DEAD
    (letter,) = map(Letter.from_json, rig.log.letters())
    assert letter.entry.why == "WSO2 answered 403, and not to others; given up after 3 attempts"


async def test_an_answer_that_may_pass_lets_nobody_in(rig: Rig) -> None:
    """WSO2 is there, but whether it knows us is not said."""
    chain = a_delivery().record_id
    rig.wso2.script.append(Unauthorised("WSO2 answered 401", 401))
    await rig.deliver(a_delivery(record=chain))
    rig.wso2.script.extend([Unauthorised("WSO2 answered 401", 401), FAILS])
    other = a_delivery()
    await rig.deliver(other)
    for _ in range(2):
        await rig.later(1.0)
    assert not rig.halt.halted

    rig.wso2.down["webshop"] = Unauthorised("WSO2 answered 401", 401)
    await rig.later(1.0)

    assert rig.halt.halted
    waiting = rig.log.items().values()
    assert sorted(item.attempt for item in waiting) == [0, 1]  # 401 counts for nobody


async def test_what_was_let_in_again_closes_the_gate_like_any_other(rig: Rig) -> None:
    chain = a_delivery().record_id
    rig.wso2.script.append(Unauthorised("WSO2 answered 401", 401))
    await rig.deliver(a_delivery(record=chain))
    await go_on(rig, [a_delivery()], 10)
    assert len(rig.wso2.taken) == 2

    rig.wso2.script.append(Unauthorised("WSO2 answered 401", 401))
    await rig.deliver(a_delivery(record=chain))

    assert rig.halt.halted


async def test_what_is_held_is_held_for_what_went_wrong_last(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.wso2.down["webshop"] = AWAY
    await rig.deliver(a_delivery())
    (before,) = rig.core.figures().holds
    rig.wso2.down["webshop"] = replace(AWAY, why="its certificate has expired")
    with caplog.at_level(logging.INFO):
        for _ in range(10):
            await rig.later(5.0)

    (hold,) = rig.core.figures().holds
    assert hold.why == "WSO2 is not to be had: its certificate has expired"
    assert hold.since == before.since
    said = [record for record in caplog.records if record.name == "streams.sending.gate"]
    assert [vars(record)["reason"] for record in said] == [
        "no connection",
        "its certificate has expired",
    ]


async def test_each_time_that_wso2_goes_away_the_first_trial_comes_soon(rig: Rig) -> None:
    for _ in range(2):
        rig.wso2.script.append(AWAY)
        await rig.deliver(a_delivery())
        rig.wso2.script.extend([AWAY] * 3)
        calls(rig)
        await rig.later(0.19)
        assert calls(rig) == []
        await rig.later(0.01)
        assert len(calls(rig)) == 1
        for _ in range(4):
            await rig.later(5.0)
        assert not rig.halt.halted


async def test_a_refusal_tells_nothing_of_a_target_and_another_is_tried_at_once(
    rig: Rig,
) -> None:
    await fail(rig)
    bad, good = a_delivery(), a_delivery()
    await rig.deliver(bad)
    await rig.deliver(good)
    rig.wso2.down.clear()
    rig.wso2.script.append(Refused("WSO2 answered 422"))
    calls(rig)

    await rig.later(1.0)
    assert calls(rig) == [bad.id]
    assert stage(rig) is Stage.OPEN
    await rig.later(0)

    assert calls(rig) == [good.id]
    assert stage(rig) is Stage.RETURNING


async def test_while_wso2_is_away_no_acknowledgement_is_missed(rig: Rig) -> None:
    silent = a_delivery()
    await rig.deliver(silent, terms=ASKED)
    rig.wso2.script.extend([AWAY] * 3)
    await rig.deliver(a_delivery())

    await rig.later(60.0)

    assert rig.log.items()[silent.id].attempt == 0
    assert rig.log.items()[silent.id].state is State.WAITING


async def test_outside_its_window_a_target_gets_nothing_and_its_queue_rests(
    tmp_path: Path,
) -> None:
    rig = Rig(tmp_path)
    window = Window.parse("09:00-10:00 UTC")  # the rig begins at eight
    assert window is not None
    rig.windows["webshop"] = window
    await rig.begin()
    waits, other = a_delivery(), a_delivery(target="shop")

    await rig.deliver(waits, other)
    await rig.later(3599.0)
    assert calls(rig) == [other.id]
    assert (rig.halt.halts("webshop"), rig.halt.halts("shop")) == (True, False)
    assert rig.log.items()[waits.id].why == "outside the window of webshop"
    (hold,) = rig.core.figures().holds
    assert hold.until == rig.clock.now + 1

    await rig.later(1.0)
    assert calls(rig) == [waits.id]
    assert not rig.halt.halts("webshop")
    fails = a_delivery()
    rig.wso2.script.append(replace(FAILS, retry_after=3590.0))
    await rig.deliver(fails)
    calls(rig)
    await rig.later(3600.0)

    assert rig.halt.halts("webshop")
    await rig.later(22 * 3600.0)
    assert calls(rig) == []
    await rig.later(3600.0)
    assert calls(rig) == [fails.id]
    await rig.end()


async def test_a_window_that_has_closed_lets_the_targets_word_in(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    window = Window.parse("08:00-08:01 UTC")
    assert window is not None
    rig.windows["webshop"] = window
    await rig.begin()
    sent, silent = a_delivery(), a_delivery()
    await rig.deliver(sent, silent, terms=ASKED)

    rig.clock.now += 59.0
    await rig.later(1.0)
    await rig.hear(Acknowledgement(sent.id, "delivered"))

    assert rig.state(sent) is State.DELIVERED
    assert rig.state(silent) is State.WAITING
    await rig.later(100.0)
    assert len(calls(rig)) == 2
    await rig.end()
