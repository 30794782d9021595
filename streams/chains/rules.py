"""The rules of a chain: one delivery in flight, in commit order. Pure.

Each function looks at what a partition holds and returns the changes to make, in order. Which
item of a chain may go is never stored: it is the active one (in flight, or failed and due
again), else the first by sequence. So no crash between two writes can leave a chain without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from schemas.acknowledgement import Acknowledgement
from schemas.keys import Chain, DeliveryId
from schemas.state import State
from streams.chains.acknowledgements import Finish, Ignore, Repeat, on_entry, on_item, reason
from streams.chains.dead_letter import Letter
from streams.chains.item import LATEST, Arrival, Item
from streams.chains.ledger import Entry, entry_of
from streams.chains.outcome import Outcome
from streams.chains.retry import Again, GiveUp, Proceed, Resume, after_failure, next_step, spent


class View(Protocol):
    """What a partition holds."""

    def item(self, delivery_id: DeliveryId) -> Item | None:
        """Return what is on its way."""

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        """Return what the ledger knows."""

    def waiting(self, chain: Chain, route: str) -> Sequence[DeliveryId]:
        """Return the waiting ones of one chain and route."""

    def leader(self, chain: Chain) -> DeliveryId | None:
        """Return the one that goes next or is in flight; None where the chain has no item."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Write the item, new or changed."""

    item: Item


@dataclass(frozen=True, slots=True)
class Forget:
    """The item is final."""

    id: DeliveryId


@dataclass(frozen=True, slots=True)
class Record:
    """Write the ledger entry."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Bury:
    """Write a dead letter."""

    letter: Letter


Change = Keep | Forget | Record | Bury


@dataclass(frozen=True, slots=True)
class Send:
    """The item is to be sent."""

    item: Item


def known(view: View, delivery_id: DeliveryId) -> bool:
    """Return whether a delivery is a later copy of one that is on its way or final.

    The ledger alone does not prove it: its word may have become durable when the item's did
    not. Then the delivery is sent again, the same bytes under the same id.
    """
    entry = view.entry(delivery_id)
    return (entry is not None and entry.final) or view.item(delivery_id) is not None


def arrive(view: View, arrival: Arrival, now: float) -> list[Change]:
    """Let a delivery wait for its turn."""
    item = Item.of(arrival, now)
    if known(view, item.id):
        return []
    return _wait(view, item, now)


def begin(item: Item, now: float, timeout: float) -> list[Change]:
    """Write down that an item is about to be sent, before it is.

    While the call may still be accepted nothing of the chain goes before it or takes its place,
    also where another worker holds the chain by then: that one repeats the attempt once the
    `timeout` in seconds has passed. The ledger is told of what becomes of it.
    """
    return [Keep(replace(item.begun(now), due=now + timeout))]


def attempted(view: View, item: Item, outcome: Outcome, now: float) -> list[Change]:
    """Settle an attempt; `item` as it was while being sent."""
    step = next_step(outcome, item.attempt, item.terms.retry, now)
    match step:
        case Proceed():
            return _accepted(view, item, now)
        case Again(due=due):
            failed = replace(item, why=step.why, code=step.code, http_status=step.http_status)
            return _wait(view, replace(failed, due=due), now)
        case Resume(why=why):
            return _wait(view, replace(item, due=None, why=why, attempt=item.attempt - 1), now)
        case GiveUp():
            failed = replace(item, why=step.why, code=step.code, http_status=step.http_status)
            return _finish(view, failed, State.DEAD, now, step.answer)
        case _:
            assert_never(step)


def unanswered(view: View, item: Item, now: float, timeout: float) -> list[Change]:
    """Write down that an attempt goes on; a worker that finds it after a crash repeats it."""
    sent = replace(item, state=State.SENT, due=now + timeout)
    return [Keep(sent), Record(entry_of(sent, view.entry(item.id)))]


def fall_due(view: View, item: Item, now: float) -> Send | list[Change]:
    """Decide what happens to an item whose time has come."""
    if item.state is State.ACCEPTED:
        return _again(view, item, now, "no acknowledgement in time", None)
    if item.state is State.WAITING and view.leader(item.chain) != item.id:
        return [Keep(replace(item, due=None))]
    return Send(item)


def hear(view: View, word: Acknowledgement, now: float) -> list[Change] | None:
    """Apply a word; None where nothing is known of its delivery."""
    delivery_id = DeliveryId(word.id)
    item = view.item(delivery_id)
    if item is not None:
        return _hear_of_item(view, item, word, now)
    entry = view.entry(delivery_id)
    if entry is None:
        return None
    verdict = on_entry(entry, word)
    match verdict:
        case Finish(state=state):
            return _amend(entry, state, word, now)
        case Repeat() | Ignore():
            return []
        case _:
            assert_never(verdict)


def _hear_of_item(view: View, item: Item, word: Acknowledgement, now: float) -> list[Change]:
    verdict = on_item(item, word, now)
    match verdict:
        case Finish(state=state):
            why = _why(state, word)
            told = replace(item, why=why, code=word.code, http_status=word.http_status)
            return _finish(view, told, state, now)
        case Repeat(after=after):
            told = replace(item, code=word.code, http_status=word.http_status)
            return _again(view, told, now, reason(word), after)
        case Ignore():
            return []
        case _:
            assert_never(verdict)


def _accepted(view: View, item: Item, now: float) -> list[Change]:
    """Await the target's word, or be done where its terms say so."""
    final = not item.awaits_word
    due = None if final else now + item.terms.ack_timeout
    taken = replace(item, state=State.ACCEPTED, due=due, why="", code="HTTP_202", http_status=202)
    entry = entry_of(taken, view.entry(item.id), final=final).at(now, State.ACCEPTED)
    if not final:
        return [Keep(taken), Record(entry)]
    return [Record(entry), *_forget(view, item)]


