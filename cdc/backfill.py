"""Which portion of documents goes out next, and when: beside the stream, at the workers' pace.

The first model in the order of the plan whose queues have room is served. So a target that
stands still holds back the models that go to it, and no others.
"""

from __future__ import annotations

import logging
from typing import Protocol

from cdc.loading import Portion
from cdc.pace import PORTION, Look, Pace
from cdc.progress import Progress
from schemas.errors import ServiceUnavailable

logger = logging.getLogger(__name__)


class Looks(Protocol):
    """Who sees how far the workers are."""

    def look(self, now: float) -> Look | None:
        """Return a look that has come to its end, once; begin one when it is time for it."""

    def rest(self) -> None:
        """Expect no call for long."""


class Unpaced:
    """Waits for nobody: for a run that ends by itself, with or without workers."""

    def next(self, progress: Progress, now: float) -> Portion | None:
        """Return the portion to publish next, None where there is none."""
        model = min(progress.published, default=None)
        return None if model is None else Portion(model, PORTION)

    def published(self, model: str, documents: int, now: float) -> None:
        """Take no notice."""


class Paced:
    """Waits until the queues that a portion fills have drained."""

    def __init__(self, pace: Pace, looks: Looks) -> None:
        """Look at nothing yet."""
        self._pace = pace
        self._looks = looks
        self._away = ""

    def next(self, progress: Progress, now: float) -> Portion | None:
        """Return a portion that there is room for, None where there is none.

        `progress.held` names the models that have waited for long, and is kept so.
        """
        if not progress.published:
            self._rest(progress)
            return None
        self._see(now)
        models = sorted(progress.published)
        self._say(progress, {each for each in models if self._pace.stands_still(each, now)})
        rooms = ((model, self._pace.room(model)) for model in models)
        return next((Portion(model, room) for model, room in rooms if room), None)

    def published(self, model: str, documents: int, now: float) -> None:
        """Note a portion that Kafka has."""
        self._pace.filled(model, documents, now)

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

    def _rest(self, progress: Progress) -> None:
        self._pace.forget()
        self._looks.rest()
        progress.held = set()
