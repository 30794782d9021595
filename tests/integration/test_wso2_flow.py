from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import aiohttp
import pytest

from schemas.config import Config
from schemas.delivery import Delivery
from streams.chains.outcome import Accepted, Refused, Unavailable
from streams.wso2.checks import findings
from streams.wso2.credentials import basic
from streams.wso2.sender import Wso2Sender, headers_of
from tests.deliveries import a_delivery
from tests.fix_wso2_flow import PASSWORD, Flow
from tests.stand_ins import Answer, Close, Hold

pytestmark = pytest.mark.integration
REFUSED = 40  # deliveries; without its case in CdcIntakeFault one of 25 got no word

OURS = {
    "Idempotency-Key",
    "X-Cdc-Target",
    "X-Cdc-Chain",
    "X-Cdc-Attempt",
    "X-Cdc-Source",
    "X-Cdc-Model",
    "X-Cdc-Operation",
    "traceparent",
}
ENGINES_OWN = {"Content-Type", "Host", "User-Agent", "Transfer-Encoding", "Connection"}


@pytest.fixture
async def sender(synapse_flow: Flow) -> AsyncIterator[Wso2Sender]:
    settings = replace(synapse_flow.config.wso2, url=synapse_flow.url)
    async with Wso2Sender(settings) as opened:
        yield opened


async def post(
    flow: Flow, delivery: Delivery, changed: dict[str, str | None]
) -> tuple[int, object]:
    """Post a delivery with some headers changed, or left out where None."""
    headers = {**headers_of(delivery, 1), **changed}
    sent = {name: value for name, value in headers.items() if value is not None}
    async with (
        aiohttp.ClientSession() as session,
        session.post(flow.url, data=delivery.body, headers=sent) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def test_a_delivery_is_accepted_with_its_id_and_acknowledged(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery()

    outcome = await sender.send(delivery, 3)

    assert outcome == Accepted()
    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["key"], word["status"]) == (delivery.chain, "delivered")
    assert (word["target"], word["attempt"]) == ("webshop", 3)
    assert (word["http_status"], word["code"]) == (200, "HTTP_200")


async def test_the_target_gets_the_same_bytes_and_headers_and_nothing_else(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    body = (
        '{"a":0.10,"b":"ä 🎉 ]]> ${x} &amp; \\u0000 \\ud800","c":1e400,"c":[],"d":null}'.encode()
    )
    delivery = a_delivery(body=body)

    await sender.send(delivery, 1)

    (got,) = await synapse_flow.target.arrived(1)
    assert got.body == body
    assert got.path == "/deliveries?shop=1&lang=en"
    assert set(got.headers) <= OURS | ENGINES_OWN
    assert {name: got.headers[name] for name in OURS} == {
        name: value for name, value in headers_of(delivery, 1).items() if name in OURS
    }


async def test_a_large_body_arrives_whole(synapse_flow: Flow, sender: Wso2Sender) -> None:
    delivery = a_delivery(body=b'{"x":"' + b"y" * 1_900_000 + b'"}')

    assert await sender.send(delivery, 1) == Accepted()

    (got,) = await synapse_flow.target.arrived(1)
    assert got.body == delivery.body


async def test_the_target_is_chosen_by_its_header(synapse_flow: Flow, sender: Wso2Sender) -> None:
    await sender.send(a_delivery(target="odoo-b_2"), 1)

    (got,) = await synapse_flow.target.arrived(1)
    assert got.path == "/odoo"


async def test_a_target_that_wso2_does_not_know_is_refused(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    outcome = await sender.send(a_delivery(target="nobody"), 1)

    assert isinstance(outcome, Refused)
    assert (outcome.http_status, outcome.code) == (422, "HTTP_422")
    assert "UNKNOWN_TARGET" in outcome.answer
    assert synapse_flow.target.requests == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"Idempotency-Key": None}, id="no id"),
        pytest.param({"Idempotency-Key": 'a"b,"c":"12345'}, id="an id that breaks JSON"),
        pytest.param({"Idempotency-Key": "short"}, id="a short id"),
        pytest.param({"Idempotency-Key": "x" * 201}, id="a long id"),
        pytest.param({"X-Cdc-Target": None}, id="no target"),
        pytest.param({"X-Cdc-Target": "webshop,odoo-b_2"}, id="two targets"),
        pytest.param({"X-Cdc-Target": "*"}, id="a pattern as target"),
        pytest.param({"X-Cdc-Chain": None}, id="no chain"),
        pytest.param({"X-Cdc-Attempt": "0"}, id="attempt 0"),
        pytest.param({"X-Cdc-Attempt": "1e3"}, id="an attempt that is no number"),
        pytest.param({"X-Cdc-Operation": None}, id="no operation"),
        pytest.param({"X-Cdc-Model": "a|b"}, id="a model with a separator"),
        pytest.param({"Content-Type": "text/plain"}, id="another content type"),
    ],
)
async def test_headers_that_are_not_ours_are_refused(
    synapse_flow: Flow, changed: dict[str, str | None]
) -> None:
    status, answer = await post(synapse_flow, a_delivery(), changed)

    assert (status, answer) == (400, {"status": "BAD_HEADERS", "id": ""})
    assert synapse_flow.target.requests == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[1]", id="a list"),
        pytest.param(b" {}", id="a blank first"),
        pytest.param(b"{" + b" " * 1_999_998 + b"}", id="two million bytes"),
    ],
)
async def test_a_body_that_is_no_message_of_ours_is_refused(
    synapse_flow: Flow, sender: Wso2Sender, body: bytes
) -> None:
    outcome = await sender.send(a_delivery(body=body), 1)

    assert isinstance(outcome, Refused)
    assert outcome.http_status == 400
    assert synapse_flow.target.requests == []


