"""When the next portion of documents may be published: when the queues it fills are short. Pure.

A portion fills the event topic of its model and then the send queues of the targets that its
routes name. They never hold more of it than the workers do in some seconds, or two portions, so
that a live change is not long behind it, in a lane that it shares with everything else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

PORTION: Final = 500  # documents, at most
LEAST: Final = 50  # documents that are worth a mark
FEW: Final = 2 * PORTION  # records that queues may always hold: workers take them by the portion
_HELD: Final = 3.0  # seconds of the workers' time that queues may hold: they say late what is done
_WINDOW: Final = 4.0  # seconds over which it is seen how much the workers do ...
_KNOWN: Final = 2.0  # ... and those after which it is known; till then a few records are right
_STALL: Final = 10.0  # seconds without anything done after which a full queue stands still


@dataclass(frozen=True, slots=True)
class Queue:
    """What leads to one target: its send queue, and the event topics that it is filled from."""

    deliveries: str
    events: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lane:
    """What one route leads from and to; `takes_existing`: also documents that did not change."""

    model: str
    events: str  # a topic
    deliveries: str  # likewise
    takes_existing: bool


@dataclass(frozen=True, slots=True)
class Look:
    """How far the workers were, by topic: records done, and records left.

    `at` is when it began (monotonic seconds): what was published before is in it.
    """

    at: float
    done: Mapping[str, int]
    left: Mapping[str, int]


class Lot(NamedTuple):
    """Documents of a model: existing ones, for routes that want them, or such as go to all."""

    model: str
    to_all: bool = False


Way = Lot | str  # of a lot, or of who goes by a name of his own


class Pace:
    """Holds the documents of each model to the speed of the workers that send them on."""

    def __init__(self, queues: Mapping[Way, Sequence[Queue]]) -> None:
        """`queues` are those that each model's documents go through."""
        self._queues: dict[Way, Sequence[Queue]] = dict(queues)
        self._looks: deque[Look] = deque()
        self._filled: list[tuple[float, Way, int]] = []  # when, what, documents
        self._moved: dict[Queue, float] = {}

    def open(self, name: str, queues: Sequence[Queue]) -> None:
        """Have documents under another name go through these queues."""
        self._queues.setdefault(name, queues)

    def saw(self, look: Look | None) -> None:
        """Take in a look; None where nobody could be asked: then nothing has room."""
        if look is None:
            self._looks.clear()
            return
        last = self._looks[-1] if self._looks else None
        while self._looks and self._looks[0].at < look.at - _WINDOW:
            self._looks.popleft()
        self._looks.append(look)
        self._filled = [each for each in self._filled if each[0] > look.at]
        for queue in {queue for queues in self._queues.values() for queue in queues}:
            moves = last is None or _done(queue, look) != _done(queue, last)
            if moves or self._room(queue) > 0:
                self._moved[queue] = look.at

    def filled(self, way: Way, documents: int, now: float) -> None:
        """Note so many documents that Kafka has; looks that began before do not show them."""
        self._filled.append((now, way, documents))

    def forget(self) -> None:
        """Know nothing: the next portion is long after the last."""
        self._looks.clear()
        self._filled.clear()
        self._moved.clear()

    def room(self, way: Way) -> int:
        """Return how many documents may be published, 0 while their queues are full."""
        if not self._looks:
            return 0
        room = min(map(self._room, self._queues[way]))
        return max(LEAST, min(room, PORTION)) if room > 0 else 0

    def is_empty(self, way: Way) -> bool:
        """Whether nothing is left in the queues, as far as is known."""
        return bool(self._looks) and all(self._is_empty(each) for each in self._queues[way])

    def stands_still(self, way: Way, now: float) -> bool:
        """Whether one of the queues is full, and for long nothing of it was done."""
        moved = [self._moved.setdefault(queue, now) for queue in self._queues[way]]
        return any(now - at > _STALL for at in moved)

    def _is_empty(self, queue: Queue) -> bool:
        look = self._looks[-1]
        return not self._since(queue) + _unread(queue, look) + look.left[queue.deliveries]

    def _since(self, queue: Queue) -> int:
        """Return how many documents went into a queue that no look has seen yet."""
        return sum(count for _, way, count in self._filled if queue in self._queues[way])

    def _room(self, queue: Queue) -> int:
        """Return how many records a queue may still take.

        Workers say now and then what they have done: till then an event is left although its
        deliveries are there. So the longer of the two counts, not their sum.
        """
        look = self._looks[-1]
        left = max(_unread(queue, look), look.left[queue.deliveries])
        return self._limit(queue) - left - self._since(queue)

    def _limit(self, queue: Queue) -> int:
        """Return how many records a queue may hold.

        By what is done where most is left: events become deliveries much faster than these go.
        Where nothing is left the larger number counts: not every event becomes a delivery, and
        some become several.
        """
        first, last = self._looks[0], self._looks[-1]
        seconds = last.at - first.at
        if seconds < _KNOWN:
            return FEW
        sent, events = (
            now - then for now, then in zip(_done(queue, last), _done(queue, first), strict=True)
        )
        unsent, unread = last.left[queue.deliveries], _unread(queue, last)
        done = max(sent, events) if unsent == unread else sent if unsent > unread else events
        return max(FEW, int(done / seconds * _HELD))


def _done(queue: Queue, look: Look) -> tuple[int, int]:
    """Return how many deliveries and events were done."""
    return look.done[queue.deliveries], sum(look.done[topic] for topic in queue.events)


def _unread(queue: Queue, look: Look) -> int:
    """Return how many events are left."""
    return sum(look.left[topic] for topic in queue.events)


def queues(lanes: Iterable[Lane]) -> dict[Way, tuple[Queue, ...]]:
    """Return the queues that the documents of each model go through."""
    known = list(lanes)
    ways: dict[Way, set[str]] = {}
    for lane in known:
        ways.setdefault(Lot(lane.model, to_all=True), set()).add(lane.deliveries)
        if lane.takes_existing:
            ways.setdefault(Lot(lane.model), set()).add(lane.deliveries)
    return {way: through(found, known) for way, found in ways.items()}


def through(deliveries: Iterable[str], lanes: Iterable[Lane]) -> tuple[Queue, ...]:
    """Return the queues that lead to some send queues."""
    feeds: dict[str, set[str]] = {}
    for lane in lanes:
        feeds.setdefault(lane.deliveries, set()).add(lane.events)
    return tuple(Queue(each, frozenset(feeds[each])) for each in sorted(deliveries))
