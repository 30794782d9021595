"""A small world to look at: a few deliveries in a send queue, and what may go wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from string import ascii_uppercase
from typing import Final

from schemas.delivery import Delivery, Want
from schemas.keys import chain_of, delivery_id
from schemas.position import Lsn, Position
from streams.chains.item import Terms

NOW: Final = 1_800_000_000.0  # the one moment: whatever has a time may fall due at any time
TIMEOUT: Final = 10.0
ACCEPTED: Final = Terms("accepted", ack_timeout=60.0, retry=(10.0,), history="all")
REQUIRED: Final = replace(ACCEPTED, acknowledge="required")


@dataclass(frozen=True)
class Told:
    """A delivery of a scenario: of which record and route, and what it does.

    `event` numbers the event that it is of, from 1; 0: its own, of its place among them. One that
    is replayed has a `run`; it stands behind the one that it repeats.
    """

    record: int = 42
    route: str = "orders"
    operation: str = "update"
    event: int = 0
    run: int = 0
    force_older: bool = False
    draft: bool = False  # Odoo is asked for a value of it, and has another each time


@dataclass(frozen=True)
class Scenario:
    """What is in the send queue, on which terms, and how much may go wrong.

    `told` is in the order of the sequences. `queue` holds indexes of it; an index twice is a
    copy. `outcomes` are WSO2's answers:
    busy (503), refused (422), away (no connection), late (no answer in time, but it may still be
    taken), lost (taken, but the answer does not come). With withheld Odoo may give no value.
    """

    told: Sequence[Told] = (Told(), Told())
    queue: Sequence[int] = (0, 1)
    terms: Terms = ACCEPTED
    outcomes: frozenset[str] = frozenset({"busy", "refused", "away", "late", "lost"})
    crashes: int = 1
    moves: int = 1
    words: int = 0
    retries: int = 0  # that an operator asks for, of what has a dead letter
    gate: bool = True  # it may close before any call
    slow: bool = True  # a batch may end before the answer comes
    together: bool = False  # two steps of a worker become durable in one flush
    most: int = 2_000_000
    deliveries: Sequence[Delivery] = field(init=False)

    def __post_init__(self) -> None:
        made = [_delivery(number, told) for number, told in enumerate(self.told)]
        object.__setattr__(self, "deliveries", made)

    def name(self, slot: int) -> str:
        """Return what a delivery is called in a trace."""
        return ascii_uppercase[slot]


def _delivery(number: int, told: Told) -> Delivery:
    chain = chain_of("odoo_a", "webshop", "sale.order", told.record)
    lsn = Lsn(told.event or number + 1)
    sequence = Position(0x6743A1F0, lsn, 1, told.run).sequence
    return Delivery(
        id=delivery_id(chain, told.route, sequence),
        chain=chain,
        target="webshop",
        route=told.route,
        sequence=sequence,
        model="sale.order",
        record_id=told.record,
        operation=told.operation,
        mode="replay" if told.run else "stream",
        source="odoo_a",
        time="2026-11-23T10:00:00.123456Z",
        traceparent=f"00-{number + 1:032x}-{number + 1:016x}-01",
        body=f'{{"number":{number}}}'.encode(),
        force_older=told.force_older,
        wants=(Want("/x", "sale.order", told.record, "x", "char", None),) if told.draft else (),
    )


def filled(draft: Delivery, read: int) -> Delivery:
    """Return what a draft becomes with what Odoo says when it is asked for the n-th time."""
    return replace(draft, body=b'{"read":%d}' % read, wants=())


def read_of(delivery: Delivery) -> int:
    """Return with which answer a draft was filled; 0 for one that never was a draft."""
    return int(json.loads(delivery.body).get("read", 0))
