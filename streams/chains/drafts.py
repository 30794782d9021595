"""What becomes of a draft in its chain: a delivery that lacks values which Odoo alone knows. Pure.

It waits as any other, and holds its chain as any other. When it is its turn it is not sent but
filled, and what it has become is written down before it is sent: the same id never has two
bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, assert_never

from schemas.delivery import Delivery
from schemas.state import State
from streams.chains.changes import Change, Keep, Record, View
from streams.chains.item import Arrival, Item
from streams.chains.ledger import entry_of
from streams.chains.outcome import Unavailable
from streams.chains.retry import Again, GiveUp, Proceed, Resume, next_step
from streams.chains.rules import finish, let_wait

ODOO: Final = "ODOO"  # the code of what Odoo does not give
WANTING: Final = "its values are to be read from Odoo"
_REMEDY: Final = (
    "give source.odoo.user the right to read it, or leave the field out of the route; then"
    " `odoo-cdc retry`"
)


def until_draft(arrivals: Sequence[Arrival]) -> tuple[Sequence[Arrival], Sequence[Arrival]]:
    """Return what stands before the first draft, and what does not: it has to wait."""
    for place, each in enumerate(arrivals):
        if each.delivery.wants:
            return arrivals[:place], arrivals[place:]
    return arrivals, ()


def filled(view: View, item: Item, made: Delivery) -> list[Change]:
    """Write down what goes out; attempts to send it count from 1."""
    ready = replace(item, delivery=made, attempt=0, why="", code="", http_status=None)
    return [Keep(ready), Record(entry_of(ready, view.entry(item.id)))]


def put_off(view: View, item: Item, why: str) -> list[Change]:
    """Let it wait as it did: Odoo is away, which is no fault of its own."""
    if item.why == why:
        return []
    waiting = replace(item, why=why)
    return [Keep(waiting), Record(entry_of(waiting, view.entry(item.id)))]


def withheld(view: View, item: Item, why: str, now: float, chance: float) -> list[Change]:
    """Count that Odoo does not give its values: as often as the target's `retry` says."""
    tried = replace(item, attempt=item.attempt + 1, code=ODOO)
    step = next_step(Unavailable(why), tried.attempt, item.terms.retry, now, chance)
    match step:
        case Again(due=due):
            return let_wait(view, replace(tried, due=due, why=why), now)
        case GiveUp(why=spent):
            return finish(view, replace(tried, why=f"{spent}: {_REMEDY}"), State.DEAD, now)
        case Proceed() | Resume():
            raise AssertionError(step)
        case _:
            assert_never(step)


def spoilt(view: View, item: Item, why: str, code: str, now: float) -> list[Change]:
    """End one whose values, or size, no message can have."""
    return finish(view, replace(item, why=why, code=code), State.DEAD, now)
