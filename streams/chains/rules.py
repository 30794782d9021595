"""The rules of a chain: one delivery in flight, in commit order. Pure.

Each function looks at what a partition holds and returns the changes to make, in order. Which
item of a chain may go is never stored: it is the active one (in flight, or failed and due
again), else the first by sequence. So no crash between two writes can leave a chain without one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, assert_never

from schemas.acknowledgement import Acknowledgement
from schemas.keys import DeliveryId
from schemas.state import State
from streams.chains.acknowledgements import Finish, Ignore, Repeat, on_entry, on_item, reason
from streams.chains.ahead import is_forgotten, overtaken
from streams.chains.changes import Bury, Change, Forget, Keep, Record, View
from streams.chains.dead_letter import Letter
from streams.chains.item import LATEST, Arrival, Item
from streams.chains.ledger import Entry, entry_of
from streams.chains.outcome import Accepted, Outcome, Unavailable, may_be_taken
from streams.chains.retry import Again, GiveUp, Proceed, Resume, next_step

_GIVEN_UP: Final = frozenset({State.DEAD.value, State.REJECTED.value})
_FORGOTTEN: Final = "older than the ledger by now: a newer one may have gone ahead"

Counts = Callable[[Item], bool]  # whether an attempt counts that its target was not done with


def always(_: Item) -> bool:
    """Say that every attempt counts."""
    return True


@dataclass(frozen=True, slots=True)
class Send:
    """The item is to be sent."""

    item: Item


def known(view: View, delivery_id: DeliveryId) -> bool:
    """Return whether a delivery is a later copy of one that is on its way or has ended.

    The ledger alone does not prove that it is on its way: its word may have become durable when
    the item's did not. Then the delivery is sent again, the same bytes under the same id; but
    not one that was given up before: others have gone meanwhile, and who puts it back judges that.
    """
    entry = view.entry(delivery_id)
    ended = entry is not None and (entry.final or not _GIVEN_UP.isdisjoint(entry.times))
    return ended or view.item(delivery_id) is not None


def has_ended(view: View, delivery_id: DeliveryId) -> bool:
    """Return whether the ledger calls a delivery final.

    An item that there still is of it is left over: a crash came before its tombstone, or it was
    written by a worker that did not know that it holds the partition no more. It is forgotten
    and never sent: what stands behind it in its chain may have gone out.
    """
    entry = view.entry(delivery_id)
    return entry is not None and entry.final


def arrive(
    view: View, arrival: Arrival, now: float, why: str = "", remembered: float = 0.0
) -> list[Change]:
    """Let a delivery wait for its turn; `why` where it is held back.

    One that is replayed is superseded at once where a newer one has gone, or may have: the ledger
    knows of what was committed since `remembered`, in UTC seconds.
    """
    item = replace(Item.of(arrival, now), why=why)
    if known(view, item.id):
        return []
    return _overtaken(view, item, now, remembered) or let_wait(view, item, now)


def begin(item: Item, now: float, timeout: float) -> list[Change]:
    """Write down that an item is about to be sent, before it is.

    While the call may still be accepted nothing of the chain goes before it or takes its place,
    also where another worker holds the chain by then: that one repeats the attempt once the
    `timeout` in seconds has passed. The ledger is told of what becomes of it.
    """
    return [Keep(replace(item.begun(now), due=now + timeout))]


def attempted(
    view: View, item: Item, outcome: Outcome, now: float, chance: float = 0.0
) -> list[Change]:
    """Settle an attempt; `item` as it was while being sent, `chance` from 0 to below 1."""
    if has_ended(view, item.id) and not isinstance(outcome, Accepted):
        return _forget(view, item)
    if may_be_taken(outcome):
        item = replace(item, unclear=item.sent)
    step = next_step(outcome, item.attempt, item.terms.retry, now, chance)
    match step:
        case Proceed():
            return _accepted(view, item, now)
        case Again(due=due):
            failed = replace(item, why=step.why, code=step.code, http_status=step.http_status)
            return let_wait(view, replace(failed, due=due), now)
        case Resume():
            return _resume(view, item, step, now)
        case GiveUp():
            failed = replace(item, why=step.why, code=step.code, http_status=step.http_status)
            return finish(view, failed, State.DEAD, now, step.answer)
        case _:
            assert_never(step)


def unanswered(view: View, item: Item, now: float, timeout: float) -> list[Change]:
    """Write down that an attempt goes on; a worker that finds it after a crash repeats it."""
    sent = replace(item, state=State.SENT, due=now + timeout)
    return [Keep(sent), Record(entry_of(sent, view.entry(item.id)))]


def fall_due(
    view: View,
    item: Item,
    now: float,
    chance: float = 0.0,
    counts: Counts = always,
    remembered: float = 0.0,
) -> Send | list[Change]:
    """Decide what happens to an item whose time has come.

    `counts` is asked once of one without its acknowledgement; for `remembered` see `arrive`.
    """
    if has_ended(view, item.id):
        return _forget(view, item)
    if item.state is State.ACCEPTED:
        silence = Unavailable("no acknowledgement in time", counted=counts(item))
        return _again(view, item, silence, now, chance)
    if item.state is State.WAITING and view.leader(item.chain) != item.id:
        return [Keep(replace(item, due=None))]
    if item.state is State.WAITING and (ended := _overtaken(view, item, now, remembered)):
        return ended
    return Send(item)


def hear(
    view: View,
    word: Acknowledgement,
    now: float,
    chance: float = 0.0,
    counts: Counts = always,
) -> list[Change] | None:
    """Apply a word; None where nothing is known of its delivery.

    `counts` is asked once of an item that the word changes.
    """
    delivery_id = DeliveryId(word.id)
    item, entry = view.item(delivery_id), view.entry(delivery_id)
    if item is not None and not has_ended(view, delivery_id):
        verdict = on_item(item, word, now)
        counted = isinstance(verdict, Ignore) or counts(item)
        if isinstance(verdict, Repeat):
            told = replace(item, code=word.code, http_status=word.http_status)
            again = Unavailable(reason(word), verdict.after, counted)
            return _again(view, told, again, now, chance)
        return _settle(view, item, verdict, word, now)
    if entry is None:
        return None
    left_over: list[Change] = [] if item is None else [Forget(item.id)]
    verdict = on_entry(entry, word)
    match verdict:
        case Finish(state=state):
            return [*_amend(entry, state, word, now), *left_over]
        case Repeat() | Ignore():
            return left_over
        case _:
            assert_never(verdict)


def _settle(
    view: View, item: Item, verdict: Finish | Ignore, word: Acknowledgement, now: float
) -> list[Change]:
    match verdict:
        case Finish(state=state):
            why, code = reason(word), word.code
            told = replace(item, why=why, code=code, http_status=word.http_status)
            return finish(view, told, state, now, target_id=word.target_id)
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


def _again(
    view: View, item: Item, outcome: Unavailable, now: float, chance: float
) -> list[Change]:
    """Settle an attempt that WSO2 took and that came to nothing; its code is kept."""
    step = next_step(outcome, item.attempt, item.terms.retry, now, chance)
    match step:
        case Again(due=due, why=why):
            return let_wait(view, replace(item, due=due, why=why), now)
        case Resume():
            return _resume(view, item, step, now)
        case GiveUp(why=why):
            return finish(view, replace(item, why=why), State.DEAD, now)
        case Proceed():
            raise AssertionError(outcome)
        case _:
            assert_never(step)


def _resume(view: View, item: Item, step: Resume, now: float) -> list[Change]:
    """Let an item wait as if the attempt had not been."""
    waiting = replace(item, due=step.due, why=step.why, attempt=item.attempt - 1)
    return let_wait(view, waiting, now)


def let_wait(view: View, item: Item, now: float) -> list[Change]:
    """Let an item wait; with history `latest` the newest waiting one of its route is enough."""
    waiting = replace(item, state=State.WAITING)
    entry = entry_of(waiting, view.entry(item.id)).at(now, State.WAITING)
    keep: list[Change] = [Keep(waiting), Record(entry)]
    if item.terms.history != LATEST:
        return keep
    others = view.waiting(item.chain, item.route)
    rivals = [r for r in others if r != item.id and not has_ended(view, r)]
    if any(rival > item.id for rival in rivals):  # ids of one route sort as their sequences
        return _superseded(view, waiting, max(rivals), now)
    for rival in rivals:
        passed = view.item(rival)
        if passed is not None:
            keep += _superseded(view, passed, item.id, now)
    return keep


def passed_by(newer: DeliveryId) -> str:
    """Say why an older one is not sent."""
    return f"a newer one had gone ahead: {newer}"


def _overtaken(view: View, item: Item, now: float, remembered: float) -> list[Change]:
    """End one that is replayed where a newer one of its chain and route has gone, or may have."""
    newer = overtaken(view, item)
    if newer is not None:
        return _superseded(view, item, newer, now, passed_by(newer))
    return _superseded(view, item, None, now, _FORGOTTEN) if is_forgotten(item, remembered) else []


def _superseded(
    view: View, item: Item, by: DeliveryId | None, now: float, why: str = ""
) -> list[Change]:
    """Let a newer one of its chain and route take over."""
    why = why or f"replaced by {by}"
    final = replace(item, state=State.SUPERSEDED, due=None, why=why)
    entry = entry_of(final, view.entry(item.id), final=True).at(now, State.SUPERSEDED)
    return [Record(replace(entry, superseded_by=by)), *_forget(view, item)]


def finish(
    view: View, item: Item, state: State, now: float, answer: str = "", *, target_id: str = ""
) -> list[Change]:
    """End an item; with a dead letter where somebody has to look at it."""
    final = replace(item, state=state, due=None)
    entry = entry_of(final, view.entry(item.id), final=True).at(now, state)
    entry = replace(entry, target_id=target_id or entry.target_id)
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
        superseded_by=None,
        why=reason(word),
        code=word.code,
        http_status=word.http_status,
        target_id=word.target_id or entry.target_id,
    ).at(now, state)
    if state is State.REJECTED:
        return [Record(amended), Bury(Letter(amended, now))]
    return [Record(amended)]
