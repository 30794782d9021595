"""The ledger: the latest state of every delivery, with the time of each step.

Records of the `ledger` topic are keyed by delivery id and stand in the partition of the chain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from schemas.delivery import Delivery
from schemas.keys import Chain, DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.item import Item

COMMITTED: Final = "committed"  # in `Entry.times`, beside the states
UNCLEAR: Final = "unclear"  # there, too: the latest attempt that WSO2 may have taken unheard


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery's latest state.

    `final` says whether that state stands; a late word may still change it. `times` maps a step
    to its latest time (queued: its first), as text in UTC. `order` is the delivery's offset in
    its send queue, None where it never stood there; `superseded_by` names what replaced it,
    `command` the last `retry` that concerned it, and `target_id` what the target calls the record.
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
    superseded_by: DeliveryId | None = None
    command: str = ""
    target_id: str = ""

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
            "target_id": self.target_id,
            "due": self.due,
            "sequence": sequence,
            "order": self.order,
            "command": self.command,
            "times": dict(self.times),
            "superseded_by": self.superseded_by,
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
            superseded_by=fields.get("superseded_by"),
            command=fields.get("command", ""),
            target_id=fields.get("target_id", ""),
        )


def times_in(value: bytes) -> Mapping[str, str]:
    """Read the times of the steps alone of a record of `ledger`; ValueError or KeyError."""
    times: Mapping[str, str] = json.loads(value)["times"]
    return times


def entry_of(item: Item, known: Entry | None, *, final: bool = False) -> Entry:
    """Return the entry that says where an item stands; `known` gives the times of past steps."""
    times = dict(known.times) if known else birth(item.delivery, item.since)
    if item.sent is not None:
        times[State.SENT.value] = iso(item.sent)
    if item.unclear is not None:
        times[UNCLEAR] = iso(item.unclear)
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
        command=item.command,
        target_id=known.target_id if known else "",
    )


def iso(seconds: float) -> str:
    """Write UTC seconds as `2026-11-23T10:00:00.123456Z`."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def seconds(text: str) -> float:
    """Read such a time back, as UTC seconds; ValueError where it is none."""
    return datetime.fromisoformat(text).timestamp()


def birth(delivery: Delivery, seen: float) -> dict[str, str]:
    """Return the times of a delivery that a worker has just seen."""
    return {COMMITTED: delivery.time, State.QUEUED.value: iso(seen)}
