"""Deliveries as tests need them."""

from __future__ import annotations

import itertools
from dataclasses import replace

from schemas.delivery import Delivery, Want
from schemas.keys import Chain, chain_of, delivery_id

_numbers = itertools.count(1)


def a_delivery(*, target: str = "webshop", record: int = 0, body: bytes = b"{}") -> Delivery:
    """Return a delivery of a record of its own, unless told which."""
    number = next(_numbers)
    record = record or 1_000_000 + number
    chain = chain_of("odoo_a", target, "sale.order", record)
    sequence = f"6743A1F0-{number:016X}-00000001-0000"
    return Delivery(
        id=delivery_id(chain, "orders", sequence),
        chain=chain,
        target=target,
        route="orders",
        sequence=sequence,
        model="sale.order",
        record_id=record,
        operation="update",
        mode="stream",
        source="odoo_a",
        time="2027-01-15T08:00:00.123456Z",  # when a rig begins
        traceparent=f"00-{number:032x}-{number:016x}-01",
        body=body,
    )


def a_draft(*, target: str = "webshop", record: int = 0, field: str = "image") -> Delivery:
    """Return a delivery that wants one value of its record."""
    body = '{"data":{"record":{"changed":null},"fields":{"name":"S1","image":null}}}'
    sent = a_delivery(target=target, record=record, body=body.encode())
    at = "2026-11-23T10:00:00.123456Z"
    return replace(sent, wants=(Want("/image", sent.model, sent.record_id, field, "char", at),))


def replay_of(delivery: Delivery, run: int = 1, *, force_older: bool = False) -> Delivery:
    """Return a delivery as a replay repeats it."""
    sequence = f"{delivery.sequence[:-4]}{run:04d}"
    identity = delivery_id(Chain(delivery.chain), delivery.route, sequence)
    changes = {"id": identity, "sequence": sequence, "mode": "replay"}
    return replace(delivery, **changes, force_older=force_older)


def other_route(sent: Delivery, route: str = "other") -> Delivery:
    """Return a delivery of the same event by another route."""
    name = delivery_id(Chain(sent.chain), route, sent.sequence)
    return replace(sent, id=name, route=route)
