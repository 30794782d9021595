"""A delivery that is not final yet, and how it stands in the `retries` topic.

An item carries the whole delivery and what it needs of its target's settings, so that it goes
out with the same bytes although its route or target is gone from the configuration.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from schemas.delivery import Delivery, Want
from schemas.keys import Chain, DeliveryId, split_delivery_id
from schemas.state import State

REQUIRED: Final = "required"
LATEST: Final = "latest"
_LEAVING: Final = frozenset({"leave", "delete"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What a delivery needs of its target's settings; times in seconds."""

    acknowledge: str  # required | accepted
    ack_timeout: float
    retry: tuple[float, ...]  # pauses before the 2nd, 3rd ... attempt
    history: str  # latest | all

    def to_fields(self) -> dict[str, Any]:
        """Return the terms as a JSON object."""
        return {
            "acknowledge": self.acknowledge,
            "ack_timeout": self.ack_timeout,
            "retry": list(self.retry),
            "history": self.history,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Terms:
        """Read what `to_fields` wrote."""
        return cls(
            acknowledge=fields["acknowledge"],
            ack_timeout=float(fields["ack_timeout"]),
            retry=tuple(float(pause) for pause in fields["retry"]),
            history=fields["history"],
        )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery as it comes from its send queue; `offset` is its place there."""

    delivery: Delivery
    partition: int
    offset: int
    terms: Terms


@dataclass(frozen=True, slots=True)
class Item:
    """A delivery on its way.

    `due` is when something must happen, in UTC seconds: a waiting item is sent again, a sent one
    has got no answer, an accepted one no acknowledgement. A waiting item without it waits for
    its turn in the chain. `attempt` counts from 1 the attempts made, the one being made
    included, `sent` when the latest began, `unclear` when the latest of those that WSO2 may have
    taken although it did not say so. `order` is the offset in the send queue; `since` when a
    worker first saw the delivery; `command` the id of the last `retry` that concerned it.
    """

    delivery: Delivery
    terms: Terms
    order: int
    since: float
    state: State = State.WAITING
    due: float | None = None
    attempt: int = 0
    sent: float | None = None
    why: str = ""
    code: str = ""
    http_status: int | None = None
    command: str = ""
    unclear: float | None = None

    @classmethod
    def of(cls, arrival: Arrival, now: float) -> Item:
        """Return the item of a delivery that was never sent."""
        return cls(arrival.delivery, arrival.terms, arrival.offset, now)

    @property
    def id(self) -> DeliveryId:
        """The delivery's id."""
        return DeliveryId(self.delivery.id)

    @property
    def chain(self) -> Chain:
        """The chain that the item is one of."""
        return Chain(self.delivery.chain)

    @property
    def route(self) -> str:
        """The route that made the delivery."""
        return self.delivery.route

    @property
    def target(self) -> str:
        """The target that the delivery is for."""
        return self.delivery.target

    @property
    def active(self) -> bool:
        """Whether its chain waits for this one: it is in flight, or failed and due again."""
        return self.state is not State.WAITING or self.due is not None

    @property
    def awaits_word(self) -> bool:
        """Whether acceptance is not enough: the target's own word is required."""
        return self.terms.acknowledge == REQUIRED

    @property
    def place(self) -> tuple[str, int, int]:
        """What orders a chain: sequence, then leave and delete first, then file order."""
        return place_of(self.delivery.sequence, self.delivery.operation, self.order)

    def begun(self, now: float) -> Item:
        """Return the item as it is while being sent.

        A sent item's answer was lost with the worker that waited for it: the same attempt is
        made again.
        """
        lost = self.state is State.SENT
        attempt = self.attempt if lost else self.attempt + 1
        unclear = self.sent if lost else self.unclear
        return replace(
            self, state=State.SENT, attempt=attempt, sent=now, due=None, unclear=unclear
        )

    def to_json(self) -> bytes:
        """Write the value of a record in `retries`."""
        sent = self.delivery
        fields = {
            "id": sent.id,
            "chain": sent.chain,
            "target": sent.target,
            "route": sent.route,
            "sequence": sent.sequence,
            "state": self.state.value,
            "due": self.due,
            "attempt": self.attempt,
            "sent": self.sent,
            "why": self.why,
            "code": self.code,
            "http_status": self.http_status,
            "since": self.since,
            "order": self.order,
            "command": self.command,
            "unclear": self.unclear,
            "terms": self.terms.to_fields(),
            "delivery": origin(sent),
            "body": sent.body.decode(),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Item:
        """Read a record of `retries`; ValueError or KeyError where it is not one."""
        fields = json.loads(value)
        return cls(
            delivery=delivery_of(fields["id"], fields["delivery"], fields["body"]),
            terms=Terms.from_fields(fields["terms"]),
            order=fields["order"],
            since=fields["since"],
            state=State(fields["state"]),
            due=fields["due"],
            attempt=fields["attempt"],
            sent=fields["sent"],
            why=fields["why"],
            code=fields["code"],
            http_status=fields["http_status"],
            command=fields.get("command", ""),
            unclear=fields.get("unclear"),
        )


def place_of(sequence: str, operation: str, order: int) -> tuple[str, int, int]:
    """Return what orders the deliveries of a chain."""
    return sequence, 0 if operation in _LEAVING else 1, order


def target_of(chain: str) -> str:
    """Return the target's name in a chain: its second part."""
    return chain.split("/", 2)[1]


def origin(delivery: Delivery) -> dict[str, Any]:
    """Return the fields of a delivery that its id does not show."""
    wants = {"wants": [want.to_fields() for want in delivery.wants]} if delivery.wants else {}
    return {
        "model": delivery.model,
        "record": delivery.record_id,
        "operation": delivery.operation,
        "mode": delivery.mode,
        "source": delivery.source,
        "time": delivery.time,
        "traceparent": delivery.traceparent,
        "force_older": delivery.force_older,
        **wants,
    }


def delivery_of(delivery_id: str, about: dict[str, Any], body: str) -> Delivery:
    """Return the delivery that `origin` and its id describe."""
    chain, route, sequence = split_delivery_id(delivery_id)
    return Delivery(
        id=delivery_id,
        chain=chain,
        target=target_of(chain),
        route=route,
        sequence=sequence,
        model=about["model"],
        record_id=about["record"],
        operation=about["operation"],
        mode=about["mode"],
        source=about["source"],
        time=about["time"],
        traceparent=about["traceparent"],
        body=body.encode(),
        force_older=about.get("force_older", False),
        wants=tuple(map(Want.of, about.get("wants", ()))),
    )
