"""Deliveries as lines of JSON: the message itself, or why there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas import message
from streams.filling.draft import unread
from streams.routing.address import Stillborn
from streams.routing.dispatch import Dispatched

UNDELIVERABLE = "undeliverable"


class Line(NamedTuple):
    """One line without its end, and the chain that it belongs to."""

    chain: str
    text: bytes


def lines_of(made: Dispatched) -> Iterator[Line]:
    """Give the lines of an event: what would be sent, byte for byte, then what never could.

    Odoo is asked for nothing: what is wanted of it is left out, and named.
    """
    for delivery in made.deliveries:
        yield Line(delivery.chain, unread(delivery) if delivery.wants else delivery.body)
    for born in made.stillborn:
        yield Line(born.delivery.chain, _reason(born))


def _reason(born: Stillborn) -> bytes:
    """Return what stands where the message would: `undeliverable` instead of `fields`."""
    sent = born.delivery
    routing = {"route": sent.route, "target": sent.target, "mode": sent.mode}
    record = {"model": sent.model, "id": sent.record_id, "operation": sent.operation}
    said = {
        "id": sent.id,
        "source": f"/{sent.source}",
        "type": f"odoo.{sent.model}.{sent.operation}",
        "subject": f"{sent.model}/{sent.record_id}",
        "time": sent.time,
        "partitionkey": sent.chain,
        "sequence": sent.sequence,
        UNDELIVERABLE: {"code": born.code, "why": born.why},
        "data": {"routing": routing, "record": record},
    }
    return message.encode(said).encode(errors="backslashreplace")
