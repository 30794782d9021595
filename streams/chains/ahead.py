"""Whether a newer one of a chain and route has gone ahead of an older one. Pure.

Live deliveries go in the order of their commits. One that was given up, and one that is
replayed, come later than that: they go only where no newer state can be written over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.keys import DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.changes import View
from streams.chains.item import LATEST, Arrival, Item
from streams.chains.ledger import UNCLEAR, Entry, entry_of, iso

_AHEAD: Final = (State.SENT, State.ACCEPTED, State.DELIVERED)


def ahead_of(view: View, older: DeliveryId, history: str) -> DeliveryId | None:
    """Return the first newer one of its chain and route that has gone ahead for good, if any.

    It has where it may have been written, and where WSO2 would take the older one for the first
    time behind it. Both taken and come to nothing, they can go again in their order, which is
    of use where each of them counts (history `all`); so can those of which it is as unclear.
    """
    entry = view.entry(older)
    return next((e.id for e in _newer(view, older) if _is_ahead(view, e, history, entry)), None)


def ready(
    view: View, arrivals: Sequence[Arrival], remembered: float = 0.0
) -> tuple[list[Arrival], list[Arrival]]:
    """Return what of a chain's arrivals may be sent, in its order, and what may not.

    They come as they stand in the queue. A replayed one that may not go, or stands behind a newer
    one of its route, has to have its ending before anything goes that stands behind it. The
    ledger knows what became of what was committed since `remembered`, in UTC seconds.
    """
    goes: list[Arrival] = []
    passed: list[Arrival] = []
    newest: dict[str, str] = {}
    for place, each in enumerate(arrivals):
        delivery, item = each.delivery, Item.of(each, 0.0)
        before = newest.get(delivery.route, "")
        behind = _is_judged(item) and before > delivery.id
        if behind or overtaken(view, item) is not None or is_forgotten(item, remembered):
            passed += arrivals[place:]
            break
        goes.append(each)
        newest[delivery.route] = max(before, delivery.id)
    return sorted(goes, key=lambda each: Item.of(each, 0.0).place), passed


def overtaken(view: View, item: Item) -> DeliveryId | None:
    """Return what has gone ahead of a replayed delivery, or will; None where it may go.

    A newer one that stood before it in the queue will, where it has not: it may have been sent
    by a worker that was killed before it could say so.
    """
    if not _is_judged(item):
        return None
    return ahead_of(view, item.id, item.terms.history) or _before(view, item)


def is_forgotten(item: Item, remembered: float) -> bool:
    """Say whether the ledger may know nothing any more of newer ones that went before a replay.

    It was not when the replay was written; its queue may have rested since.
    """
    return _is_judged(item) and item.delivery.time < iso(remembered)


def _is_judged(item: Item) -> bool:
    return item.delivery.replayed and not item.delivery.force_older


def _before(view: View, item: Item) -> DeliveryId | None:
    """Return a newer one of its route that waits and stood before it in the send queue."""
    for other in view.waiting(item.chain, item.route):
        waiting = view.item(other) if other > item.id else None
        if waiting is not None and waiting.order < item.order:
            return other
    return None


def _newer(view: View, older: DeliveryId) -> Iterator[Entry]:
    """Return what is known of the newer ones of its chain and route.

    The ledger may not tell yet what an item does: a crash came between the two.
    """
    yield from view.newer(older)
    chain, route, _ = split_delivery_id(older)
    for other in (*view.out(chain, route), *view.waiting(chain, route)):
        item, entry = view.item(other) if other > older else None, view.entry(other)
        if item is None or (entry is not None and entry.final):
            continue
        if item.state in _AHEAD or item.unclear is not None:
            yield entry_of(item, entry)


def _is_ahead(view: View, newer: Entry, history: str, older: Entry | None) -> bool:
    item = view.item(newer.id)
    state = newer.state if item is None or newer.final else item.state
    if state in _AHEAD:
        return True
    known = () if older is None else older.times
    if State.ACCEPTED.value in newer.times or state is State.REJECTED:
        taken = State.ACCEPTED.value in known
        return not taken or (history == LATEST and state is not State.REJECTED)
    if UNCLEAR not in newer.times:
        return False
    return history == LATEST or not {State.ACCEPTED.value, UNCLEAR} & set(known)
