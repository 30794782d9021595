"""The order of safety: Kafka acknowledges, the shadow commits, Postgres is told it may forget.

An epoch is everything between two commits of the shadow. A crash between two steps repeats work
and makes the same bytes again; it never loses any.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from cdc.engine.events import LOOKED_AT, Made
from cdc.engine.holding import Dropped
from cdc.engine.undone import Lasting, take_back
from cdc.notes import PROGRESS
from cdc.progress import Progress
from cdc.watermark import Handled, Watermark
from schemas.keys import partition_of

CHANGES: Final = 10_000  # in one epoch: then it must end
SECONDS: Final = 0.1  # how long it stays open once it has any ...
DROPPED: Final = 2_000  # keys at once of what nobody asks for any more
_TIMES: Final = 10  # ... and no shorter than so many times its end, beside which nothing runs
_LONGEST: Final = 1.0
_PULSE: Final = 1_000  # events between two pulses
IDLE_SECONDS: Final = 10.0  # between commits that only move the LSN of an idle source


class Publisher(Protocol):
    """Kafka."""

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Hand over one record."""

    def flush(self) -> None:
        """Return once Kafka has acknowledged everything."""


class Durable(Lasting, Protocol):
    """The shadow."""

    def recall(self, name: str) -> dict[str, Any] | None:
        """Return a note."""

    def note(self, name: str, note: Mapping[str, Any]) -> None:
        """Write a note."""

    def abort(self) -> None:
        """Leave nothing of what is not durable."""

    def trim(self) -> None:
        """Hold no more memory than must be."""

    def drop(self, what: Dropped, limit: int) -> bool:
        """Drop up to so many keys; say whether none is left."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Where a model's events go."""

    name: str
    partitions: int


class Epoch:
    """What was published and is not durable yet."""

    def __init__(
        self,
        publisher: Publisher,
        shadow: Durable,
        topics: Mapping[int, Topic],
    ) -> None:
        """Begin where the shadow stands, which has its notes; `topics` are by the model's rank."""
        self.watermark, self.progress, self.handled = _standing(shadow)
        self.changes = 0
        self.events = 0
        self.total = 0
        """The changes of all epochs."""
        self._publisher = publisher
        self._shadow = shadow
        self._topics = topics
        self._opened = 0.0
        self._unsent, self._bytes = False, 0
        self._ended = time.monotonic()
        self._stays = SECONDS
        self.pulse: Callable[[], object] = int
        """Called now and then while many events are published."""

    def publish(self, made: Made) -> None:
        """Hand an event to Kafka."""
        topic = self._topics[made.rank]
        key = b"%d" % made.id
        self._publisher.produce(topic.name, partition_of(key, topic.partitions), key, made.value)
        self._unsent = True
        self.events += 1
        self._bytes += len(made.value)
        if self._bytes > LOOKED_AT:
            self._bytes = 0
            self.trim()
        if not self.events % _PULSE:
            self.pulse()

    def tell(self, topic: Topic, partition: int, key: bytes, value: bytes) -> None:
        """Hand an answer to Kafka; it has it when the epoch has ended."""
        self._publisher.produce(topic.name, partition, key, value)
        self._unsent = True

    def did(self, changes: int, weight: int = 0) -> None:
        """Note so many changes, 0 where only a position moved; large rows weigh as many others."""
        if not self.changes:
            self._opened = time.monotonic()
        self.changes += max(changes, weight)
        self.total += changes

    def due_in(self, now: float) -> float:
        """Return the seconds until it should end."""
        if self.changes:
            return max(0.0, self._opened + self._stays - now)
        if self.progress.dropping:
            return max(0.0, self._ended + self._stays - now)
        if self.watermark.passed > self.watermark.durable:
            return max(0.0, self._ended + IDLE_SECONDS - now)
        return IDLE_SECONDS

    def trim(self) -> None:
        """Hold no more memory than must be, while a large transaction is worked on."""
        self._shadow.trim()

    def reset(self) -> None:
        """Throw away what is not durable, a large transaction's first part included."""
        self._shadow.abort()
        self._shadow.begin()
        take_back(self._shadow)
        self.watermark, self.progress, self.handled = _standing(self._shadow)
        self.changes = 0
        self._unsent = False

    def end(self) -> None:
        """Make everything durable that was handled; the next one begins."""
        began = time.monotonic()
        if self._unsent:
            self._publisher.flush()
            self._unsent = False
        self._drop()
        standing = {"lsn": self.watermark.passed, "at": time.time(), **self.progress.to_json()}
        handled = {} if self.handled is None else {"handled": self.handled}
        self._shadow.note(PROGRESS, {**standing, **handled})
        self._shadow.commit()
        self.watermark.commit()
        self._shadow.begin()
        self.changes = 0
        self._ended = time.monotonic()
        self._stays = min(_LONGEST, max(SECONDS, _TIMES * (self._ended - began)))

    def _drop(self) -> None:
        """Drop some of what nobody asks for any more."""
        waiting = self.progress.dropping
        if waiting and self._shadow.drop(waiting[0], DROPPED):
            del waiting[0]


def _standing(shadow: Durable) -> tuple[Watermark, Progress, Handled | None]:
    """Return how far the shadow is; it may be of a version that did not note what it handled."""
    note = shadow.recall(PROGRESS) or {}
    handled = note.get("handled")
    known = None if handled is None else Handled(*handled)
    return Watermark(note["lsn"]), Progress.from_json(note), known
