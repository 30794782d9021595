"""Whether a newer one of a chain and route has gone ahead of an older one. Pure.

Live deliveries go in the order of their commits. One that was given up, and one that is
replayed, come later than that: they go only where no newer state can be written over.
"""

from __future__ import annotations

from typing import Final

from schemas.delivery import Delivery
from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.changes import View
from streams.chains.item import LATEST
from streams.chains.ledger import Entry

_AHEAD: Final = (State.SENT, State.ACCEPTED, State.DELIVERED)


def ahead_of(view: View, older: DeliveryId, history: str) -> DeliveryId | None:
    """Return the first newer one of its chain and route that has gone ahead for good, if any.

    It has where it may have been written, and where WSO2 would take the older one for the first
    time behind it. Both taken and come to nothing, they can go again in their order, which is
    of use where each of them counts (history `all`).
    """
    entry = view.entry(older)
    taken = entry is not None and State.ACCEPTED.value in entry.times
    return next((e.id for e in view.newer(older) if _is_ahead(view, e, history, taken)), None)


def overtaken(view: View, delivery: Delivery, history: str) -> DeliveryId | None:
    """Return what has gone ahead of a replayed delivery; None where it may go."""
    if not delivery.replayed or delivery.force_older:
        return None
    return ahead_of(view, DeliveryId(delivery.id), history)


def _is_ahead(view: View, newer: Entry, history: str, taken: bool) -> bool:  # noqa: FBT001
    item = view.item(newer.id)
    state = newer.state if item is None or newer.final else item.state
    if state in _AHEAD:
        return True
    if State.ACCEPTED.value not in newer.times:
        return False
    return not taken or (history == LATEST and state is not State.REJECTED)
