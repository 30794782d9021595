"""What HTTP hands in is read, applied, and answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from streams.applying import answer
from streams.applying.answer import STALE, Delivered, Rejected, Retry
from streams.target.desk import MANY
from tests.service_rig import Gate, TargetRig, delivers, message, target


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[TargetRig]:
    async with target(tmp_path) as made:
        yield made


def body(said: object) -> bytes:
    return json.dumps(said).encode()


async def test_a_delivery_is_answered_with_its_id_and_the_record(rig: TargetRig) -> None:
    reply = await rig.desk.one(body(message(1)))

    assert reply.status == 200
    assert reply.body == {"id": message(1)["id"], "status": "delivered", "target_id": "101"}
    assert rig.metrics.value("answers", "delivered") == 1


@pytest.mark.parametrize(
    "sent",
    [b"", b"[]", b"\xff", b'{"id": 5}', b"[" * 100_000, b'{"id": "a/b/c/1/r/nothing"}', b"NaN"],
    ids=["empty", "a list", "bytes", "id", "deep", "sequence", "NaN"],
)
async def test_law_10_what_is_no_delivery_is_rejected_with_a_reason(
    rig: TargetRig, sent: bytes
) -> None:
    reply = await rig.desk.one(sent)

    assert reply.status == 400
    assert (reply.body["status"], reply.body["code"]) == ("rejected", answer.NOT_OURS)
    assert reply.body["message"]
    assert rig.odoo.asked == []


async def test_a_batch_is_answered_in_its_order_whatever_becomes_of_each(rig: TargetRig) -> None:
    def script(*args: object) -> answer.Answer:
        incoming = args[0]
        assert hasattr(incoming, "fields")
        match incoming.fields["name"]:
            case 2:
                return Rejected(answer.NOT_ALLOWED, "no")
            case 3:
                return Retry(answer.MISSING, "a partner", after=2.5)
            case _:
                return Delivered(None)

    rig.odoo.script = script
    messages = [message(1, 1), message(2, 2), "nonsense", message(3, 3), message(1, 1)]

    reply = await rig.desk.many(body(messages))

    assert reply.status == 200
    assert [each["http_status"] for each in reply.body] == [200, 403, 400, 425, 200]
    assert reply.body[3]["retry_after"] == 2.5
    assert reply.body[4]["message"] == STALE
    assert [each["id"] for each in reply.body] == [
        *(messages[at]["id"] for at in (0, 1)),  # type: ignore[index]
        "",
        *(messages[at]["id"] for at in (3, 4)),  # type: ignore[index]
    ]


async def test_of_a_batch_one_chain_goes_in_order_and_others_side_by_side(rig: TargetRig) -> None:
    gate = rig.odoo.script = Gate()
    messages = [message(n, record) for record in (1, 2) for n in (3, 1, 4)]

    task = asyncio.create_task(rig.desk.many(body(messages)))
    await gate.reached(2)
    side_by_side = list(rig.odoo.numbers)
    gate.open()
    reply = await task

    assert side_by_side == [3, 3]
    assert sorted(rig.odoo.numbers) == [3, 3, 4, 4]  # the ones in between are older
    assert [each["status"] for each in reply.body] == ["delivered"] * 6


async def test_law_9_a_batch_takes_no_more_places_than_are_worked_at(tmp_path: Path) -> None:
    async with target(tmp_path, at_once=2, waiting=0) as rig:
        messages = [message(1, record) for record in range(MANY)]

        reply = await rig.desk.many(body(messages))

        assert {each["http_status"] for each in reply.body} == {200}
        assert len(rig.odoo.asked) == MANY


@pytest.mark.parametrize("sent", [{}, [0] * (MANY + 1)], ids=["an object", "too many"])
async def test_law_10_a_batch_that_is_none_is_rejected_whole(rig: TargetRig, sent: object) -> None:
    reply = await rig.desk.many(body(sent))

    assert reply.status == 400
    assert reply.body["code"] == answer.NOT_OURS


async def test_what_cannot_be_taken_is_answered_unread(rig: TargetRig) -> None:
    rig.login.note("no")

    reply = rig.desk.refusal("some/id")

    assert reply is not None
    assert (reply.status, reply.after) == (503, 5)
    assert reply.body["id"] == "some/id"
    assert reply.headers["X-Cdc-Code"] == answer.LOGIN
    rig.login.refused = ""
    rig.odoo.script = delivers
    assert rig.desk.refusal("") is None
