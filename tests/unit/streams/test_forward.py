from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.delivery import Delivery
from schemas.state import State
from streams.chains.outcome import Accepted, Refused, Unauthorised, Unavailable
from streams.core import Limits
from streams.partitions.ports import StateTopic
from tests.core_rig import ASKED, TERMS, Cut, PowerCut, Rig
from tests.deliveries import a_delivery

BUSY = Unavailable("WSO2 answered 503", http_status=503)
AWAY = Unavailable("no connection", counted=False)


async def test_an_accepted_delivery_is_final_where_no_word_is_required(rig: Rig) -> None:
    sent = a_delivery()

    await rig.deliver(sent)

    entry = rig.log.entries()[sent.id]
    assert (entry.state, entry.final, entry.attempt) == (State.ACCEPTED, True, 1)
    assert rig.log.items() == {}
    assert list(entry.times) == ["committed", "queued", "sent", "accepted"]


async def test_a_batch_of_very_many_chains_goes_side_by_side(rig: Rig) -> None:
    many = [a_delivery() for _ in range(300)]  # a cache has 126 readers

    await rig.deliver(*many)

    assert sorted(rig.wso2.taken) == sorted(each.id for each in many)


async def test_what_fails_waits_for_its_rung_of_the_ladder(rig: Rig) -> None:
    sent = a_delivery()
    rig.wso2.script.extend([BUSY, BUSY])
    await rig.deliver(sent)
    assert rig.state(sent) is State.WAITING

    await rig.later(9.9)
    assert len(rig.wso2.calls) == 1
    await rig.later(0.2)
    assert len(rig.wso2.calls) == 2
    await rig.later(19.9)
    assert len(rig.wso2.calls) == 2
    await rig.later(0.2)

    assert rig.state(sent) is State.ACCEPTED
    assert [attempt for _, attempt in rig.wso2.calls] == [1, 2, 3]


async def test_a_longer_pause_that_wso2_asks_for_wins(rig: Rig) -> None:
    sent = a_delivery()
    rig.wso2.script.append(replace(BUSY, retry_after=100.0))
    await rig.deliver(sent)

    await rig.later(99.0)
    assert len(rig.wso2.calls) == 1
    await rig.later(1.1)

    assert rig.state(sent) is State.ACCEPTED


async def test_after_the_ladder_it_is_dead_with_a_letter_and_the_chain_goes_on(rig: Rig) -> None:
    first, second = a_delivery(record=7), a_delivery(record=7)
    rig.wso2.script.extend([BUSY] * 3)
    await rig.deliver(first, second)

    await rig.later(10.1)
    await rig.later(20.1)
    await rig.later(0.1)

    assert rig.state(first) is State.DEAD
    assert rig.state(second) is State.ACCEPTED
    assert len(rig.log.letters()) == 1


async def test_what_is_refused_is_dead_at_once(rig: Rig) -> None:
    sent = a_delivery()
    rig.wso2.script.append(Refused("WSO2 answered 422", "HTTP_422", "no", 422))

    await rig.deliver(sent)

    assert rig.state(sent) is State.DEAD
    assert rig.log.items() == {}


async def test_a_dead_letter_is_written_before_the_ledger_says_dead(rig: Rig) -> None:
    rig.wso2.script.append(Refused("no"))

    await rig.deliver(a_delivery())

    assert [write.topic for write in rig.log.written] == [StateTopic.DEAD, StateTopic.LEDGER]


async def test_a_later_copy_of_a_delivery_is_dropped(rig: Rig) -> None:
    sent, waiting = a_delivery(), a_delivery()
    rig.wso2.script.extend([Accepted(), BUSY])
    await rig.deliver(sent, sent)
    await rig.deliver(waiting)

    await rig.deliver(sent, waiting)

    assert [delivery.id for delivery, _ in rig.wso2.calls] == [sent.id, waiting.id]
    assert rig.meter.counts["copies_dropped"] == 3


async def test_law_7_a_chain_that_waits_holds_up_no_other(rig: Rig) -> None:
    failing, behind, other = a_delivery(record=1), a_delivery(record=1), a_delivery(record=2)
    rig.wso2.script.append(BUSY)

    await rig.deliver(failing, behind, other)

    assert rig.state(other) is State.ACCEPTED
    assert rig.state(behind) is State.WAITING
    assert [d.id for d, _ in rig.wso2.calls] == [failing.id, other.id]


async def test_the_next_of_a_chain_goes_when_the_target_has_said_its_word(rig: Rig) -> None:
    first, second = a_delivery(record=3), a_delivery(record=3)
    await rig.deliver(first, second, terms=ASKED)
    assert (rig.state(first), rig.state(second)) == (State.ACCEPTED, State.WAITING)

    await rig.hear(Acknowledgement(first.id, "delivered"))
    await rig.later(0)

    assert rig.state(first) is State.DELIVERED
    assert rig.wso2.calls[-1] == (second, 1)


