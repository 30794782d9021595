from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.command import Answer, Progress
from schemas.delivery import Delivery
from schemas.kafka_errors import KafkaAway
from schemas.state import State
from streams import letters, requests, retrying
from streams.chains.dead_letter import stillborn
from streams.chains.outcome import Refused, Unavailable
from streams.partitions.ports import StateTopic, Write
from streams.rereading import Rereading
from tests.core_rig import ASKED, PARTITION, TERMS, Cut, PowerCut, Rig
from tests.deliveries import a_delivery, other_route
from tests.operator_rig import Operator

NO = Refused("WSO2 answered 422", "HTTP_422", "", 422)
BUSY = Unavailable("WSO2 answered 503", http_status=503)
SILENT = Unavailable("no answer within 10 s")
LATEST = replace(TERMS, history="latest")


def sent(rig: Rig) -> list[tuple[str, int]]:
    return [(delivery.id, attempt) for delivery, attempt in rig.wso2.calls]


async def test_what_waits_for_its_time_goes_now_and_counts_on(
    rig: Rig, operator: Operator
) -> None:
    waiting = a_delivery()
    rig.wso2.script.append(BUSY)
    await rig.deliver(waiting)

    counts = await operator.retry(ids=[waiting.id])
    await rig.later(0.1)

    assert counts == {"now": 1}
    assert sent(rig) == [(waiting.id, 1), (waiting.id, 2)]
    assert rig.state(waiting) is State.ACCEPTED


async def test_what_is_held_back_is_no_more_said_to_go_now_but_goes_when_it_may(
    rig: Rig, operator: Operator
) -> None:
    waiting = a_delivery()
    rig.wso2.script.append(BUSY)
    await rig.deliver(waiting)
    await operator.ask("pause", target=waiting.target)

    counts = await operator.retry(ids=[waiting.id])
    await rig.later(0.1)
    before = sent(rig)
    await operator.ask("resume", target=waiting.target)
    await rig.later(0.1)

    assert counts == {"in_turn": 1}
    assert before == [(waiting.id, 1)]
    assert sent(rig) == [(waiting.id, 1), (waiting.id, 2)]


async def test_law_3_what_is_dead_begins_anew_with_the_same_id_and_bytes(
    rig: Rig, operator: Operator
) -> None:
    dead = a_delivery(body=b'{"a": "K\xc3\xa4se"}')
    rig.wso2.script.extend([BUSY] * 3)
    await rig.deliver(dead)
    await rig.later(10.1)
    await rig.later(20.1)
    assert rig.state(dead) is State.DEAD

    counts = await operator.retry(all_dead=True)
    waiting = rig.log.items()[dead.id]
    await rig.later(0.1)

    assert counts == {"put_back": 1}
    assert (waiting.why, waiting.attempt) == ("put back by eve@host", 0)
    assert sent(rig)[-1] == (dead.id, 1)
    assert rig.wso2.calls[-1][0] == rig.wso2.calls[0][0] == dead
    assert rig.state(dead) is State.ACCEPTED


async def test_it_fails_again_as_any_other_and_can_be_put_back_again(
    rig: Rig, operator: Operator
) -> None:
    dead = a_delivery()
    rig.wso2.script.extend([NO, BUSY, BUSY, BUSY])
    await rig.deliver(dead)
    await operator.retry(all_dead=True)
    await rig.later(0.1)
    for pause in (10.1, 20.1):
        await rig.later(pause)
    assert rig.state(dead) is State.DEAD
    assert len(rig.log.letters()) == 2

    counts = await operator.retry(all_dead=True)
    await rig.later(0.1)

    assert counts == {"put_back": 1}
    assert rig.state(dead) is State.ACCEPTED


async def test_what_the_target_rejected_is_put_back(rig: Rig, operator: Operator) -> None:
    rejected = a_delivery()
    await rig.deliver(rejected, terms=ASKED)
    await rig.hear(Acknowledgement(rejected.id, "rejected"))

    counts = await operator.retry(chains=[rejected.chain])
    await rig.later(0.1)
    await rig.hear(Acknowledgement(rejected.id, "delivered"))

    assert counts == {"put_back": 1}
    assert rig.state(rejected) is State.DELIVERED


