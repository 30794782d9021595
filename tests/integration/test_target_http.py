"""Deliveries over real sockets, to a service whose Odoo is scripted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streams.applying import answer
from streams.applying.answer import STALE, Delivered, Rejected
from streams.http.address import AddressTaken
from streams.http.connections import MOST
from streams.http.deliveries import LARGEST, Condition, Deliveries
from tests.service_rig import Gate, TargetRig, delivery, message, target

pytestmark = pytest.mark.integration

TOKEN = "a-token-of-ours"
ASKS = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Said:
    status: int
    headers: Any
    body: Any


@dataclass
class Place:
    """A service that listens."""

    rig: TargetRig
    server: Deliveries
    session: aiohttp.ClientSession
    refused: list[str]

    async def post(
        self, data: Any, path: str = "/deliveries", token: str = TOKEN, **headers: str
    ) -> Said:
        known = {"Authorization": f"Bearer {token}"} if token else {}
        sent = data if hasattr(data, "__aiter__") else BytesIO(_bytes(data))
        url = f"http://127.0.0.1:{self.server.port}{path}"
        headers = {**known, **{name.replace("_", "-"): text for name, text in headers.items()}}
        async with self.session.post(url, data=sent, headers=headers) as said:
            return Said(said.status, said.headers, await said.json())

    async def get(self, path: str) -> Said:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with self.session.get(url) as said:
            text = await said.text()
            is_json = said.content_type == "application/json"
            return Said(said.status, said.headers, json.loads(text) if is_json else text)

    async def raw(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port)


def _bytes(data: Any) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data).encode()


@asynccontextmanager
async def listening(
    folder: Path, token: str = TOKEN, slowest: float = 30, **more: int
) -> AsyncIterator[Place]:
    refused: list[str] = []
    async with target(folder, **more) as rig:  # type: ignore[arg-type]
        login = rig.login
        condition = Condition(
            lambda: [login.refused] if login.refused else [],
            rig.service.reasons,
            lambda: rig.metrics.text(rig.service.gauges()),
        )
        async with (
            Deliveries(
                "127.0.0.1:0",
                token,
                rig.desk,
                condition,
                count=refused.append,
                slowest=slowest,
            ) as server,
            aiohttp.ClientSession() as session,
        ):
            yield Place(rig, server, session, refused)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with listening(tmp_path) as made:
        yield made


async def test_a_delivery_is_applied_and_answered(place: Place) -> None:
    said = await place.post(message(1))

    assert said.status == 200
    assert said.body == {"id": delivery(1).id, "status": "delivered", "target_id": "101"}
    assert said.headers["X-Cdc-Target-Id"] == "101"
    assert "X-Cdc-Code" not in said.headers


async def test_what_is_rejected_says_why_in_its_headers_too(place: Place) -> None:
    place.rig.odoo.script = lambda *_: Rejected(answer.REFUSED, 'name: "\u00e9" & more')

    said = await place.post(message(1))

    assert said.status == 422
    assert said.headers["X-Cdc-Code"] == "ODOO_REFUSED"
    assert said.headers["X-Cdc-Message"] == r"name: \u0022\u00e9\u0022 \u0026 more"
    assert said.body["message"] == 'name: "\u00e9" & more'


async def test_odoo_is_asked_at_once_for_what_a_batch_names(place: Place) -> None:
    await place.post([message(1), {}, message(2, record=2)], "/deliveries/batch")
    await place.post(message(3))

    assert place.rig.odoo.prefetched == [[delivery(1).id, delivery(2, record=2).id]]


async def test_a_batch_is_answered_one_by_one(place: Place) -> None:
    said = await place.post([message(1), {}, message(1)], "/deliveries/batch")

    assert said.status == 200
    assert [each["http_status"] for each in said.body] == [200, 400, 200]
    assert said.body[2]["message"] == STALE


@pytest.mark.parametrize("token", ["", "another"], ids=["none", "wrong"])
async def test_who_has_no_token_is_kept_out(place: Place, token: str) -> None:
    for path in ("/deliveries", "/deliveries/batch"):
        said = await place.post(message(1), path, token)
        assert said.status == 401
        assert said.headers["WWW-Authenticate"] == "Bearer"

    assert place.rig.odoo.asked == []
    assert place.refused == ["401", "401"]


async def test_where_no_token_is_set_everybody_may_come(tmp_path: Path) -> None:
    async with listening(tmp_path, token="") as place:
        assert (await place.post(message(1), token="")).status == 200


async def test_law_9_a_body_that_is_too_large_is_not_read(place: Place) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGEST // 100_000 + 1):
            yield b" " * 100_000

    said = [await place.post(b" " * (LARGEST + 1)), await place.post(pieces())]

    assert [each.status for each in said] == [413, 413]
    assert place.refused == ["413", "413"]


async def test_the_largest_that_may_come_is_read(place: Place) -> None:
    data = json.dumps(message(1)).encode()

    assert (await place.post(data + b" " * (LARGEST - len(data)))).status == 200


async def test_a_body_that_does_not_come_is_given_up(tmp_path: Path) -> None:
    async with listening(tmp_path, slowest=0.05) as place:
        reader, writer = await place.raw()
        writer.write(
            b"POST /deliveries HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
            b"Authorization: Bearer " + TOKEN.encode() + b"\r\n\r\n{"
        )
        async with asyncio.timeout(30):
            first = await reader.readline()
        writer.close()
        await writer.wait_closed()

        assert b" 408 " in first
        assert place.refused == ["408"]


async def test_where_as_much_waits_as_may_it_is_said_before_the_body_is_read(
    tmp_path: Path,
) -> None:
    async with listening(tmp_path, at_once=1, waiting=0) as place:
        gate = place.rig.odoo.script = Gate()
        first = asyncio.create_task(place.post(message(1)))
        await gate.reached()

        said = await place.post(b"not even JSON", Idempotency_Key=delivery(2).id)
        gate.open()

        assert said.status == 429
        assert said.headers["Retry-After"] == "1"
        assert said.headers["X-Cdc-Code"] == "BUSY"
        assert (said.body["id"], said.body["status"]) == (delivery(2).id, "retry")
        assert (await first).status == 200


async def test_a_sender_that_goes_away_does_not_end_the_work(place: Place) -> None:
    gate = place.rig.odoo.script = Gate()
    data = json.dumps(message(1)).encode()
    _, writer = await place.raw()
    head = f"POST /deliveries HTTP/1.1\r\nHost: a\r\nContent-Length: {len(data)}\r\n"
    writer.write(f"{head}Authorization: Bearer {TOKEN}\r\n\r\n".encode() + data)
    await gate.reached()
    writer.transport.abort()
    again = asyncio.create_task(place.post(message(1)))
    gate.open()

    assert (await again).status == 200
    assert (await place.post(message(1))).body["message"] == STALE
    assert place.rig.odoo.numbers == [1]


@pytest.mark.parametrize("said", [b"", b"POST /deliveries HT"], ids=["nothing", "half a head"])
async def test_law_9_who_opens_connections_and_does_not_ask_keeps_nobody_out(
    place: Place, said: bytes
) -> None:
    gate = place.rig.odoo.script = Gate()
    begun = asyncio.create_task(place.post(message(1)))
    await gate.reached()
    async with AsyncExitStack() as opened:
        silent = [await _silent(place, opened, said) for _ in range(MOST + 20)]
        fresh = asyncio.create_task(_alone(place, message(2, record=2)))
        await gate.reached()
        gate.open()
        answered = [(await begun).status, (await fresh).status]
        async with asyncio.timeout(30):
            gone = [await each.read() for each in silent[:20]]

        assert answered == [200, 200]
        assert gone == [b""] * 20
        assert not silent[-1].at_eof()


async def test_law_9_of_those_that_have_asked_the_longest_idle_gives_way(place: Place) -> None:
    async with AsyncExitStack() as opened:
        idle = [await _silent(place, opened, ASKS) for _ in range(MOST)]
        async with asyncio.timeout(30):
            for each in idle:
                await each.readuntil(b"}")
            await _silent(place, opened, b"")
            gone = await idle[0].read()
            others = [each.at_eof() for each in idle[1:]]

    assert gone == b""
    assert not any(others)


async def _silent(place: Place, opened: AsyncExitStack, said: bytes) -> asyncio.StreamReader:
    reader, writer = await place.raw()
    opened.callback(lambda: writer.transport.abort())  # noqa: PLW0108  it keeps the writer
    writer.write(said)
    return reader


async def _alone(place: Place, data: Any) -> Said:
    """Deliver over a connection of its own."""
    async with aiohttp.ClientSession() as session:
        return await replace(place, session=session).post(data)


async def test_health_says_that_the_login_is_refused(place: Place) -> None:
    before = await place.get("/healthz")
    place.rig.login.note("Wrong login ID or password")
    during = [await place.get("/healthz"), await place.get("/readyz")]
    said = await place.post(message(1))

    assert (before.status, before.body["status"]) == (200, "ok")
    assert [each.status for each in during] == [503, 503]
    assert during[0].body["reasons"] == ["Wrong login ID or password"]
    assert during[1].body["ready"] is False
    assert (said.status, said.headers["X-Cdc-Code"]) == (503, "LOGIN_REFUSED")
    assert said.headers["Retry-After"] == "5"


async def test_metrics_count_answers(place: Place) -> None:
    place.rig.odoo.script = lambda *_: Delivered(1)
    await place.post(message(1))
    await place.post(message(1))
    await place.post({})

    said = await place.get("/metrics")

    assert 'odoo_cdc_target_answers_total{answer="delivered"} 1\n' in said.body
    assert 'odoo_cdc_target_answers_total{answer="stale"} 1\n' in said.body
    assert 'odoo_cdc_target_answers_total{answer="NOT_A_DELIVERY"} 1\n' in said.body
    assert "odoo_cdc_target_delivery_seconds_count 2\n" in said.body
    assert "odoo_cdc_target_in_flight 0\n" in said.body


async def test_an_address_that_is_taken_is_said(place: Place) -> None:
    condition: Callable[[], list[str]] = list
    other = Deliveries(
        f"127.0.0.1:{place.server.port}",
        "",
        place.rig.desk,
        Condition(condition, condition, str),
    )

    with pytest.raises(AddressTaken, match="listen: "):
        await other.__aenter__()