async def test_the_next_of_a_chain_goes_although_it_was_first_seen_by_a_clock_ahead(
    rig: Rig,
) -> None:
    first, second = a_delivery(record=3), a_delivery(record=3)
    rig.clock.now += 3600.0
    await rig.deliver(first, second, terms=ASKED)
    rig.clock.now -= 3600.0

    await rig.hear(Acknowledgement(first.id, "delivered"))
    await rig.later(0)

    assert rig.wso2.calls[-1] == (second, 1)


async def test_a_word_that_overtakes_the_answer_is_kept_for_it(rig: Rig) -> None:
    sent = a_delivery()
    answer = asyncio.Event()
    rig.wso2.script.append(answer)
    rig.core.limits = replace(rig.core.limits, patience=60.0)  # the batch waits for the answer
    batch = asyncio.create_task(rig.deliver(sent, terms=ASKED))
    await rig.settled()

    await rig.hear(Acknowledgement(sent.id, "retry"), Acknowledgement(sent.id, "delivered"))
    answer.set()
    await batch

    assert rig.state(sent) is State.DELIVERED
    assert rig.log.items() == {}


async def test_law_1_a_word_on_what_was_sent_before_is_durable_at_once(rig: Rig) -> None:
    before, same_batch, slow = (a_delivery(record=6) for _ in range(3))
    rig.wso2.script.extend([Accepted(), Accepted(), asyncio.Event()])
    await rig.deliver(before)
    await rig.deliver(same_batch, slow)
    assert rig.state(slow) is State.SENT

    await rig.hear(*(Acknowledgement(each.id, "rejected") for each in (before, same_batch)))
    await rig.power_cut()
    await rig.begin()

    assert (rig.state(before), rig.state(same_batch)) == (State.REJECTED, State.REJECTED)


async def test_a_word_on_one_of_a_batch_waits_no_longer_than_its_batch(rig: Rig) -> None:
    quick, slow = a_delivery(record=6), a_delivery(record=6)
    rig.wso2.script.extend([Accepted(), asyncio.Event()])
    rig.core.limits = replace(rig.core.limits, patience=0.5)  # longer than the words take here
    batch = asyncio.create_task(rig.deliver(quick, slow))
    await rig.settled()
    await rig.hear(Acknowledgement(quick.id, "rejected"))
    assert rig.state(quick) is None

    await batch
    await rig.power_cut()
    await rig.begin()

    assert (rig.state(quick), rig.state(slow)) == (State.REJECTED, State.SENT)


async def test_a_call_without_an_answer_lets_its_batch_end_and_is_heard_later(rig: Rig) -> None:
    slow, behind, other = a_delivery(record=5), a_delivery(record=5), a_delivery()
    answer = asyncio.Event()
    rig.wso2.script.append(answer)

    await rig.deliver(slow, behind, other)

    assert rig.state(other) is State.ACCEPTED
    assert rig.state(slow) is State.SENT
    answer.set()
    await rig.settled()
    await rig.later(0)
    assert (rig.state(slow), rig.state(behind)) == (State.ACCEPTED, State.ACCEPTED)


async def test_law_7_a_batch_waits_for_no_long_chain_to_its_end(rig: Rig) -> None:
    chain = [a_delivery(record=5) for _ in range(6)]

    def take_time(_: Delivery) -> None:
        rig.clock.now += 4.0

    rig.wso2.watch = take_time
    await rig.deliver(*chain)

    accepted = State.ACCEPTED
    assert [rig.state(each) for each in chain] == [accepted] * 3 + [State.WAITING] * 3
    for _ in range(3):
        await rig.later(0)
    assert [(d.id, attempt) for d, attempt in rig.wso2.calls] == [(d.id, 1) for d in chain]


async def test_without_a_word_by_the_deadline_it_is_sent_again(rig: Rig) -> None:
    sent = a_delivery()
    await rig.deliver(sent, terms=ASKED)

    await rig.later(60.1)
    assert rig.state(sent) is State.WAITING
    await rig.later(10.1)

    assert rig.wso2.calls == [(sent, 1), (sent, 2)]


