"""How the records that topics hold of one delivery become one row. Pure.

What is on its way says more than the ledger, and the ledger more than a dead letter: that one
stays when a late word has made its delivery delivered, and when the ledger has forgotten it. Then
nothing tells whether it was put back and delivered before: it is past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from schemas.state import State
from streams.chains.ledger import COMMITTED, UNCLEAR, Entry, iso, seconds
from streams.index.row import Row

_NO_STEPS: Final = frozenset({COMMITTED, UNCLEAR})  # of times: told elsewhere, or none by itself


class Told(NamedTuple):
    """One step of a delivery: when, as text in UTC, which, and about it for people."""

    at: str
    what: str
    about: str


@dataclass(slots=True)
class Merged:
    """What is known of one delivery; None where a topic holds nothing of it.

    `place` and `letter` are offsets of the latest records in `ledger` and `dead`, `written` is
    Kafka's time of the former. `steps` are those that the entries read so far told, each once;
    `given_up` is the time of the dead letter, as text in UTC.
    """

    id: str
    partition: int
    on_its_way: Row | None = None
    entry: Row | None = None
    dead: Row | None = None
    place: int | None = None
    letter: int | None = None
    written: float | None = None
    superseded_by: str | None = None
    order: int | None = None
    steps: tuple[Told, ...] = ()
    given_up: str | None = None

    def latest(self, *states: State) -> float | None:
        """Return when it last took one of these steps, in UTC seconds; None where it never did."""
        names = {state.value for state in states}
        at = max((step.at for step in self.steps if step.what in names), default=None)
        return None if at is None else seconds(at)

    @property
    def row(self) -> Row | None:
        """What is shown of it; None where nothing is known any more."""
        past = None if self.dead is None else replace(self.dead, past=True)
        return self.on_its_way or self.entry or past

    @property
    def journey(self) -> tuple[Told, ...]:
        """The steps that are known; what the ledger has forgotten the dead letter tells."""
        if self.entry is None and self.dead is not None and self.given_up is not None:
            return (Told(self.given_up, self.dead.state.value, self.dead.why),)
        return self.steps

    def said(self, entry: Entry, place: int, written: float) -> None:
        """Take in a record of the ledger."""
        self.entry, self.place, self.written = Row.of_entry(entry), place, written
        self.superseded_by, self.order = entry.superseded_by, entry.order
        self.steps = (*self.steps, *_untold(entry, self.steps))

    def forgotten(self) -> None:
        """Take in that the ledger holds it no more."""
        self.entry = self.place = self.written = self.superseded_by = self.order = None
        self.steps = ()

    def goes(self, row: Row | None) -> None:
        """Take in what is on its way; None where it is no more."""
        self.on_its_way = row

    def buried(self, entry: Entry, letter: int) -> None:
        """Take in a dead letter."""
        self.dead, self.letter = Row.of_entry(entry), letter
        self.given_up = entry.times.get(entry.state.value)

    def unburied(self) -> None:
        """Take in that its dead letter is gone."""
        self.dead = self.letter = self.given_up = None


def _untold(entry: Entry, told: Iterable[Told]) -> list[Told]:
    """Return the steps that an entry is the first to tell: it explains them."""
    known = {(step.at, step.what) for step in told}
    return [
        Told(at, what, _about(entry, what))
        for what, at in entry.times.items()
        if what not in _NO_STEPS and (at, what) not in known
    ]


def _about(entry: Entry, what: str) -> str:
    if what == State.SENT.value:
        return f"attempt {entry.attempt}"
    if what != entry.state.value:
        return ""
    due = f"until {iso(entry.due)}" if entry.due is not None else ""
    target = named_there(entry.target_id) if entry.final else ""
    return "; ".join(part for part in (entry.why, target, due) if part)


def named_there(target_id: str) -> str:
    """Say what the target calls a record; nothing where it did not say."""
    return f"its id is {target_id}" if target_id else ""


def packed(row: Row | None) -> list[Any] | None:
    """Return what of a row is not in the delivery's id, model and record."""
    if row is None:
        return None
    return [row.operation, row.state.value, row.since, row.attempt, row.due, row.why, row.final]


def unpacked(value: list[Any] | None, about: dict[str, Any]) -> Row | None:
    """Read what `packed` wrote; `about` holds id, target, route, model and record."""
    if value is None:
        return None
    operation, state, since, attempt, due, why, final = value
    return Row(
        **about,
        operation=operation,
        state=State(state),
        since=since,
        attempt=attempt,
        due=due,
        why=why,
        final=final,
    )
