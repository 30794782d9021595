"""What past events come to through today's routes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.delivery import Delivery
from schemas.event import Event
from schemas.replay import Request
from streams.routing.address import Again
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes, UnfitRoute


class Came(StrEnum):
    """What events and deliveries come to; the value is what answers count."""

    EVENTS = "events"  # of the past that is asked for
    DELIVERIES = "deliveries"  # made of them
    UNCHANGED = "unchanged"  # the payload of a route is the same before and after
    IGNORED = "ignored"  # a route ignores whoever wrote it
    OLDER_SHAPE = "older_shape"  # a route reads what the event does not show
    FORGOTTEN = "forgotten"  # older than the ledger: whether a newer one has gone is not known
    UNSENDABLE = "unsendable"  # a value or the size forbids it
    UNREADABLE = "unreadable"  # records that are no events


@dataclass(slots=True)
class Portion:
    """Some past events through the routes of today: deliveries in order, and counts.

    The ledger knows what became of deliveries of events that were committed since `remembered`,
    in ISO 8601, UTC; of older ones nothing is sent, unless older states are forced.
    Counts are by `Came`, and by `route/target/operation` of the deliveries.
    """

    request: Request
    routes: Routes
    remembered: str
    deliveries: list[Delivery] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Repeat an event where it is asked for."""
        if not self.request.holds(event):
            return
        self.count(Came.EVENTS)
        if event.time < self.remembered and not self.request.force_older:
            self.count(Came.FORGOTTEN)
            return
        again = Again(self.request.run, self.request.force_older)
        try:
            made = dispatch(event, self.routes, again)
        except UnfitRoute:  # a type has changed since: to today's routes the past says nothing
            self.count(Came.OLDER_SHAPE)
            return
        wants = self.request.wants
        self.count(Came.UNCHANGED, sum(wants(name) for name in made.unchanged))
        self.count(Came.IGNORED, sum(wants(name) for name in made.ignored))
        self.count(Came.OLDER_SHAPE, sum(wants(late.route) for late in made.later))
        refused = (born.delivery for born in made.stillborn)
        self.count(Came.UNSENDABLE, sum(wants(each.route, each.target) for each in refused))
        for each in made.deliveries:
            if wants(each.route, each.target):
                self.count(Came.DELIVERIES)
                self.count(f"{each.route}/{each.target}/{each.operation}")
                self.deliveries.append(each)

    def count(self, name: str, number: int = 1) -> None:
        """Add to a count."""
        if number:
            self.counts[str(name)] = self.counts.get(str(name), 0) + number


def by_route(counts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
    """Return the deliveries of counts by (route, target, operation)."""
    found: dict[tuple[str, str, str], int] = {}
    for name, number in sorted(counts.items()):
        parts = name.split("/")
        if len(parts) == 3:  # noqa: PLR2004  route, target, operation
            found[parts[0], parts[1], parts[2]] = number
    return found
