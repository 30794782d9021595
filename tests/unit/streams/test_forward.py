from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.state import State
from streams.desk import Shelf
from streams.outcome import Accepted, Refused, Unauthorised, Unavailable
from tests.deliveries import a_delivery
from tests.desks import ASKED, TERMS, Cut, Desk, PowerCut

BUSY = Unavailable("WSO2 answered 503", http_status=503)
AWAY = Unavailable("no connection", counted=False)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path)
    await made.begin()
    yield made
    await made.end()
    assert not made.fatal


async def test_an_accepted_delivery_is_final_where_no_word_is_required(desk: Desk) -> None:
    sent = a_delivery()

    await desk.deliver(sent)

    entry = desk.log.entries()[sent.id]
    assert (entry.state, entry.final, entry.attempt) == (State.ACCEPTED, True, 1)
    assert desk.log.items() == {}
    assert list(entry.times) == ["committed", "queued", "sent", "accepted"]


async def test_what_fails_waits_for_its_rung_of_the_ladder(desk: Desk) -> None:
    sent = a_delivery()
    desk.wso2.script.extend([BUSY, BUSY])
    await desk.deliver(sent)
    assert desk.state(sent) is State.WAITING

    await desk.later(9.9)
    assert len(desk.wso2.calls) == 1
    await desk.later(0.2)
    assert len(desk.wso2.calls) == 2
    await desk.later(19.9)
    assert len(desk.wso2.calls) == 2
    await desk.later(0.2)

    assert desk.state(sent) is State.ACCEPTED
    assert [attempt for _, attempt in desk.wso2.calls] == [1, 2, 3]


async def test_a_longer_pause_that_wso2_asks_for_wins(desk: Desk) -> None:
    sent = a_delivery()
    desk.wso2.script.append(replace(BUSY, retry_after=100.0))
    await desk.deliver(sent)

    await desk.later(99.0)
    assert len(desk.wso2.calls) == 1
    await desk.later(1.1)

    assert desk.state(sent) is State.ACCEPTED


async def test_after_the_ladder_it_is_dead_with_a_letter_and_the_chain_goes_on(desk: Desk) -> None:
    first, second = a_delivery(record=7), a_delivery(record=7)
    desk.wso2.script.extend([BUSY] * 3)
    await desk.deliver(first, second)

    await desk.later(10.1)
    await desk.later(20.1)
    await desk.later(0.1)

    assert desk.state(first) is State.DEAD
    assert desk.state(second) is State.ACCEPTED
    assert len(desk.log.letters()) == 1


async def test_what_is_refused_is_dead_at_once(desk: Desk) -> None:
    sent = a_delivery()
    desk.wso2.script.append(Refused("WSO2 answered 422", "HTTP_422", "no", 422))

    await desk.deliver(sent)

    assert desk.state(sent) is State.DEAD
    assert desk.log.items() == {}


async def test_a_dead_letter_is_written_before_the_ledger_says_dead(desk: Desk) -> None:
    desk.wso2.script.append(Refused("no"))

    await desk.deliver(a_delivery())

    assert [post.shelf for post in desk.log.written] == [Shelf.DEAD, Shelf.LEDGER]


async def test_a_later_copy_of_a_delivery_is_dropped(desk: Desk) -> None:
    sent, waiting = a_delivery(), a_delivery()
    desk.wso2.script.extend([Accepted(), BUSY])
    await desk.deliver(sent, sent)
    await desk.deliver(waiting)

    await desk.deliver(sent, waiting)

    assert [delivery.id for delivery, _ in desk.wso2.calls] == [sent.id, waiting.id]
    assert desk.meter.counts["copies_dropped"] == 3


async def test_law_7_a_chain_that_waits_holds_up_no_other(desk: Desk) -> None:
    failing, behind, other = a_delivery(record=1), a_delivery(record=1), a_delivery(record=2)
    desk.wso2.script.append(BUSY)

    await desk.deliver(failing, behind, other)

    assert desk.state(other) is State.ACCEPTED
    assert desk.state(behind) is State.WAITING
    assert [d.id for d, _ in desk.wso2.calls] == [failing.id, other.id]


async def test_the_next_of_a_chain_goes_when_the_target_has_said_its_word(desk: Desk) -> None:
    first, second = a_delivery(record=3), a_delivery(record=3)
    await desk.deliver(first, second, terms=ASKED)
    assert (desk.state(first), desk.state(second)) == (State.ACCEPTED, State.WAITING)

    await desk.hear(Acknowledgement(first.id, "delivered"))
    await desk.later(0)

    assert desk.state(first) is State.DELIVERED
    assert desk.wso2.calls[-1] == (second, 1)


