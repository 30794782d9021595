"""Whether something may be sent at the moment, and if not, why: the one place to ask.

Whoever can hold deliveries back is a Holder: the gate (all of WSO2), a breaker or a window (a
target). Another one, for a route or a chain, is added with `Holds.add` and nothing else: who
sends, what is due and which send queues are read all ask here.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from schemas.delivery import Delivery
from schemas.keys import DeliveryId


class Reason(StrEnum):
    """Why nothing goes; the value is what commands and metrics show."""

    WSO2 = "wso2"  # away, or does not let us in
    BREAKER = "breaker"  # the target fails
    WINDOW = "window"  # it is not the target's time
    PAUSED = "paused"  # somebody said so
    DRAINING = "draining"  # somebody said that only what was there then goes
    ODOO = "odoo"  # it is asked for values, and is away


LEARNT: Final = (Reason.WSO2, Reason.BREAKER, Reason.ODOO)  # what a worker knows by itself alone


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that is held back.

    `what` is the target's name, `route NAME` or `chain CHAIN`; "" is everything. `since` and
    `until` are UTC seconds, None where nobody knows.
    """

    reason: Reason
    what: str
    why: str
    since: float | None = None
    until: float | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "reason": self.reason.value,
            "what": self.what,
            "why": self.why,
            "since": self.since,
            "until": self.until,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Hold:
        """Read what `to_fields` wrote."""
        return cls(**{**fields, "reason": Reason(fields["reason"])})


def to_json(
    worker: str, holds: Iterable[Hold], config: str, routes: Mapping[str, str] | None = None
) -> bytes:
    """Write what a worker has learnt to hold back, as a record of `holds`.

    It says by which file the worker goes, too: `config` is the fingerprint, `routes` are those of
    the file, each with its model.
    """
    said = [hold.to_fields() for hold in holds]
    fields = {"worker": worker, "config": config, "routes": dict(routes or {}), "holds": said}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def from_json(value: bytes) -> list[Hold]:
    """Read such a record; ValueError, KeyError or TypeError where it is not one."""
    return [Hold.from_fields(fields) for fields in json.loads(value)["holds"]]


def file_of(value: bytes) -> str:
    """Return the fingerprint in such a record, "" of a worker that does not say it."""
    return str(json.loads(value).get("config", ""))


class Holder:
    """Something that can hold deliveries back; every answer is about this moment."""

    reason: ClassVar[Reason]

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return why nothing of a route goes to a target; None where it may go.

        Asked for every delivery: it must not take long.
        """
        return None

    def of_id(self, delivery_id: DeliveryId) -> Hold | None:
        """Return why one delivery does not go; None where it may."""
        return None

    def halts(self, target: str) -> bool:
        """Say whether a target's send queue is not to be read.

        A hold of a route or of a chain halts no queue: what is read of it waits as an item.
        """
        return False

    def standing(self) -> Iterator[Hold]:
        """Give all that is held, for people."""
        yield from ()


class Holds:
    """All that hold something back; where several do, the one that was added first is named."""

    def __init__(self, *holders: Holder) -> None:
        """Ask these."""
        self._holders = list(holders)

    def add(self, holder: Holder) -> None:
        """Ask one more, before all others."""
        self._holders.insert(0, holder)

    def of(self, delivery: Delivery) -> Hold | None:
        """Return why a delivery may not go; None where it may."""
        line = self.of_line(delivery.target, delivery.route)
        return line or self.of_id(DeliveryId(delivery.id))

    def of_line(self, target: str, route: str, *, but: Container[Reason] = ()) -> Hold | None:
        """Return why nothing of a route goes to a target, `but` for some reasons."""
        for holder in self._holders:
            if holder.reason not in but and (hold := holder.of_line(target, route)):
                return hold
        return None

    def of_id(self, delivery_id: DeliveryId) -> Hold | None:
        """Return why one delivery does not go, be its line held or not."""
        for holder in self._holders:
            if hold := holder.of_id(delivery_id):
                return hold
        return None

    def halts(self, target: str) -> bool:
        """Say whether a target's send queue is not to be read."""
        return any(holder.halts(target) for holder in self._holders)

    def standing(self) -> list[Hold]:
        """Return all that is held."""
        return [hold for holder in self._holders for hold in holder.standing()]