async def test_a_letter_without_a_body_is_completed_from_the_send_queue(
    rig: Rig, operator: Operator
) -> None:
    late, gone = a_delivery(), a_delivery()
    await rig.deliver(late, gone)
    await rig.hear(*(Acknowledgement(each.id, "rejected") for each in (late, gone)))
    operator.queue[1] = late

    counts = await operator.retry(targets=["webshop"])
    await rig.later(0.1)

    assert counts == {"put_back": 1, "gone": 1}
    assert sent(rig)[-1] == (late.id, 1)
    assert rig.state(gone) is State.REJECTED


async def test_law_2_an_older_one_that_a_newer_one_has_passed_is_superseded(
    rig: Rig, operator: Operator
) -> None:
    older, newer = a_delivery(record=7), a_delivery(record=7)
    rig.wso2.script.append(NO)
    await rig.deliver(older, newer)
    await rig.later(0.1)
    assert rig.state(newer) is State.ACCEPTED

    counts = await operator.retry(ids=[older.id])
    await rig.later(0.1)

    assert counts == {"superseded": 1}
    entry = rig.log.entries()[older.id]
    assert (entry.state, entry.final) == (State.SUPERSEDED, True)
    assert newer.id in entry.why
    assert sent(rig).count((older.id, 1)) == 1


async def test_law_2_all_dead_of_a_chain_go_again_in_order(rig: Rig, operator: Operator) -> None:
    chain = [a_delivery(record=7) for _ in range(3)]
    rig.wso2.script.extend([NO] * 3)
    await rig.deliver(*chain)
    for _ in chain:
        await rig.later(0.1)
    assert [rig.state(each) for each in chain] == [State.DEAD] * 3

    counts = await operator.retry(all_dead=True)
    for _ in chain:
        await rig.later(0.1)

    assert counts == {"put_back": 3}
    assert rig.wso2.taken == [each.id for each in chain]


async def test_with_history_latest_the_newest_dead_one_goes(rig: Rig, operator: Operator) -> None:
    chain = [a_delivery(record=7) for _ in range(3)]
    rig.wso2.script.extend([NO] * 3)
    for each in chain:
        await rig.deliver(each, terms=LATEST)

    await operator.retry(all_dead=True)
    await rig.later(0.1)

    assert rig.wso2.taken == [chain[2].id]
    assert [rig.state(each) for each in chain[:2]] == [State.SUPERSEDED] * 2


async def test_law_2_a_newer_one_that_waits_for_its_time_steps_back(
    rig: Rig, operator: Operator
) -> None:
    older, newer = a_delivery(record=7), a_delivery(record=7)
    rig.wso2.script.extend([NO, BUSY])
    await rig.deliver(older, newer)
    await rig.later(0.1)
    assert rig.state(newer) is State.WAITING

    await operator.retry(ids=[older.id])
    await rig.later(0.1)
    await rig.later(0.1)

    assert rig.wso2.taken == [older.id, newer.id]


async def test_law_2_while_its_chain_is_in_flight_nothing_is_put_back(
    rig: Rig, operator: Operator
) -> None:
    """A newer one is being sent that neither item nor ledger tells of yet."""
    older, newer = a_delivery(record=7), a_delivery(record=7)
    answer = asyncio.Event()
    rig.wso2.script.extend([NO, answer])
    rig.limits = replace(rig.limits, patience=100.0)
    await rig.end()
    await rig.begin()
    await rig.deliver(older)
    sending = asyncio.create_task(rig.deliver(newer))
    await rig.settled()

    asking = asyncio.create_task(operator.retry(ids=[older.id]))
    await rig.settled()
    assert rig.state(older) is State.DEAD
    answer.set()
    await sending

    assert await asking == {"superseded": 1}


async def test_law_2_what_comes_in_while_one_is_put_back_waits_behind_it(
    rig: Rig, operator: Operator
) -> None:
    older, newer = a_delivery(record=7), a_delivery(record=7)
    rig.wso2.script.append(NO)
    await rig.deliver(older)

    asking = asyncio.create_task(operator.retry(ids=[older.id]))
    while older.chain not in rig.core.in_flight:  # noqa: ASYNC110 - the core tells nobody
        await asyncio.sleep(0)
    await rig.deliver(newer)
    await asking
    await rig.later(0.1)
    await rig.later(0.1)

    assert rig.wso2.taken == [older.id, newer.id]