async def test_a_trace_that_is_none_is_not_passed_on(synapse_flow: Flow) -> None:
    status, _ = await post(synapse_flow, a_delivery(), {"traceparent": "garbage"})

    (got,) = await synapse_flow.target.arrived(1)
    assert status == 202
    assert "traceparent" not in got.headers


async def test_headers_of_a_sender_do_not_come_back_nor_go_on(synapse_flow: Flow) -> None:
    headers = {**headers_of(a_delivery(), 1), "Authorization": "Bearer s", "X-Own": "1"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(synapse_flow.url, data=b"{}", headers=headers) as answer,
    ):
        assert answer.status == 202
        assert not {"Authorization", "X-Own", "Idempotency-Key"} & set(answer.headers)

    (got,) = await synapse_flow.target.arrived(1)
    assert not {"Authorization", "X-Own"} & set(got.headers)


@pytest.mark.parametrize(
    ("target", "header"),
    [
        pytest.param("basic", basic("öd", PASSWORD), id="basic"),
        pytest.param("bearer", f"Bearer {PASSWORD}", id="bearer"),
        pytest.param("webshop", None, id="nobody, beside others"),
    ],
)
async def test_wso2_makes_itself_known_to_the_target(
    synapse_flow: Flow, sender: Wso2Sender, target: str, header: str | None
) -> None:
    delivery = a_delivery(target=target)

    assert await sender.send(delivery, 1) == Accepted()

    (got,) = await synapse_flow.target.arrived(1)
    assert got.headers.get("Authorization") == header
    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert word["status"] == "delivered"


async def test_wso2_shows_its_certificate_to_a_target_of_a_private_ca(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery(target="mutual")

    assert await sender.send(delivery, 1) == Accepted()

    (got,) = await synapse_flow.guarded.arrived(1)
    assert got.id == delivery.id
    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert word["status"] == "delivered"


async def test_without_a_certificate_that_the_target_asks_for_nothing_is_lost(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery(target="anonymous")

    assert await sender.send(delivery, 1) == Accepted()

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["http_status"]) == ("retry", 0)
    assert synapse_flow.other.requests == []


@pytest.mark.parametrize(
    ("answer", "status", "http_status", "code"),
    [
        pytest.param(Answer(201), "delivered", 201, "HTTP_201", id="created"),
        pytest.param(Answer(204), "delivered", 204, "HTTP_204", id="no content"),
        pytest.param(
            Answer(200, b"<broken", (("Content-Type", "text/xml"),)),
            "delivered",
            200,
            "HTTP_200",
            id="broken XML",
        ),
        pytest.param(
            Answer(200, b'{"broken', (("Content-Type", "application/json"),)),
            "delivered",
            200,
            "HTTP_200",
            id="broken JSON",
        ),
        pytest.param(Answer(301), "rejected", 301, "HTTP_301", id="moved"),
        pytest.param(
            Answer(422, b'{"code":"no_such_partner","message":"\\"$1"}'),
            "rejected",
            422,
            "HTTP_422",
            id="unprocessable",
        ),
        pytest.param(Answer(404, b"x" * 100_000), "rejected", 404, "HTTP_404", id="not found"),
        pytest.param(Answer(401), "retry", 401, "HTTP_401", id="who are you"),
        pytest.param(Answer(403), "rejected", 403, "HTTP_403", id="not for you"),
        pytest.param(Answer(408), "retry", 408, "HTTP_408", id="request timeout"),
        pytest.param(Answer(429), "retry", 429, "HTTP_429", id="too many"),
        pytest.param(Answer(500, b"<html>oops"), "retry", 500, "HTTP_500", id="server error"),
        pytest.param(Answer(502), "retry", 502, "HTTP_502", id="bad gateway"),
    ],
)
async def test_the_targets_answer_becomes_the_acknowledgement(
    synapse_flow: Flow,
    sender: Wso2Sender,
    answer: Answer,
    status: str,
    http_status: int,
    code: str,
) -> None:
    delivery = a_delivery()
    synapse_flow.target.next(answer)

    assert await sender.send(delivery, 1) == Accepted()

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["http_status"], word["code"]) == (status, http_status, code)


