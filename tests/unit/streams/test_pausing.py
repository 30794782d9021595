"""What operators have paused: nothing of it goes, the rest does, a new holder knows."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.command import Progress
from schemas.state import State
from streams import timer
from streams.chains.outcome import Refused, Unavailable
from tests.core_rig import ASKED, Cut, PowerCut, Rig
from tests.deliveries import a_delivery, other_route
from tests.operator_rig import Operator

NO = Refused("WSO2 answered 422", "HTTP_422", "", 422)
BUSY = Unavailable("WSO2 answered 503", http_status=503)
CHAIN = "odoo_a/webshop/sale.order/7"


def what(kind: str) -> dict[str, str]:
    return {kind: {"target": "webshop", "route": "orders", "chain": CHAIN}[kind]}


@pytest.mark.parametrize("kind", ["target", "route", "chain"])
async def test_what_is_paused_waits_and_goes_in_order_when_it_is_resumed(
    rig: Rig, operator: Operator, kind: str
) -> None:
    held = [a_delivery(record=7) for _ in range(3)]
    assert await operator.ask("pause", **what(kind)) == {"paused": 1, "left": 0}

    await rig.deliver(held[0])
    await rig.deliver(*held[1:])
    await rig.later(100.0)

    assert rig.wso2.calls == []
    assert rig.log.items()[held[0].id].why == "paused by eve@host"
    assert rig.halt.halted is (kind == "target")
    assert await operator.ask("resume", **what(kind)) == {}
    for _ in held:
        await rig.later(0.1)
    assert rig.wso2.taken == [each.id for each in held]
    assert not rig.halt.halted


async def test_a_paused_target_holds_up_no_other(rig: Rig, operator: Operator) -> None:
    other = a_delivery(target="shop")
    await operator.ask("pause", target="webshop")

    await rig.deliver(other)

    assert rig.wso2.taken == [other.id]
    assert not rig.halt.halts("shop")


async def test_a_paused_chain_holds_up_no_other(rig: Rig, operator: Operator) -> None:
    held, other = a_delivery(record=7), a_delivery(record=8)
    await operator.ask("pause", chain=CHAIN)

    await rig.deliver(held, other)

    assert rig.wso2.taken == [other.id]


@pytest.mark.parametrize("failed", [False, True])
async def test_a_paused_route_holds_up_no_other_of_the_same_record(
    rig: Rig, operator: Operator, *, failed: bool
) -> None:
    held = a_delivery(record=7)
    other = other_route(a_delivery(record=7))
    if failed:
        rig.wso2.script.append(BUSY)
        await rig.deliver(held)
    await operator.ask("pause", route="orders")
    if not failed:
        await rig.deliver(held)

    await rig.deliver(other)
    await rig.later(100.0)

    assert rig.wso2.taken == [other.id]
    await operator.ask("resume", route="orders")
    await rig.later(0.1)
    assert rig.wso2.taken == [other.id, held.id]


async def test_what_waited_before_its_route_was_paused_lets_the_others_go(
    rig: Rig, operator: Operator
) -> None:
    """All of a record wait behind one in flight; the next is of the route that is paused."""
    first = a_delivery(record=7)
    held = a_delivery(record=7)
    other = other_route(a_delivery(record=7))
    await rig.deliver(first, held, other, terms=ASKED)
    await operator.ask("pause", route="orders")

    await rig.hear(Acknowledgement(first.id, "delivered"))
    await rig.later(0.1)

    assert [delivery.id for delivery, _ in rig.wso2.calls] == [first.id, other.id]


async def test_many_chains_are_looked_at_by_and_by_and_over_a_crash(
    rig: Rig, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each record the first is of the route that is paused; the target is held meanwhile."""
    monkeypatch.setattr(timer, "_CROWNED_AT_ONCE", 4)
    held = [a_delivery(record=each) for each in range(1, 11)]
    others = [other_route(a_delivery(record=each)) for each in range(1, 11)]
    await operator.ask("pause", target="webshop")
    await rig.deliver(*held, *others)
    await operator.ask("pause", route="orders")
    await rig.later(0.1)
    assert rig.is_uncrowned
    await rig.power_cut()
    await rig.begin()

    await operator.ask("resume", target="webshop")
    for _ in range(5):
        await rig.later(0.1)

    assert not rig.is_uncrowned
    assert sorted(rig.wso2.taken) == sorted(each.id for each in others)
    await operator.ask("resume", route="orders")
    for _ in range(2):
        await rig.later(0.1)
    assert rig.log.items() == {}


async def test_words_count_while_it_is_paused(rig: Rig, operator: Operator) -> None:
    sent, asked = a_delivery(), a_delivery()
    await rig.deliver(sent, asked, terms=ASKED)
    await operator.ask("pause", target="webshop")

    await rig.hear(Acknowledgement(sent.id, "delivered"), Acknowledgement(asked.id, "retry"))
    await rig.later(100.0)

    assert rig.state(sent) is State.DELIVERED
    assert rig.state(asked) is State.WAITING
    assert len(rig.wso2.calls) == 2


