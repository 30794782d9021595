"""The webshop: once each, the newest wins; and what it counts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from embedded.webshop.latency import Latencies
from embedded.webshop.server import Faults, Server, open_log
from embedded.webshop.shop import Message, NotADelivery, Shop, Word

CHAIN = "odoo_a/shop/sale.order/42"


def event(sequence: str, operation: str = "update", **fields: Any) -> dict[str, Any]:
    """Return a message; `route` is one of the fields where another than `orders` is meant."""
    route = fields.pop("route", "orders")
    return {
        "id": f"{CHAIN}/{route}/{sequence}",
        "time": "2026-11-23T10:00:00.5Z",
        "data": {
            "routing": {"route": route, "target": "shop", "mode": "stream"},
            "record": {"key": "odoo_a.sale_order_42", "operation": operation},
            "fields": fields,
        },
    }


def message(sequence: str, operation: str = "update", **fields: Any) -> Message:
    return Message.parse(json.dumps(event(sequence, operation, **fields)).encode())


def test_the_newest_wins() -> None:
    shop = Shop()

    assert shop.take(message("1", name="S1")) is Word.APPLIED
    assert shop.take(message("2", name="S2")) is Word.APPLIED

    assert shop.records == {"orders": {"odoo_a.sale_order_42": {"name": "S2"}}}


def test_what_comes_again_changes_nothing() -> None:
    shop = Shop()
    for sequence in "12":
        shop.take(message(sequence, name=sequence))

    assert shop.take(message("1", name="1")) is Word.DUPLICATE
    assert shop.take(message("2", name="2")) is Word.DUPLICATE

    assert shop.records["orders"]["odoo_a.sale_order_42"] == {"name": "2"}
    assert shop.counts == {Word.APPLIED: 2, Word.DUPLICATE: 2, Word.OUT_OF_ORDER: 0}


def test_an_older_one_that_never_came_is_out_of_order_and_changes_nothing() -> None:
    shop = Shop()
    shop.take(message("2", name="2"))

    assert shop.take(message("1", name="1")) is Word.OUT_OF_ORDER
    assert shop.take(message("1", name="1")) is Word.DUPLICATE

    assert shop.records["orders"]["odoo_a.sale_order_42"] == {"name": "2"}


def test_routes_of_one_record_are_apart() -> None:
    shop = Shop()
    shop.take(message("2", name="2"))

    assert shop.take(message("1", route="invoices", name="1")) is Word.APPLIED

    assert set(shop.records) == {"orders", "invoices"}


@pytest.mark.parametrize("operation", ["leave", "delete"])
def test_what_leaves_is_held_no_more(operation: str) -> None:
    shop = Shop()
    shop.take(message("1", name="1"))

    assert shop.take(message("2", operation, name="1")) is Word.APPLIED

    assert shop.records == {"orders": {}}
    assert shop.take(message("1", name="1")) is Word.DUPLICATE
    assert shop.records == {"orders": {}}


def test_a_message_says_when_it_was_committed() -> None:
    assert message("1").time == pytest.approx(1_795_428_000.5)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'"text"', json.dumps({**event("1"), "id": "1"}).encode()],
    ids=["empty", "cut off", "a list", "no id", "text", "an id without chain"],
)
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(NotADelivery):
        Message.parse(body)


def test_percentiles_are_right_to_two_percent() -> None:
    latencies = Latencies()
    for number in range(1, 1_001):
        latencies.add(number / 1_000)

    found = latencies.summary()

    assert found["count"] == 1_000
    assert found["p50"] == pytest.approx(500, rel=0.03)
    assert found["p99"] == pytest.approx(990, rel=0.03)
    assert found["recent_p50"] == pytest.approx(750, rel=0.03)


def test_nothing_has_no_percentiles() -> None:
    assert Latencies().summary() == {
        "count": 0, "p50": None, "p99": None, "recent_p50": None, "recent_p99": None
    }  # fmt: skip


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    clients = []

    async def client(server: Server) -> TestClient[Any, Any]:
        made = TestClient(TestServer(server.app()))
        clients.append(made)
        await made.start_server()
        return made

    yield client
    for made in clients:
        await made.close()


async def test_a_delivery_is_answered_with_its_id_and_kept(serve: Any) -> None:
    client = await serve(Server(Shop(), Faults(), clock=lambda: 1_795_428_001.0))

    answer = await client.post("/deliveries", json=event("1", name="S1"))

    assert answer.status == 200
    assert await answer.json() == {
        "id": f"{CHAIN}/orders/1", "status": "delivered", "target_id": "odoo_a.sale_order_42"
    }  # fmt: skip
    records = await (await client.get("/records")).json()
    assert records == {"orders": {"odoo_a.sale_order_42": {"name": "S1"}}}
    summary = await (await client.get("/summary")).json()
    assert (summary["accepted"], summary["records"]) == (1, {"orders": 1})
    assert summary["latency_ms"]["p50"] == pytest.approx(500, rel=0.03)


async def test_what_cannot_be_read_is_rejected_for_good(serve: Any) -> None:
    client = await serve(Server(Shop(), Faults()))

    answer = await client.post("/deliveries", data=b"{")

    assert answer.status == 400
    assert (await answer.json())["status"] == "rejected"


async def test_a_shop_that_is_away_applies_nothing(serve: Any) -> None:
    server = Server(Shop(), Faults(refuse=1.0))
    client = await serve(server)

    answer = await client.post("/deliveries", json=event("1"))

    assert answer.status == 503
    assert (server.shop.records, server.refused) == ({}, 1)


async def test_a_lost_answer_makes_a_duplicate(serve: Any) -> None:
    server = Server(Shop(), Faults(forget=1.0))
    client = await serve(server)

    statuses = [(await client.post("/deliveries", json=event("1"))).status for _ in range(2)]

    assert statuses == [503, 503]
    assert server.shop.counts == {Word.APPLIED: 1, Word.DUPLICATE: 1, Word.OUT_OF_ORDER: 0}


async def test_a_shop_that_was_killed_remembers(serve: Any, tmp_path: Path) -> None:
    file = tmp_path / "accepted.jsonl"
    first = Server(Shop(), Faults())
    open_log(file, first)
    client = await serve(first)
    for sequence in "121":
        await client.post("/deliveries", json=event(sequence, name=sequence))
    assert first.log
    first.log.close()
    with file.open("a", encoding="utf-8") as log:
        log.write('{"id": "cut')

    second = Server(Shop(), Faults())
    open_log(file, second)

    assert second.shop.records == first.shop.records
    assert second.shop.take(message("1")) is Word.DUPLICATE
    assert second.shop.take(message("0")) is Word.OUT_OF_ORDER
    assert second.log
    second.log.write("whole\n")
    second.log.close()
    assert [line[:5] for line in file.read_text().splitlines()] == ['{"id"', '{"id"', "whole"]
