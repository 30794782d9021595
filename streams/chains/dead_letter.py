"""Dead letters: deliveries that will not arrive by themselves, with the reason.

Records of the `dead` topic are keyed by chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.delivery import Delivery
from schemas.keys import DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.item import Terms, delivery_of, origin
from streams.chains.ledger import COMMITTED, Entry, birth, iso, seconds


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: a delivery that will not arrive by itself, with the reason.

    `delivery` is None where only the ledger still knew it; its bytes then stand in the send
    queue at offset `entry.order`.
    """

    entry: Entry
    at: float
    answer: str = ""
    delivery: Delivery | None = None
    terms: Terms | None = None

    def to_json(self) -> bytes:
        """Write the value of a record in `dead`."""
        entry = self.entry
        chain, route, sequence = split_delivery_id(entry.id)
        about = origin(self.delivery) if self.delivery else _origin_of(entry)
        fields = {
            "id": entry.id,
            "chain": chain,
            "target": entry.target,
            "route": route,
            "sequence": sequence,
            **about,
            "state": entry.state.value,
            "why": entry.why,
            "code": entry.code,
            "answer": self.answer,
            "http_status": entry.http_status,
            "target_id": entry.target_id,
            "attempt": entry.attempt,
            "at": iso(self.at),
            "order": entry.order,
            "terms": self.terms.to_fields() if self.terms else None,
            "body": self.delivery.body.decode() if self.delivery else None,
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Letter:
        """Read a record of `dead`; ValueError or KeyError where it is not one."""
        fields = json.loads(value)
        body, terms, state = fields["body"], fields["terms"], State(fields["state"])
        entry = Entry(
            id=DeliveryId(fields["id"]),
            model=fields["model"],
            record=fields["record"],
            operation=fields["operation"],
            state=state,
            final=True,
            order=fields["order"],
            attempt=fields["attempt"],
            why=fields["why"],
            code=fields["code"],
            http_status=fields["http_status"],
            target_id=fields.get("target_id", ""),
            times={COMMITTED: fields["time"] or fields["at"], state.value: fields["at"]},
        )
        return cls(
            entry,
            seconds(fields["at"]),
            fields["answer"],
            None if body is None else delivery_of(entry.id, fields, body),
            Terms.from_fields(terms) if terms else None,
        )


def stillborn(
    delivery: Delivery, terms: Terms, *, why: str, code: str, now: float
) -> tuple[bytes, bytes]:
    """Return (ledger value, dead value) of a delivery that can never be sent.

    Write the dead letter first: who finds the ledger's word asks no further.
    """
    entry = Entry(
        id=DeliveryId(delivery.id),
        model=delivery.model,
        record=delivery.record_id,
        operation=delivery.operation,
        state=State.DEAD,
        final=True,
        order=None,
        why=why,
        code=code,
        times=birth(delivery, now),
    ).at(now, State.DEAD)
    return entry.to_json(), Letter(entry, now, "", delivery, terms).to_json()


def _origin_of(entry: Entry) -> dict[str, Any]:
    return {
        "model": entry.model,
        "record": entry.record,
        "operation": entry.operation,
        "mode": None,
        "source": entry.id.split("/", 1)[0],
        "time": entry.times.get(COMMITTED),
        "traceparent": None,
    }