async def test_what_is_on_its_way_or_waits_for_its_turn_is_left_alone(
    rig: Rig, operator: Operator
) -> None:
    first, second = a_delivery(record=7), a_delivery(record=7)
    await rig.deliver(first, second, terms=ASKED)

    counts = await operator.retry(targets=["webshop"])
    await rig.later(0.1)

    assert counts == {"on_its_way": 1, "in_turn": 1}
    assert sent(rig) == [(first.id, 1)]


async def test_a_dry_run_changes_nothing(rig: Rig, operator: Operator) -> None:
    dead, waiting = a_delivery(), a_delivery()
    rig.wso2.script.extend([NO, BUSY])
    await rig.deliver(dead)
    await rig.deliver(waiting)
    written = len(rig.log.written)

    counts = await operator.retry(targets=["webshop"], dry_run=True)

    assert counts == {"now": 1, "put_back": 1}
    assert len(rig.log.written) == written


async def test_all_dead_leaves_what_waits_and_what_other_targets_have(
    rig: Rig, operator: Operator
) -> None:
    dead, waiting, other = a_delivery(), a_delivery(), a_delivery(target="erp")
    rig.wso2.script.extend([NO, BUSY, NO])
    for each in (dead, waiting, other):
        await rig.deliver(each)

    counts = await operator.retry(targets=["webshop"], all_dead=True)

    assert counts == {"put_back": 1}
    assert rig.state(waiting) is State.WAITING
    assert rig.state(other) is State.DEAD


async def test_what_is_older_than_the_ledger_is_not_put_back(rig: Rig, operator: Operator) -> None:
    dead = a_delivery()
    rig.wso2.script.append(NO)
    await rig.deliver(dead)
    rig.clock.now += rig.limits.retention + 1

    counts = await operator.retry(all_dead=True)

    assert counts == {"forgotten": 1}


async def test_a_command_that_is_done_twice_has_one_effect(rig: Rig, operator: Operator) -> None:
    dead, waiting = a_delivery(), a_delivery()
    rig.wso2.script.extend([NO, BUSY, BUSY, BUSY])
    await rig.deliver(dead)
    await rig.deliver(waiting)
    command = operator.command(targets=["webshop"])
    first = await operator.do(command)
    await rig.later(0.1)
    calls = len(rig.wso2.calls)

    again = await operator.do(command)
    await rig.later(0.1)

    assert first == {"now": 1, "put_back": 1}
    assert set(again) <= {"now", "put_back"}
    assert len(rig.wso2.calls) == calls


@pytest.mark.parametrize("later", [0.0, 0.1], ids=["it waits", "it was sent"])
async def test_no_body_is_found_again_for_what_the_command_has_put_back(
    rig: Rig, operator: Operator, later: float
) -> None:
    rejected = a_delivery()
    await rig.deliver(rejected)
    await rig.hear(Acknowledgement(rejected.id, "rejected"))
    operator.queue[1] = rejected
    command = operator.command(all_dead=True)
    await operator.do(command)
    if later:
        await rig.later(later)
    operator.looked.clear()

    assert await operator.do(command) == {"put_back": 1}
    assert operator.looked == []


