"""Which portion of documents goes out next, and when: beside the stream, at the workers' pace.

Models are served in the order of the file, the first one whose queues have room: what others refer
to goes before them where it stands first. One begins when the queues are empty, or after some
seconds. So a target that stands still holds back the models that go to it, and no others. What a
recovery has found goes before what is there for the first time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from cdc.pace import PORTION, Lane, Look, Lot, Pace, through
from cdc.progress import Portion, Progress
from schemas.errors import ServiceUnavailable

logger = logging.getLogger(__name__)


_TURN: Final = 10.0  # seconds after which a model begins although its queues are never empty
_LATELY: Final = 5.0  # seconds: who has asked for room by then is likely to ask again


class Looks(Protocol):
    """Who sees how far the workers are."""

    def look(self, now: float) -> Look | None:
        """Return a look that has come to its end, once; begin one when it is time for it."""

    def rest(self) -> None:
        """Expect no call for long."""


class Unpaced:
    """Waits for nobody: for a run that ends by itself, with or without workers."""

    def __init__(self, order: Iterable[str]) -> None:
        """`order` are models, as they stand in the file."""
        self._order = tuple(dict.fromkeys(order))

    def next(self, progress: Progress, now: float) -> Portion | None:
        """Return the portion to publish next, None where there is none."""
        ready = _in_order(progress, self._order)
        return ready[0]._replace(documents=PORTION) if ready else None

    def published(self, portion: Portion, now: float) -> None:
        """Take no notice."""


class Paced:
    """Waits until the queues that a portion fills have drained."""

    def __init__(self, pace: Pace, looks: Looks, lanes: Sequence[Lane]) -> None:
        """Look at nothing yet; `lanes` are the ways of documents, in the order of the file."""
        self._order = tuple(dict.fromkeys(lane.model for lane in lanes))
        self._filled = -_TURN  # when the last portion went out
        self._pace = pace
        self._looks = looks
        self._lanes = lanes
        self._away = ""
        self._asked = -_LATELY

    def next(self, progress: Progress, now: float) -> Portion | None:
        """Return a portion that there is room for, None where there is none.

        `progress.held` names the models that have waited for long, and is kept so.
        """
        ready = _in_order(progress, self._order)
        if not ready:
            progress.held = set()
            if now - self._asked >= _LATELY:
                self._rest()
            return None
        self._see(now)
        lots = {each: _lot(each) for each in ready}
        still = {each.model for each, lot in lots.items() if self._pace.stands_still(lot, now)}
        self._say(progress, still)
        rooms = (
            (each, self._pace.room(lot))
            for each, lot in lots.items()
            if self._may_go(each, progress, now)
        )
        return next((each._replace(documents=room) for each, room in rooms if room), None)

    def room(self, way: str, deliveries: frozenset[str], now: float) -> int:
        """Return how many documents may be published on a way to these send queues."""
        self._asked = now
        self._pace.open(way, through(deliveries, self._lanes))
        self._see(now)
        return self._pace.room(way)

    def stands_still(self, way: str, deliveries: frozenset[str], now: float) -> bool:
        """Whether the workers keep such a way waiting for long."""
        self._pace.open(way, through(deliveries, self._lanes))
        return self._pace.stands_still(way, now)

    def filled(self, way: str, documents: int, now: float) -> None:
        """Note what Kafka has that went on such a way."""
        self._pace.filled(way, documents, now)

    def published(self, portion: Portion, now: float) -> None:
        """Note a portion that Kafka has, and how much it came to."""
        self._pace.filled(_lot(portion), portion.documents, now)
        self._filled = now

    def _may_go(self, portion: Portion, progress: Progress, now: float) -> bool:
        """Whether a model has begun, or what went out before it has gone its way."""
        begun = portion.due or progress.published[portion.model] >= 0
        return begun or self._pace.is_empty(_lot(portion)) or now - self._filled > _TURN

    def _see(self, now: float) -> None:
        try:
            look = self._looks.look(now)
        except ServiceUnavailable as error:
            self._away = str(error)
            self._pace.saw(None)
        else:
            if look is not None:
                self._away = ""
                self._pace.saw(look)

    def _say(self, progress: Progress, held: set[str]) -> None:
        for model in sorted(held - progress.held):
            why = f" ({self._away})" if self._away else ""
            text = "documents of %s wait for the workers%s"
            logger.warning(text, model, why, extra={"action": "held"})
        for model in sorted(progress.held - held):
            text = "documents of %s go on"
            logger.info(text, model, extra={"action": "goes_on"})
        progress.held = held

    def _rest(self) -> None:
        self._pace.forget()
        self._looks.rest()


def _in_order(progress: Progress, order: Sequence[str]) -> list[Portion]:
    """Return what may be published, in the order of the file; what is due first."""
    ready = [each for each in progress.ready_to_publish if each.model in order]
    return sorted(ready, key=lambda each: (not each.due, order.index(each.model)))


def _lot(portion: Portion) -> Lot:
    return Lot(portion.model, to_all=portion.to_all)
