"""What `retry` does to a delivery. Pure.

What waits for its time goes at once. What is dead or was rejected goes back to its place in the
chain and begins anew, with the same id and bytes; not where a newer one of its chain and route
has gone ahead of it: that would write an older state over a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from schemas.delivery import Delivery
from schemas.keys import DeliveryId
from schemas.position import is_replay
from schemas.state import State
from streams.chains.ahead import ahead_of
from streams.chains.changes import Change, Keep, Record, View
from streams.chains.dead_letter import Letter
from streams.chains.item import LATEST, Item, Terms
from streams.chains.ledger import COMMITTED, Entry, entry_of, iso, seconds
from streams.chains.rules import let_wait, passed_by

DEAD: Final = (State.DEAD, State.REJECTED)


class Result(StrEnum):
    """What a delivery came to; the value is what answers count."""

    NOW = "now"  # it waited for its time, and goes at once
    PUT_BACK = "put_back"  # it was dead or rejected, and begins anew
    SUPERSEDED = "superseded"  # a newer one of its chain and route has gone ahead
    IN_TURN = "in_turn"  # it waits for others of its chain, or is held back, and goes then
    ON_ITS_WAY = "on_its_way"  # it is being sent, or the target's word is awaited
    BUSY = "busy"  # its chain was never free for long enough
    UNREAD = "unread"  # what a worker before may have sent of its chain was not read again yet
    UNSENDABLE = "unsendable"  # it never could be sent: its values or its size forbid it
    GONE = "gone"  # neither the dead letter nor the send queue has its body
    FORGOTTEN = "forgotten"  # older than the ledger: whether a newer one went ahead is not known


@dataclass(frozen=True, slots=True)
class Wish:
    """One `retry`: its id, who asked, and what it is judged by.

    `remembered` is how long the ledger keeps an entry, in seconds.
    """

    command: str
    who: str
    now: float
    remembered: float


@dataclass(frozen=True, slots=True)
class Done:
    """What a delivery came to, and the changes to make."""

    result: Result
    changes: list[Change]


def hasten(view: View, item: Item, wish: Wish, *, held: bool = False) -> Done:
    """Let what waits go at once; asked twice by one command it goes once.

    What is `held` back goes when it no longer is.
    """
    result = Result.IN_TURN if held else Result.NOW
    if item.command == wish.command:
        return Done(result, [])
    if item.state is not State.WAITING:
        return Done(Result.ON_ITS_WAY, [])
    if item.due is None:
        return Done(Result.IN_TURN, [])
    sooner = replace(item, due=min(item.due, wish.now), command=wish.command)
    return Done(result, [Keep(sooner), Record(entry_of(sooner, view.entry(item.id)))])


def concerns(view: View, letter: Letter, wish: Wish) -> Result | None:
    """Look whether a dead letter can be put back: PUT_BACK where it can, None where not asked.

    Asked for is the latest letter of a delivery that is still dead or rejected, and of one that a
    command began to put back: a crash came before its item, and whether that command is ever
    completed is not known.
    """
    entry, item = view.entry(letter.entry.id), view.item(letter.entry.id)
    if entry is None:
        return Result.FORGOTTEN if item is None else None
    if iso(letter.at) != max(entry.times.get(state.value, "") for state in DEAD):
        return None
    if entry.command == wish.command:  # it was interrupted: `put_back` completes it
        return None if entry.state in DEAD else _came_to(entry)
    interrupted = item is None and not entry.final
    asked = interrupted or ((item is None or entry.final) and entry.state in DEAD)
    return _judged(entry, letter, wish) if asked else None


def _judged(entry: Entry, letter: Letter, wish: Wish) -> Result:
    if wish.now - _newer_since(entry, letter.delivery) >= wish.remembered:
        return Result.FORGOTTEN
    if entry.order is None or (letter.delivery is not None and not letter.delivery.body):
        return Result.UNSENDABLE
    return Result.PUT_BACK


def leave_behind(view: View, letter: Letter, wish: Wish) -> Done:
    """End what never can be sent, where a newer one of its chain and route has gone since."""
    entry = view.entry(letter.entry.id)
    history = letter.terms.history if letter.terms else LATEST
    ahead = None if entry is None else ahead_of(view, entry.id, history)
    if entry is None or ahead is None:
        return Done(Result.UNSENDABLE, [])
    return Done(Result.SUPERSEDED, [Record(_passed(entry, ahead, wish))])


def put_back(view: View, delivery: Delivery, terms: Terms, wish: Wish) -> Done:
    """Put a delivery back that `concerns` lets; the order of its chain holds."""
    entry = view.entry(DeliveryId(delivery.id))
    if entry is None or entry.order is None:
        raise ValueError(f"{delivery.id} cannot be put back")
    if view.item(entry.id) is not None and not entry.final:
        return Done(Result.PUT_BACK, [])
    if entry.command == wish.command and entry.final:
        return Done(_came_to(entry), [])
    ahead = None if delivery.force_older else ahead_of(view, entry.id, terms.history)
    if ahead is not None:
        return Done(Result.SUPERSEDED, [Record(_passed(entry, ahead, wish))])
    why = f"put back by {wish.who}" if wish.who else "put back"
    seen = _first_seen(entry)
    item = Item(delivery, terms, entry.order, seen, why=why, command=wish.command)
    changes = let_wait(view, item, wish.now)
    if any(isinstance(change, Keep) for change in changes):
        return Done(Result.PUT_BACK, [*_step_back(view, item), *changes])
    return Done(Result.SUPERSEDED, changes)  # a newer one waits, which is enough


def summary(results: Mapping[str, int]) -> bool:
    """Say whether any delivery goes, or went, because of a command."""
    idle = (Result.BUSY, Result.UNREAD, Result.UNSENDABLE, Result.GONE, Result.FORGOTTEN)
    return any(number for name, number in results.items() if name not in idle)


def _step_back(view: View, item: Item) -> list[Change]:
    """Let newer ones of the chain that wait for their time wait for their turn instead.

    There may be several: one of a route that is paused is passed by others.
    """
    others = (view.item(other) for other in view.waiting(item.chain))
    return [
        Keep(replace(other, due=None))
        for other in others
        if other is not None and other.due is not None and other.place > item.place
    ]


def _passed(entry: Entry, ahead: DeliveryId, wish: Wish) -> Entry:
    return replace(
        entry,
        state=State.SUPERSEDED,
        final=True,
        due=None,
        why=passed_by(ahead),
        superseded_by=ahead,
        command=wish.command,
    ).at(wish.now, State.SUPERSEDED)


def _came_to(entry: Entry) -> Result:
    return Result.SUPERSEDED if entry.state is State.SUPERSEDED else Result.PUT_BACK


def _newer_since(entry: Entry, delivery: Delivery | None) -> float:
    """Return since when newer ones of its chain may have come, in UTC seconds.

    Behind a live one they come after it; what is replayed they may have preceded.
    """
    forced = delivery is not None and delivery.force_older
    if is_replay(entry.id) and not forced and COMMITTED in entry.times:
        return seconds(entry.times[COMMITTED])
    return _first_seen(entry)


def _first_seen(entry: Entry) -> float:
    texts = [entry.times[name] for name in (State.QUEUED.value,) if name in entry.times]
    return seconds(min(texts or list(entry.times.values())))