@pytest.mark.parametrize("another", [False, True], ids=["the same command", "another"])
@pytest.mark.parametrize("through", [{}, {StateTopic.LEDGER: 2}, {StateTopic.RETRIES: 1}])
async def test_law_1_a_retry_that_a_power_cut_interrupts_is_done_again_whole(
    rig: Rig,
    operator: Operator,
    through: dict[StateTopic, int],
    another: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    dead = [a_delivery() for _ in range(2)]
    rig.wso2.script.extend([NO] * 2)
    for each in dead:
        await rig.deliver(each)
    command = operator.command(all_dead=True)
    rig.log.cut = Cut(0, through)
    with pytest.raises(PowerCut):
        await operator.do(command)
    await rig.power_cut()
    await rig.begin()

    await operator.do(operator.command(all_dead=True) if another else command)
    await rig.later(0.1)

    assert sorted(rig.wso2.taken) == sorted(each.id for each in dead)


async def test_law_2_nothing_is_put_back_before_its_queue_was_read_again(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer one may be there, sent by a worker that died before it could say so."""
    monkeypatch.setattr(letters, "_PATIENCE", 0.0)
    dead = [a_delivery(target="webshop"), a_delivery(target="shop"), a_delivery(target="webshop")]
    rig.wso2.script.extend([NO] * len(dead))
    for each in dead:
        await rig.deliver(each)
    settled = a_delivery(target="webshop")
    rig.wso2.script.append(NO)
    await rig.deliver(settled)
    await operator.retry(ids=[settled.id])
    await rig.later(0.1)
    unread = {"webshop/0"}

    async def left(ends: dict[str, int]) -> int:
        return len(unread & set(ends))

    monkeypatch.setattr(operator, "left", left)
    operator.rereading = Rereading(rig.core.partitions, operator)
    before = await operator.retry(all_dead=True)
    await rig.later(0.1)
    unread.clear()
    after = await operator.retry(all_dead=True)
    await rig.later(0.1)

    assert before == {"put_back": 1, "unread": 2}
    assert after == {"put_back": 2}
    assert rig.wso2.taken == [settled.id, dead[1].id, dead[0].id, dead[2].id]


async def test_a_queue_that_is_being_read_again_is_waited_for(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = a_delivery()
    rig.wso2.script.append(NO)
    await rig.deliver(dead)
    still = iter([2, 1, 0])

    async def left(_: dict[str, int]) -> int:
        return next(still)

    monkeypatch.setattr(letters, "_LOOK", 0.0)
    monkeypatch.setattr(operator, "left", left)

    assert await operator.retry(all_dead=True) == {"put_back": 1}


async def test_law_2_what_is_put_back_goes_before_a_newer_one_whose_route_was_paused(
    rig: Rig, operator: Operator
) -> None:
    """It waits for its time, and another of its chain has passed it meanwhile."""
    dead = a_delivery()
    newer = a_delivery(record=dead.record_id)
    other = other_route(a_delivery(record=dead.record_id))
    rig.wso2.script.extend([NO, BUSY])
    await rig.deliver(dead)
    await rig.deliver(newer)
    await operator.ask("pause", route="orders")
    rig.wso2.script.append(BUSY)
    await rig.deliver(other)

    assert await operator.retry(ids=[dead.id]) == {"put_back": 1}
    await operator.ask("resume", route="orders")
    for _ in range(30):
        await rig.later(10.0)

    assert rig.wso2.taken[:2] == [dead.id, newer.id]
    assert set(rig.wso2.taken) == {dead.id, newer.id, other.id}


async def test_a_command_waits_while_kafka_is_away(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "_PAUSE", 0.0)
    dead = [a_delivery() for _ in range(2)]
    rig.wso2.script.extend([NO] * 2)
    for each in dead:
        await rig.deliver(each)
    answers = iter([KafkaAway("it does not answer"), KafkaAway("it does not answer"), None])

    async def left(_: dict[str, int]) -> int:
        if (away := next(answers)) is not None:
            raise away
        return 0

    monkeypatch.setattr(operator, "left", left)

    assert await operator.retry(all_dead=True) == {"put_back": 2}


async def test_law_2_one_of_which_no_answer_came_may_have_gone_ahead(
    rig: Rig, operator: Operator
) -> None:
    """No answer came to the first attempt at the newer; the last ones were refused clearly."""
    older = a_delivery()
    newer = a_delivery(record=older.record_id)
    rig.wso2.script.extend([NO, SILENT, BUSY, BUSY])
    await rig.deliver(older)
    await rig.deliver(newer)
    for pause in (11.0, 21.0):
        await rig.later(pause)
    assert rig.state(newer) is State.DEAD

    assert await operator.retry(ids=[older.id]) == {"superseded": 1}
    await rig.later(0.1)

    assert rig.log.entries()[older.id].superseded_by == newer.id
    assert rig.wso2.calls[-1][0] == newer


async def test_law_2_so_may_one_whose_answer_went_with_its_worker(rig: Rig) -> None:
    older = a_delivery()
    newer = a_delivery(record=older.record_id)
    rig.wso2.script.extend([NO, BUSY, asyncio.Event()])
    await rig.deliver(older)
    await rig.deliver(newer)
    await rig.later(11.0)
    await rig.power_cut()
    rig.wso2.script.append(NO)
    await rig.begin()
    await rig.later(61.0)
    assert rig.state(newer) is State.DEAD

    assert await Operator(rig).retry(ids=[older.id]) == {"superseded": 1}


async def test_law_2_so_may_one_of_which_the_ledger_does_not_tell_yet(rig: Rig) -> None:
    older = a_delivery()
    newer = a_delivery(record=older.record_id)
    rig.wso2.script.extend([NO, SILENT])
    await rig.deliver(older)
    rig.log.cut = Cut(0, {StateTopic.RETRIES: 1})
    with pytest.raises(PowerCut):
        await rig.deliver(newer)
    await rig.power_cut()
    await rig.begin()
    assert rig.state(newer) is None

    assert await Operator(rig).retry(ids=[older.id]) == {"superseded": 1}


@pytest.mark.parametrize("answer", ["none yet", "taken"])
async def test_law_2_so_may_one_that_is_out_before_the_ledger_tells_of_it(
    rig: Rig, answer: str
) -> None:
    older = a_delivery()
    newer = a_delivery(record=older.record_id)
    terms = replace(TERMS, acknowledge="required")
    rig.wso2.script.append(NO)
    if answer == "none yet":
        rig.wso2.script.append(asyncio.Event())
    await rig.deliver(older, terms=terms)
    rig.log.cut = Cut(0, {StateTopic.RETRIES: 1})
    with pytest.raises(PowerCut):
        await rig.deliver(newer, terms=terms)
    await rig.power_cut()
    await rig.begin()
    assert rig.state(newer) is None

    assert await Operator(rig).retry(ids=[older.id]) == {"superseded": 1}


async def test_those_of_which_no_answer_came_go_again_in_their_order(
    rig: Rig, operator: Operator
) -> None:
    """Where each of them counts; else the newest is enough."""
    older = a_delivery()
    newer = a_delivery(record=older.record_id)
    once = replace(TERMS, retry=())
    rig.wso2.script.extend([SILENT, SILENT])
    await rig.deliver(older, terms=once)
    await rig.deliver(newer, terms=once)

    assert await operator.retry(all_dead=True) == {"put_back": 2}
    for _ in range(3):
        await rig.later(0.1)

    assert rig.wso2.taken == [older.id, newer.id]


async def test_a_look_first_waits_for_no_queue(rig: Rig, operator: Operator) -> None:
    dead = a_delivery()
    rig.wso2.script.append(NO)
    await rig.deliver(dead)
    operator.unread = 1

    assert await operator.retry(all_dead=True, dry_run=True) == {"put_back": 1}


async def test_a_long_command_goes_on_in_slices(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "AT_ONCE", 1)
    waiting = [a_delivery() for _ in range(3)]
    rig.wso2.script.extend([BUSY] * len(waiting))
    await rig.deliver(*waiting)

    assert await in_slices(rig, operator) == [{"now": n} for n in (1, 2, 3, 3)]


async def test_dead_ones_whose_bodies_must_be_found_go_again_in_slices(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "AT_ONCE", 2)
    rejected = [a_delivery() for _ in range(5)]
    await rig.deliver(*rejected)
    await rig.hear(*(Acknowledgement(each.id, "rejected") for each in rejected))
    operator.queue.update(enumerate(rejected, start=1))
    before = rig.core.taken

    counts = await in_slices(rig, operator)

    assert counts == [{"put_back": n} for n in (2, 4, 5, 5)]
    assert operator.looked == [{1, 2}, {3, 4}, {5}]
    assert rig.core.taken - before == len(rejected) + len(counts)


async def in_slices(rig: Rig, operator: Operator) -> list[dict[str, int]]:
    """Ask while the time of a slice is over whenever it is looked at; return what is answered."""
    slices = iter(range(1, 10_000))
    monotonic = replace(rig.core.ports, monotonic=lambda: float(2 * next(slices)))
    rig.core.ports = monotonic

    answers = []
    write = operator.write

    async def spy(records: Any) -> list[int]:
        answers.extend(r for r in records if r.topic.endswith("results"))
        return await write(records)

    operator.write = spy  # type: ignore[method-assign]
    await operator.retry(targets=["webshop"])
    return [dict(Answer.from_json(record.value or b"").counts) for record in answers]


async def test_what_cannot_be_read_is_left_and_what_is_not_known_is_refused(
    rig: Rig, operator: Operator
) -> None:
    unknown = replace(operator.command(), kind="levitate")

    answer = await operator.answer(unknown.to_json())

    assert answer.progress is Progress.FAILED
    assert "levitate" in answer.why
    empty = await operator.answer(operator.command().to_json())
    assert empty.progress is Progress.FAILED
    with pytest.raises(IndexError):  # nobody can be answered
        await operator.answer(b"no command")
    assert rig.meter.counts["commands_unreadable"] == 1


@pytest.mark.parametrize(
    "rest",
    [
        {"counts": "?"},
        {"name": []},
        {"letter": "x"},
        {"shown": [1]},
        {"counts": {"a": "b"}},
    ],
)
async def test_law_10_a_rest_that_no_worker_wrote_ends_no_worker(
    operator: Operator, rest: dict[str, Any]
) -> None:
    command = operator.command(all_dead=True).with_rest(rest)

    answer = await operator.answer(command.to_json())

    assert answer.progress is Progress.FAILED
    assert "`rest`" in answer.why


async def born_dead(rig: Rig, delivery: Delivery) -> None:
    """Let the worker that makes deliveries write of one that never can be sent."""
    empty = replace(delivery, body=b"")
    entry, letter = stillborn(empty, TERMS, why="NaN", code="UNSENDABLE", now=rig.clock())
    key = delivery.id.encode()
    await rig.log.publish([Write(StateTopic.DEAD, PARTITION, delivery.chain.encode(), letter)])
    await rig.log.publish([Write(StateTopic.LEDGER, PARTITION, key, entry)])


async def test_what_never_can_be_sent_ends_once_a_newer_one_of_its_record_has_gone(
    rig: Rig, operator: Operator
) -> None:
    born = [a_delivery(record=7), a_delivery(record=7)]
    for each in born:
        await born_dead(rig, each)

    before = await operator.retry(all_dead=True)
    newer = a_delivery(record=7)
    await rig.deliver(newer)
    looked = await operator.retry(all_dead=True, dry_run=True)
    states = [rig.state(each) for each in born]
    after = await operator.retry(all_dead=True)

    assert (before, looked, after) == ({"unsendable": 2}, {"superseded": 2}, {"superseded": 2})
    assert states == [State.DEAD, State.DEAD]
    for each in born:
        entry = rig.log.entries()[each.id]
        assert (entry.state, entry.final) == (State.SUPERSEDED, True)
        assert entry.superseded_by == newer.id
    assert sent(rig) == [(newer.id, 1)]
    assert await operator.retry(all_dead=True) == {}


@pytest.mark.parametrize("case", ["another record", "another route", "it waits", "older"])
async def test_what_never_can_be_sent_stays_dead_until_a_newer_one_has_gone(
    rig: Rig, operator: Operator, case: str
) -> None:
    older, born, newer = (a_delivery(record=7) for _ in range(3))
    others = {
        "another record": a_delivery(record=8),
        "another route": other_route(newer),
        "it waits": newer,
        "older": older,
    }
    if case == "it waits":
        rig.wso2.script.append(BUSY)
    await born_dead(rig, born)
    await rig.deliver(others[case])

    counts = await operator.retry(ids=[born.id])

    assert counts == {"unsendable": 1}
    assert rig.log.entries()[born.id].state is State.DEAD


async def test_law_1_a_crash_while_it_ends_what_never_can_be_sent_leaves_it_dead(
    rig: Rig, operator: Operator
) -> None:
    born = a_delivery(record=7)
    await born_dead(rig, born)
    await rig.deliver(a_delivery(record=7))
    rig.log.cut = Cut()

    with pytest.raises(PowerCut):
        await operator.retry(all_dead=True)

    rig.log.cut = None
    assert rig.log.entries()[born.id].state is State.DEAD