async def test_a_word_that_overtakes_the_answer_is_kept_for_it(desk: Desk) -> None:
    sent = a_delivery()
    answer = asyncio.Event()
    desk.wso2.script.append(answer)
    batch = asyncio.create_task(desk.deliver(sent, terms=ASKED))
    await desk.settled()

    await desk.hear(Acknowledgement(sent.id, "retry"), Acknowledgement(sent.id, "delivered"))
    answer.set()
    await batch

    assert desk.state(sent) is State.DELIVERED
    assert desk.log.items() == {}


async def test_a_call_without_an_answer_lets_its_batch_end_and_is_heard_later(desk: Desk) -> None:
    slow, behind, other = a_delivery(record=5), a_delivery(record=5), a_delivery()
    answer = asyncio.Event()
    desk.wso2.script.append(answer)

    await desk.deliver(slow, behind, other)

    assert desk.state(other) is State.ACCEPTED
    assert desk.state(slow) is State.SENT
    answer.set()
    await desk.settled()
    await desk.later(0)
    assert (desk.state(slow), desk.state(behind)) == (State.ACCEPTED, State.ACCEPTED)


async def test_without_a_word_by_the_deadline_it_is_sent_again(desk: Desk) -> None:
    sent = a_delivery()
    await desk.deliver(sent, terms=ASKED)

    await desk.later(60.1)
    assert desk.state(sent) is State.WAITING
    await desk.later(10.1)

    assert desk.wso2.calls == [(sent, 1), (sent, 2)]


@pytest.mark.parametrize("outcome", [AWAY, Unauthorised("WSO2 answered 401")], ids=["away", "401"])
async def test_while_wso2_is_not_to_be_had_nothing_counts_and_nothing_is_taken(
    desk: Desk, outcome: Unavailable | Unauthorised
) -> None:
    first, second = a_delivery(), a_delivery()
    desk.wso2.script.extend([outcome, outcome])
    await desk.deliver(first)
    assert desk.halt.halted

    await desk.deliver(second)  # it was on its way here already
    assert [d.id for d, _ in desk.wso2.calls] == [first.id]
    await desk.later(0.3)
    assert desk.halt.halted
    await desk.later(0.5)
    await desk.later(0.0)

    assert not desk.halt.halted
    assert [attempt for _, attempt in desk.wso2.calls] == [1, 1, 1, 1]
    assert {desk.state(first), desk.state(second)} == {State.ACCEPTED}


async def test_the_newest_replaces_what_waits_where_only_the_latest_counts(desk: Desk) -> None:
    old, middle, newest = (a_delivery(record=9) for _ in range(3))
    desk.wso2.script.append(BUSY)
    terms = replace(TERMS, history="latest")

    await desk.deliver(old, terms=terms)
    await desk.deliver(middle, newest, terms=terms)
    assert desk.state(old) is State.SUPERSEDED
    assert desk.state(middle) is State.SUPERSEDED
    await desk.later(0)

    assert desk.wso2.taken == [newest.id]


async def test_what_nobody_knows_is_counted_and_changes_nothing(desk: Desk) -> None:
    await desk.hear(Acknowledgement(a_delivery().id, "delivered"))
    await desk.hear(Acknowledgement("who knows", "delivered"))

    assert desk.meter.counts["acknowledgements_unknown"] == 2
    assert desk.log.written == []


async def test_law_1_what_waits_is_found_again_with_and_without_its_cache(desk: Desk) -> None:
    first, second = a_delivery(record=4), a_delivery(record=4)
    desk.wso2.script.append(BUSY)
    await desk.deliver(first, second)

    await desk.power_cut()
    await desk.begin()
    assert sum(desk.forwarder.figures().waiting.values()) == 2
    await desk.power_cut()
    desk.folder = desk.folder / "elsewhere"
    await desk.begin()
    assert sum(desk.forwarder.figures().waiting.values()) == 2
    await desk.later(10.1)
    await desk.later(0)

    assert desk.wso2.taken == [first.id, second.id]


async def test_law_3_a_power_cut_before_the_ledger_repeats_the_same_attempt(desk: Desk) -> None:
    sent = a_delivery(body=b'{"a":1}')
    desk.log.cut = Cut()
    with pytest.raises(PowerCut):
        await desk.deliver(sent)
    await desk.power_cut()
    await desk.begin()

    await desk.deliver(sent)

    assert desk.wso2.calls == [(sent, 1), (sent, 1)]
    assert desk.state(sent) is State.ACCEPTED


async def test_entries_that_kafka_drops_are_dropped_here_too(desk: Desk) -> None:
    sent = a_delivery()
    await desk.deliver(sent)

    await desk.later(desk.limits.retention + 2)
    await desk.deliver(sent)

    assert desk.wso2.calls == [(sent, 1), (sent, 1)]
