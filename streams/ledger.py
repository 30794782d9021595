"""The ledger: the latest state of every delivery, with the time of each step; and dead letters.

Records of the `ledger` topic are keyed by delivery id and stand in the partition of the chain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from schemas.delivery import Delivery
from schemas.keys import Chain, DeliveryId, split_delivery_id
from schemas.state import State
from streams.item import Item, Terms, delivery_of, origin

COMMITTED: Final = "committed"  # in `Entry.times`, beside the states


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery's latest state.

    `final` says whether that state stands; a late word may still change it. `times` maps a step
    to its latest time (queued: its first), as text in UTC. `order` is the delivery's offset in
    its send queue, None where it never stood there.
    """

    id: DeliveryId
    model: str
    record: int
    operation: str
    state: State
    final: bool
    order: int | None
    attempt: int = 0
    why: str = ""
    code: str = ""
    http_status: int | None = None
    due: float | None = None
    times: Mapping[str, str] = field(default_factory=dict)

    @property
    def chain(self) -> Chain:
        """The chain, read from the id."""
        return split_delivery_id(self.id)[0]

    @property
    def target(self) -> str:
        """The target, read from the id."""
        return self.id.split("/", 2)[1]

    def at(self, now: float, *states: State) -> Entry:
        """Return the entry with the time of one or more steps set."""
        stamp = iso(now)
        return replace(self, times={**self.times, **{state.value: stamp for state in states}})

    def to_json(self) -> bytes:
        """Write the value of a record in `ledger`."""
        chain, route, sequence = split_delivery_id(self.id)
        fields = {
            "id": self.id,
            "chain": chain,
            "route": route,
            "target": self.target,
            "model": self.model,
            "record": self.record,
            "operation": self.operation,
            "state": self.state.value,
            "final": self.final,
            "attempt": self.attempt,
            "why": self.why,
            "code": self.code,
            "http_status": self.http_status,
            "due": self.due,
            "sequence": sequence,
            "order": self.order,
            "times": dict(self.times),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Entry:
        """Read a record of `ledger`; ValueError or KeyError where it is not one."""
        fields = json.loads(value)
        return cls(
            id=DeliveryId(fields["id"]),
            model=fields["model"],
            record=fields["record"],
            operation=fields["operation"],
            state=State(fields["state"]),
            final=fields["final"],
            order=fields["order"],
            attempt=fields["attempt"],
            why=fields["why"],
            code=fields["code"],
            http_status=fields["http_status"],
            due=fields["due"],
            times=fields["times"],
        )


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
            times={COMMITTED: fields["time"] or fields["at"], state.value: fields["at"]},
        )
        return cls(
            entry,
            seconds(fields["at"]),
            fields["answer"],
            None if body is None else delivery_of(entry.id, fields, body),
            Terms.from_fields(terms) if terms else None,
        )


def entry_of(item: Item, known: Entry | None, *, final: bool = False) -> Entry:
    """Return the entry that says where an item stands; `known` gives the times of past steps."""
    times = dict(known.times) if known else _birth(item.delivery, item.since)
    if item.sent is not None:
        times[State.SENT.value] = iso(item.sent)
    return Entry(
        id=item.id,
        model=item.delivery.model,
        record=item.delivery.record_id,
        operation=item.delivery.operation,
        state=item.state,
        final=final,
        order=item.order,
        attempt=item.attempt,
        why=item.why,
        code=item.code,
        http_status=item.http_status,
        due=item.due,
        times=times,
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
        times=_birth(delivery, now),
    ).at(now, State.DEAD)
    return entry.to_json(), Letter(entry, now, "", delivery, terms).to_json()


def iso(seconds: float) -> str:
    """Write UTC seconds as `2026-11-23T10:00:00.123456Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def seconds(text: str) -> float:
    """Read such a time back, as UTC seconds; ValueError where it is none."""
    return datetime.fromisoformat(text).timestamp()


def _birth(delivery: Delivery, seen: float) -> dict[str, str]:
    return {COMMITTED: delivery.time, State.QUEUED.value: iso(seen)}


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