def _again(view: View, item: Item, now: float, why: str, after: float | None) -> list[Change]:
    """Count an attempt that WSO2 took and that came to nothing."""
    due = after_failure(item.attempt, item.terms.retry, now, after)
    if due is None:
        return _finish(view, replace(item, why=spent(why, item.attempt)), State.DEAD, now)
    return _wait(view, replace(item, due=due, why=why), now)


def _wait(view: View, item: Item, now: float) -> list[Change]:
    """Let an item wait; with history `latest` the newest waiting one of its route is enough."""
    waiting = replace(item, state=State.WAITING)
    entry = entry_of(waiting, view.entry(item.id)).at(now, State.WAITING)
    keep: list[Change] = [Keep(waiting), Record(entry)]
    if item.terms.history != LATEST:
        return keep
    rivals = [r for r in view.waiting(item.chain, item.route) if r != item.id]
    if any(rival > item.id for rival in rivals):  # ids of one route sort as their sequences
        return _superseded(view, waiting, now)
    for rival in rivals:
        passed = view.item(rival)
        if passed is not None:
            keep += _superseded(view, passed, now)
    return keep


def _superseded(view: View, item: Item, now: float) -> list[Change]:
    return _finish(view, replace(item, why="a newer one took over"), State.SUPERSEDED, now)


def _finish(view: View, item: Item, state: State, now: float, answer: str = "") -> list[Change]:
    final = replace(item, state=state, due=None)
    entry = entry_of(final, view.entry(item.id), final=True).at(now, state)
    changes: list[Change] = [Record(entry), *_forget(view, item)]
    if state in (State.DEAD, State.REJECTED):
        changes.append(Bury(Letter(entry, now, answer, item.delivery, item.terms)))
    return changes


def _forget(view: View, item: Item) -> list[Change]:
    return [Forget(item.id)] if view.item(item.id) is not None else []


def _amend(entry: Entry, state: State, word: Acknowledgement, now: float) -> list[Change]:
    amended = replace(
        entry,
        state=state,
        final=True,
        due=None,
        why=_why(state, word),
        code=word.code,
        http_status=word.http_status,
    ).at(now, state)
    if state is State.REJECTED:
        return [Record(amended), Bury(Letter(amended, now))]
    return [Record(amended)]


def _why(state: State, word: Acknowledgement) -> str:
    return "" if state is State.DELIVERED else reason(word)
