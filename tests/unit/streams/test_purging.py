"""What is forgotten of a record, and what is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from schemas.acknowledgement import Acknowledgement
from schemas.command import Progress
from schemas.delivery import Delivery
from schemas.keys import chain_of, delivery_id
from schemas.state import State
from streams.chains.changes import Erase, Forget, Keep
from streams.chains.dead_letter import stillborn
from streams.chains.outcome import Refused, Unavailable
from streams.partitions.changeset import Changeset
from streams.partitions.ports import StateTopic, Write
from tests.core_rig import ASKED, PARTITION, TERMS, Cut, PowerCut, Rig
from tests.deliveries import a_delivery
from tests.operator_rig import Operator

BUSY = Unavailable("WSO2 answered 503", http_status=503)
PERSON = {"model": "sale.order", "id": 7}


def of(record: int, target: str = "webshop", route: str = "orders") -> Delivery:
    """Return a delivery of a record."""
    made = a_delivery(target=target, record=record)
    chain = chain_of("odoo_a", target, "sale.order", record)
    return replace(made, id=delivery_id(chain, route, made.sequence), route=route)


async def test_everything_of_a_record_is_forgotten_and_nothing_else(
    rig: Rig, operator: Operator
) -> None:
    waiting, done, rejected = of(7), of(7, "shop"), of(7, "erp")
    others = [of(70), of(6), of(77, "shop")]
    rig.wso2.down["webshop"] = BUSY
    rig.wso2.down["erp"] = Refused("no", http_status=422)
    await rig.deliver(waiting, done, rejected, *others)
    kept = {each.id for each in others}

    counts = await operator.ask("purge", **PERSON)

    assert counts == {"waiting": 1, "known": 3}
    assert rig.log.entries().keys() == kept
    assert {name for name in rig.log.items() if "/7/" in name} == set()
    rig.wso2.down.clear()
    await rig.later(100.0)
    assert waiting.id not in rig.wso2.taken
    assert len(rig.log.letters()) == 1
    assert await operator.ask("purge", **PERSON) == {}


async def test_what_was_dead_at_birth_is_forgotten_although_others_wrote_it(
    rig: Rig, operator: Operator
) -> None:
    born = (of(7), of(7, "gone"), of(8))
    for each in born:
        entry, _ = stillborn(each, TERMS, why="too large", code="OVERSIZE", now=rig.clock())
        key = each.id.encode()
        await rig.log.publish([Write(StateTopic.LEDGER, PARTITION, key, entry)])

    assert await operator.ask("purge", **PERSON, dry_run=True) == {"known": 2}
    assert await operator.ask("purge", **PERSON) == {"known": 2}

    assert rig.log.entries().keys() == {born[2].id}


async def test_no_payload_stays_where_a_copy_comes_and_is_superseded_in_the_same_write(
    rig: Rig,
) -> None:
    waiting = of(7)
    rig.wso2.down["webshop"] = BUSY
    await rig.deliver(waiting)
    copy = rig.log.items()[waiting.id]

    def step(changeset: Changeset) -> None:
        changeset.apply([Erase(copy.id), Keep(copy), Forget(copy.id)])

    await rig.core.committer.write(PARTITION, step)

    assert rig.log.items() == {}


async def test_looking_forgets_nothing(rig: Rig, operator: Operator) -> None:
    sent = of(7)
    await rig.deliver(sent)

    assert await operator.ask("purge", **PERSON, dry_run=True) == {"known": 1}

    assert rig.state(sent) is State.ACCEPTED


async def test_a_word_that_comes_later_is_on_something_unknown(
    rig: Rig, operator: Operator
) -> None:
    sent = of(7)
    await rig.deliver(sent, terms=ASKED)
    await operator.ask("purge", **PERSON)

    await rig.hear(Acknowledgement(sent.id, "rejected"))

    assert rig.meter.counts["acknowledgements_unknown"] == 1
    assert rig.log.entries() == {}
    assert rig.log.letters() == []


@pytest.mark.parametrize("patience", [0.0, 60.0], ids=["known as sent", "nothing known"])
async def test_what_is_being_sent_is_waited_for(
    rig: Rig, operator: Operator, patience: float
) -> None:
    answer = asyncio.Event()
    rig.wso2.script.append(answer)
    rig.core.limits = replace(rig.core.limits, patience=patience)
    sent = of(7)
    delivering = asyncio.create_task(rig.deliver(sent))
    await rig.settled()
    asking = asyncio.create_task(operator.ask("purge", **PERSON))
    await rig.settled()
    assert not asking.done()

    answer.set()

    assert await asking == {"known": 1}
    await delivering
    assert rig.log.entries() == {}
    assert rig.log.items() == {}


async def test_a_pause_of_a_record_without_deliveries_is_forgotten(
    rig: Rig, operator: Operator
) -> None:
    await operator.ask("pause", chain=of(7).chain)

    assert await operator.ask("purge", **PERSON) == {}

    assert rig.log.latest(StateTopic.PAUSES) == {}


async def test_a_pause_of_a_target_that_the_file_names_no_longer_is_forgotten(
    rig: Rig, operator: Operator
) -> None:
    await operator.ask("pause", chain=of(7, "gone").chain)
    await operator.ask("pause", chain=of(8, "gone").chain)
    await operator.ask("pause", route="orders")

    await operator.ask("purge", **PERSON)

    left = {"route/orders", f"chain/{of(8, 'gone').chain}"}
    assert {key for key, value in rig.log.latest(StateTopic.PAUSES).items() if value} == left


async def test_its_pause_is_forgotten_too(rig: Rig, operator: Operator) -> None:
    sent = of(7)
    await operator.ask("pause", chain=sent.chain)
    await rig.deliver(sent)
    assert rig.state(sent) is State.WAITING

    assert await operator.ask("purge", **PERSON) == {"waiting": 1, "known": 1}

    assert rig.log.latest(StateTopic.PAUSES) == {}


async def test_a_power_cut_between_two_tombstones_is_made_good(
    rig: Rig, operator: Operator
) -> None:
    rig.wso2.down["webshop"] = BUSY
    await rig.deliver(of(7), of(7, route="names"))
    rig.log.cut = Cut(0, {StateTopic.RETRIES: 1, StateTopic.LEDGER: 2})
    command = operator.command("purge", **PERSON)
    with pytest.raises(PowerCut):
        await operator.answer(command.to_json())
    await rig.power_cut()
    await rig.begin()

    answer = await operator.answer(command.to_json())

    assert answer.progress is Progress.DONE
    assert rig.log.entries() == {}
    assert rig.log.items() == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model": "sale.order"}, "`id` is the id of a record"),
        ({"model": "sale.order", "id": 0}, "`id` is the id of a record"),
        ({"model": "sale/order", "id": 7}, "is no model"),
        ({**PERSON, "all": True}, "`all` is not known"),
    ],
)
async def test_law_10_what_is_no_record_is_refused(
    operator: Operator, arguments: dict[str, object], said: str
) -> None:
    answer = await operator.answer(operator.command("purge", **arguments).to_json())

    assert answer.progress is Progress.FAILED
    assert said in answer.why
