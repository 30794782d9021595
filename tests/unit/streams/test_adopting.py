"""Other bounds, windows and terms for a worker's core that is at work."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

from schemas.command import Progress
from schemas.config import Window
from schemas.state import State
from streams.chains.outcome import Unavailable
from tests.core_rig import TERMS, Rig
from tests.deliveries import a_delivery
from tests.operator_rig import Operator

BUSY = Unavailable("WSO2 answered 503", http_status=503)
ALWAYS = Window.parse("00:00-23:59 UTC")
NEVER = Window.parse("03:00-03:01 UTC")


async def test_a_window_that_a_file_brings_holds_and_one_that_it_takes_lets_go(rig: Rig) -> None:
    assert NEVER is not None
    held = a_delivery()

    await rig.core.adopt(rig.core.limits, {"webshop": NEVER})
    await rig.deliver(held)

    assert rig.halt.halted
    assert rig.wso2.calls == []
    await rig.core.adopt(rig.core.limits, {})
    await rig.later(0.1)
    assert not rig.halt.halted
    assert rig.wso2.taken == [held.id]


async def test_law_2_fewer_calls_at_a_time_lose_and_double_nothing_that_is_under_way(
    rig: Rig,
) -> None:
    answers = [asyncio.Event() for _ in range(4)]
    rig.wso2.script.extend(answers)
    sent = [a_delivery() for _ in range(6)]
    under_way = asyncio.create_task(
        rig.forwarder.deliver([rig.arrival(each) for each in sent[:4]])
    )
    await rig.settled()

    await rig.core.adopt(replace(rig.core.limits, concurrency=2), {})
    for answer in answers:
        answer.set()
    await under_way
    await rig.deliver(*sent[4:])

    assert sorted(rig.wso2.taken) == sorted(each.id for each in sent)
    assert len(rig.wso2.calls) == len(sent)


async def test_what_waits_keeps_its_own_terms(rig: Rig) -> None:
    rig.wso2.script.extend([BUSY, BUSY])
    early, late = a_delivery(), a_delivery()
    await rig.deliver(early)

    await rig.deliver(late, terms=replace(TERMS, retry=(100.0,)))
    await rig.later(11.0)

    assert rig.state(early) is State.ACCEPTED
    assert rig.state(late) is State.WAITING


async def test_a_reload_is_answered_with_the_worker_and_its_file(operator: Operator) -> None:
    command = operator.command("reload")

    answer = await operator.answer(command.to_json())

    assert operator.reloads == [command.id]
    assert (answer.progress, answer.worker, answer.config) == (
        Progress.DONE,
        "one",
        "0123456789abcdef",
    )


async def test_a_worker_that_does_not_take_its_file_says_why(operator: Operator) -> None:
    operator.refuses = "sync.yaml:3: what is wrong"

    answer = await operator.answer(operator.command("reload").to_json())

    assert (answer.progress, answer.why) == (Progress.FAILED, "sync.yaml:3: what is wrong")
    assert answer.config == "0123456789abcdef"


async def test_a_reload_takes_no_arguments(operator: Operator) -> None:
    answer = await operator.answer(operator.command("reload", file="other.yaml").to_json())

    assert answer.progress is Progress.FAILED
    assert operator.reloads == []


async def test_other_answers_say_nothing_of_files(operator: Operator) -> None:
    answer = await operator.answer(operator.command("pause", target="webshop").to_json())

    assert {"worker", "config"}.isdisjoint(json.loads(answer.to_json()))
