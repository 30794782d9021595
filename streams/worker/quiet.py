"""Keeps other people's loggers from flooding ours while Kafka is away."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

LOUD: Final = ("aiokafka", "faust", "mode")
_PAUSE: Final = 10.0  # seconds between two lines from the same place


class Quiet(logging.Filter):
    """Lets through one line per place and pause of the loggers in LOUD, all of the others.

    aiokafka says about 50 lines a second while its broker is away. What Faust says below a
    warning tells an operator nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Have heard nothing yet."""
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record is to be written."""
        if record.name.partition(".")[0] not in LOUD:
            return True
        if record.levelno < logging.WARNING:
            return False
        place, now = (record.pathname, record.lineno), self._clock()
        if now - self._said.get(place, float("-inf")) < _PAUSE:
            return False
        self._said[place] = now
        return True


def hush() -> None:
    """Put the filter before every handler of the root logger."""
    quiet = Quiet()
    for handler in logging.getLogger().handlers:
        handler.addFilter(quiet)