@pytest.mark.parametrize(
    ("header", "carried"),
    [
        pytest.param("120", "120", id="seconds"),
        pytest.param(
            "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", id="a date"
        ),
        pytest.param('1","status":"DELIVERED$2', "", id="hostile"),
    ],
)
async def test_retry_after_is_carried(
    synapse_flow: Flow, sender: Wso2Sender, header: str, carried: str
) -> None:
    delivery = a_delivery()
    synapse_flow.target.next(Answer(503, b"", (("Retry-After", header),)))

    await sender.send(delivery, 1)

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["retry_after"]) == ("retry", carried)


async def test_a_target_that_refuses_the_connection_asks_for_a_retry(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery(target="gone")

    assert await sender.send(delivery, 1) == Accepted()

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["http_status"]) == ("retry", 0)
    assert word["code"].startswith("SYNAPSE_")


async def test_a_target_that_hangs_up_asks_for_a_retry(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery()
    synapse_flow.target.next(Close())

    await sender.send(delivery, 1)

    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["http_status"]) == ("retry", 0)


async def test_a_target_that_is_too_slow_asks_for_a_retry_and_holds_up_nobody(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    slow, next_one = a_delivery(), a_delivery()
    synapse_flow.target.next(Hold(Answer(200)))

    await sender.send(slow, 1)
    await synapse_flow.target.arrived(1)
    await sender.send(next_one, 1)

    (other,) = await asyncio.to_thread(synapse_flow.words.of, next_one.id)
    (word,) = await asyncio.to_thread(synapse_flow.words.of, slow.id)
    assert other["status"] == "delivered"
    assert (word["status"], word["http_status"]) == ("retry", 0)


async def test_each_refused_connection_is_told_and_the_target_is_not_suspended(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    refused, second = [a_delivery() for _ in range(REFUSED)], a_delivery()
    synapse_flow.target.stop()
    try:
        for delivery in refused:
            await sender.send(delivery, 1)
            (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
            assert (word["status"], word["code"]) == ("retry", "SYNAPSE_101503")
    finally:
        synapse_flow.target.start()

    await sender.send(second, 1)

    (word,) = await asyncio.to_thread(synapse_flow.words.of, second.id)
    assert word["status"] == "delivered"


async def test_no_word_is_lost_to_a_worker_that_was_there_before(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    """The engine sends a word each into the connections that it keeps, also where they ended."""
    words = synapse_flow.words
    before, after = ([a_delivery() for _ in range(20)] for _ in range(2))
    words.together = asyncio.Barrier(len(before))  # each over a connection of its own
    await asyncio.gather(*(sender.send(delivery, 1) for delivery in before))
    for delivery in before:
        await asyncio.to_thread(words.of, delivery.id)
    words.together = None

    await asyncio.to_thread(synapse_flow.restart_intake)
    await asyncio.gather(*(sender.send(delivery, 1) for delivery in after))

    for delivery in after:
        (word,) = await asyncio.to_thread(words.of, delivery.id)
        assert word["status"] == "delivered"


async def test_what_a_killed_engine_had_accepted_arrives_when_it_is_sent_again(
    synapse_flow: Flow, sender: Wso2Sender
) -> None:
    delivery = a_delivery()
    synapse_flow.target.next(Hold(Answer(200)))
    assert await sender.send(delivery, 1) == Accepted()
    await synapse_flow.target.arrived(1)

    await asyncio.to_thread(synapse_flow.engine.kill)
    away = await sender.send(delivery, 2)
    await asyncio.to_thread(synapse_flow.engine.launch)
    again = await sender.send(delivery, 2)

    assert isinstance(away, Unavailable)
    assert not away.counted
    assert again == Accepted()
    (word,) = await asyncio.to_thread(synapse_flow.words.of, delivery.id)
    assert (word["status"], word["attempt"]) == ("delivered", 2)
    first, second = await synapse_flow.target.arrived(2)
    assert (first.id, first.body) == (second.id, second.body)


async def test_check_finds_a_target_that_the_deployed_artifacts_do_not_know(
    synapse_flow: Flow, wso2_config: Callable[..., Config]
) -> None:
    known = wso2_config(url=synapse_flow.url, targets={"webshop": "http://a/in"})
    new = wso2_config(url=synapse_flow.url, targets={"webshop": "http://a/in", "new": "http://b"})

    assert await asyncio.to_thread(findings, known) == []
    (finding,) = await asyncio.to_thread(findings, new)
    assert (finding.level, finding.where) == ("error", "targets.new")
    assert "wso2 generate" in finding.remedy
    assert synapse_flow.target.requests == []


async def test_check_finds_that_the_flow_is_not_there(
    synapse_flow: Flow, wso2_config: Callable[..., Config]
) -> None:
    elsewhere = wso2_config(url=synapse_flow.url.replace("/cdc/v1/messages", "/other"))

    (finding,) = await asyncio.to_thread(findings, elsewhere)

    assert (finding.level, finding.where) == ("error", "wso2.url")
    assert "202" in finding.message
