"""Which portion of documents goes out next, and when: beside the stream, at the workers' pace.

Models are served in the order of the file, the first one whose queues have room: what others refer
to goes before them where it stands first. One begins when the queues are empty, or after some
seconds. So a target that stands still holds back the models that go to it, and no others.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from cdc.loading import Portion
from cdc.pace import PORTION, Lane, Look, Pace, through
from cdc.progress import Progress
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
        model = next(_in_order(progress, self._order), None)
        return None if model is None else Portion(model, PORTION)

    def published(self, model: str, documents: int, now: float) -> None:
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
        if not progress.published:
            progress.held = set()
            if now - self._asked >= _LATELY:
                self._rest()
            return None
        self._see(now)
        models = list(_in_order(progress, self._order))
        self._say(progress, {each for each in models if self._pace.stands_still(each, now)})
        rooms = (
            (model, self._pace.room(model))
            for model in models
            if self._may_go(model, progress, now)
        )
        return next((Portion(model, room) for model, room in rooms if room), None)

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

    def published(self, model: str, documents: int, now: float) -> None:
        """Note a portion that Kafka has, of a model or on a way."""
        self._pace.filled(model, documents, now)
        if model in self._order:
            self._filled = now

    def _may_go(self, model: str, progress: Progress, now: float) -> bool:
        """Whether a model has begun, or what went out before it has gone its way."""
        begun = progress.published[model] >= 0
        return begun or self._pace.is_empty(model) or now - self._filled > _TURN

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
            text = "the first load of %s waits for the workers%s"
            logger.warning(text, model, why, extra={"action": "held"})
        for model in sorted(progress.held - held):
            text = "the first load of %s goes on"
            logger.info(text, model, extra={"action": "goes_on"})
        progress.held = held

    def _rest(self) -> None:
        self._pace.forget()
        self._looks.rest()


def _in_order(progress: Progress, order: Sequence[str]) -> Iterator[str]:
    """Give the models that have something to publish, in the order of the file."""
    yield from (model for model in order if model in progress.published)