@pytest.mark.parametrize("outcome", [AWAY, Unauthorised("WSO2 answered 401")], ids=["away", "401"])
async def test_while_wso2_is_not_to_be_had_nothing_counts_and_nothing_is_taken(
    rig: Rig, outcome: Unavailable | Unauthorised
) -> None:
    first, second = a_delivery(), a_delivery()
    rig.wso2.script.extend([outcome, outcome])
    await rig.deliver(first)
    assert rig.halt.halted

    await rig.deliver(second)  # it was on its way here already
    assert [d.id for d, _ in rig.wso2.calls] == [first.id]
    await rig.later(0.3)
    assert rig.halt.halted
    await rig.later(0.5)
    await rig.later(0.0)

    assert not rig.halt.halted
    assert [attempt for _, attempt in rig.wso2.calls] == [1, 1, 1, 1]
    assert {rig.state(first), rig.state(second)} == {State.ACCEPTED}


async def test_the_newest_replaces_what_waits_where_only_the_latest_counts(rig: Rig) -> None:
    old, middle, newest = (a_delivery(record=9) for _ in range(3))
    rig.wso2.script.append(BUSY)
    terms = replace(TERMS, history="latest")

    await rig.deliver(old, terms=terms)
    await rig.deliver(middle, newest, terms=terms)
    assert rig.state(old) is State.SUPERSEDED
    assert rig.state(middle) is State.SUPERSEDED
    await rig.later(0)

    assert rig.wso2.taken == [newest.id]


async def test_law_2_what_is_being_sent_again_is_not_superseded_where_its_chain_moves_to(
    rig: Rig,
) -> None:
    old, new = a_delivery(record=9), a_delivery(record=9)
    answer = asyncio.Event()
    rig.wso2.script.extend([BUSY, answer])
    terms = replace(TERMS, history="latest")
    await rig.deliver(old, terms=terms)
    await rig.later(10.1)
    other = rig.neighbour("other")
    await rig.core.revoke([0])  # while the call is under way

    await other.begin()
    await other.deliver(new, terms=terms)
    await other.later(1.0)
    assert (other.state(old), other.state(new)) == (State.WAITING, State.WAITING)
    answer.set()
    await rig.settled()
    await other.later(rig.limits.timeout)
    await other.later(0)

    assert [(d.id, attempt) for d, attempt in rig.wso2.calls] == [
        (old.id, 1),
        (old.id, 2),
        (old.id, 2),
        (new.id, 1),
    ]
    assert other.state(old) is State.ACCEPTED
    await other.end()


async def test_what_finds_the_gate_closed_waits_as_it_did(tmp_path: Path) -> None:
    rig = Rig(tmp_path, Limits(concurrency=1, patience=60.0))
    await rig.begin()
    first, second = a_delivery(), a_delivery()
    away = asyncio.Event()
    rig.wso2.script.append(BUSY)
    await rig.deliver(first)
    waiting = rig.log.items()[first.id]
    rig.wso2.script.append(away)
    rig.wso2.late = AWAY
    slow = asyncio.create_task(rig.deliver(second))
    await rig.settled()

    await rig.later(10.1)  # its time has come, and the only slot is taken
    assert rig.log.items()[first.id].state is State.SENT
    away.set()
    await slow
    await rig.settled()

    assert rig.log.items()[first.id] == waiting
    assert rig.halt.halted
    await rig.end()


async def test_what_nobody_knows_is_counted_and_changes_nothing(rig: Rig) -> None:
    await rig.hear(Acknowledgement(a_delivery().id, "delivered"))
    await rig.hear(Acknowledgement("who knows", "delivered"))

    assert rig.meter.counts["acknowledgements_unknown"] == 2
    assert rig.log.written == []


async def test_law_1_what_waits_is_found_again_with_and_without_its_cache(rig: Rig) -> None:
    first, second = a_delivery(record=4), a_delivery(record=4)
    rig.wso2.script.append(BUSY)
    await rig.deliver(first, second)

    await rig.power_cut()
    await rig.begin()
    assert sum(rig.core.figures().waiting.values()) == 2
    await rig.power_cut()
    rig.folder = rig.folder / "elsewhere"
    await rig.begin()
    assert sum(rig.core.figures().waiting.values()) == 2
    await rig.later(10.1)
    await rig.later(0)

    assert rig.wso2.taken == [first.id, second.id]


async def test_law_3_a_power_cut_before_the_ledger_repeats_the_same_attempt(rig: Rig) -> None:
    sent = a_delivery(body=b'{"a":1}')
    rig.log.cut = Cut()
    with pytest.raises(PowerCut):
        await rig.deliver(sent)
    await rig.power_cut()
    await rig.begin()

    await rig.deliver(sent)

    assert rig.wso2.calls == [(sent, 1), (sent, 1)]
    assert rig.state(sent) is State.ACCEPTED


async def test_entries_that_kafka_drops_are_dropped_here_too(rig: Rig) -> None:
    sent = a_delivery()
    await rig.deliver(sent)

    await rig.later(rig.limits.retention + 2)
    await rig.deliver(sent)

    assert rig.wso2.calls == [(sent, 1), (sent, 1)]