@pytest.mark.parametrize("kind", ["target", "route", "chain"])
async def test_a_pause_is_known_after_a_power_cut_before_anything_is_sent(
    rig: Rig, operator: Operator, kind: str
) -> None:
    rig.wso2.script.append(BUSY)
    held = a_delivery(record=7)
    await rig.deliver(held)
    await operator.ask("pause", **what(kind))
    await rig.power_cut()

    await rig.begin()
    await rig.later(100.0)

    assert len(rig.wso2.calls) == 1
    await operator.ask("resume", **what(kind))
    await rig.later(0.1)
    assert rig.state(held) is State.ACCEPTED


async def test_a_pause_is_known_to_another_worker_that_gets_the_partition(
    rig: Rig, operator: Operator
) -> None:
    rig.wso2.script.append(BUSY)
    held = a_delivery(record=7)
    other = other_route(a_delivery(record=7))
    await rig.deliver(held, other)
    neighbour = rig.neighbour("other")
    await neighbour.begin()  # it has read what was there
    await neighbour.power_cut()
    await operator.ask("pause", route="orders")
    await rig.core.revoke([0])

    await neighbour.begin()
    await neighbour.later(100.0)

    assert rig.wso2.taken == [other.id]
    await neighbour.end()


async def test_a_pause_that_a_power_cut_interrupts_is_done_again(
    rig: Rig, operator: Operator
) -> None:
    command = operator.command("pause", target="webshop")
    rig.log.cut = Cut(0)
    with pytest.raises(PowerCut):
        await operator.do(command)
    await rig.power_cut()
    await rig.begin()

    assert await operator.do(command) == {"paused": 1, "left": 0}


@pytest.mark.parametrize("kind", ["target", "route", "chain"])
async def test_a_drain_finishes_what_is_there_and_takes_nothing_new(
    rig: Rig, operator: Operator, kind: str
) -> None:
    rig.wso2.script.append(BUSY)
    waiting, queued, new = (a_delivery(record=7) for _ in range(3))
    await rig.deliver(waiting)
    operator.queue = {1: waiting, 2: queued}

    asked = await operator.ask("drain", **what(kind))
    await rig.deliver(queued)
    await rig.deliver(new)
    for _ in range(3):
        await rig.later(100.0)

    assert asked == {"draining": 1, "left": 1}
    assert rig.wso2.taken == [waiting.id, queued.id]
    assert rig.state(new) is State.WAITING
    assert await operator.ask("drain", **what(kind), look=True) == {"draining": 1, "left": 0}
    assert rig.halt.halted is (kind == "target")
    await operator.ask("resume", **what(kind))
    await rig.later(0.1)
    assert rig.wso2.taken[-1] == new.id


async def test_a_drain_reads_on_to_what_is_new(rig: Rig, operator: Operator) -> None:
    queued = a_delivery()
    operator.queue = {1: queued}

    await operator.ask("drain", target="webshop")

    assert not rig.halt.halted
    await rig.deliver(queued)
    assert not rig.halt.halted
    await rig.deliver(a_delivery())
    assert rig.wso2.taken == [queued.id]
    assert rig.halt.halted


async def test_a_drain_that_is_asked_for_twice_keeps_its_end(rig: Rig, operator: Operator) -> None:
    command = operator.command("drain", target="webshop")
    await operator.do(command)
    new = a_delivery()
    operator.queue = {1: new}

    await operator.do(command)
    await rig.deliver(new)

    assert rig.wso2.taken == []


@pytest.mark.parametrize("kind", ["pause", "drain"])
async def test_one_that_is_done_again_after_a_kill_keeps_since_when_it_is(
    rig: Rig, operator: Operator, kind: str
) -> None:
    command = operator.command(kind, target="webshop")
    await operator.do(command)
    before = list(rig.core.permits.pauses.standing())
    rig.clock.now += 60.0

    await operator.do(command)

    assert len(before) == 1
    assert list(rig.core.permits.pauses.standing()) == before


async def test_looking_changes_nothing(rig: Rig, operator: Operator) -> None:
    assert await operator.ask("drain", target="webshop", look=True) == {}
    await rig.deliver(a_delivery())
    assert len(rig.wso2.taken) == 1


async def test_what_is_put_back_of_something_paused_waits_too(
    rig: Rig, operator: Operator
) -> None:
    dead = a_delivery()
    rig.wso2.script.append(NO)
    await rig.deliver(dead)
    await operator.ask("pause", target="webshop")

    assert await operator.retry(all_dead=True) == {"put_back": 1}
    await rig.later(100.0)

    assert len(rig.wso2.calls) == 1
    assert rig.state(dead) is State.WAITING


@pytest.mark.parametrize(
    "arguments",
    [{}, {"target": "a", "route": "b"}, {"model": "sale.order"}, {"chain": "x"}, {"target": 5}],
)
async def test_law_10_what_names_nothing_is_refused(
    operator: Operator, arguments: dict[str, Any]
) -> None:
    answer = await operator.answer(operator.command("pause", **arguments).to_json())

    assert answer.progress is Progress.FAILED
    assert answer.why


@pytest.mark.parametrize("kind", ["target", "route", "chain"])
@pytest.mark.parametrize("how", ["pause", "drain"])
async def test_what_is_held_does_not_keep_the_timer_busy(
    rig: Rig, operator: Operator, kind: str, how: str
) -> None:
    await operator.ask(how, **what(kind))
    await rig.deliver(a_delivery(record=7))

    assert await rig.timer.tick() > 0.1
