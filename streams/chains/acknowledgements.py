"""Late, double, contradicting words, and the one state they come to. Pure.

Delivered wins, then rejected; retry counts only while nothing is final. A word counts in every
state: a dead delivery becomes delivered when the target says so in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.acknowledgement import Acknowledgement
from schemas.state import State
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.chains.outcome import seconds_until

_WORDS: Final = {"delivered": State.DELIVERED, "rejected": State.REJECTED}
_RANK: Final = {"retry": 0, "rejected": 1, "delivered": 2}


@dataclass(frozen=True, slots=True)
class Word:
    """An acknowledgement and the partition of the responses topic it was found in."""

    partition: int
    acknowledgement: Acknowledgement


@dataclass(frozen=True, slots=True)
class Finish:
    """The delivery is final: delivered or rejected."""

    state: State


@dataclass(frozen=True, slots=True)
class Repeat:
    """The target asks for another attempt, `after` so many seconds where it said."""

    after: float | None


@dataclass(frozen=True, slots=True)
class Ignore:
    """The word changes nothing."""


Verdict = Finish | Repeat | Ignore


def on_item(item: Item, word: Acknowledgement, now: float) -> Verdict:
    """Decide what a word does to a delivery that is not final.

    A `retry` is about one attempt: it changes nothing when that is not the latest one, or when
    the item waits for its next already.
    """
    state = _WORDS.get(word.status)
    if state is not None:
        return Finish(state)
    if item.state is State.WAITING:
        return Ignore()
    if word.attempt is not None and word.attempt < item.attempt:
        return Ignore()
    return Repeat(seconds_until(word.retry_after, now))


def on_entry(entry: Entry, word: Acknowledgement) -> Verdict:
    """Decide what a word does to a delivery that only the ledger knows."""
    state = _WORDS.get(word.status)
    if state is None or state is entry.state or entry.state is State.DELIVERED:
        return Ignore()
    return Finish(state)


def stronger(one: Acknowledgement, other: Acknowledgement) -> Acknowledgement:
    """Return the word that wins; of two `retry` the one for the later attempt."""
    return max(one, other, key=lambda word: (_RANK[word.status], word.attempt or 0))


def reason(word: Acknowledgement) -> str:
    """Say why it is not delivered, for people: with the target's code and its message."""
    if word.status == "delivered":
        return ""
    return ": ".join(filter(None, (f"{word.status} by the target", word.code, word.message)))
