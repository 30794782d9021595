"""Acknowledgements that the intake turns away: without a trace the target would be blamed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

logger = logging.getLogger(__name__)

_UNAUTHORISED: Final = 401
_PAUSE: Final = 60.0  # seconds between two lines about the same status

Count = Callable[[str], None]


def nobody(_: str) -> None:
    """Count nothing."""


class Refusals:
    """Counts them by status, and says so, once a minute at most for each status."""

    def __init__(self, count: Count = nobody, clock: Callable[[], float] = time.monotonic) -> None:
        """`count` is told each status; `clock` tells seconds that never go back."""
        self._count = count
        self._clock = clock
        self._said: dict[int, float] = {}

    def note(self, status: int, why: str) -> None:
        """Take in that a request was answered so."""
        self._count(str(status))
        now = self._clock()
        if now - self._said.get(status, float("-inf")) < _PAUSE:
            return
        self._said[status] = now
        if status == _UNAUTHORISED:
            logger.error(
                "acknowledgements are turned away: they come without acks.token, or with another;"
                " deploy what `odoo-cdc wso2 generate` makes",
                extra={"action": "alarm", "alarm": "acks_unauthorised"},
            )
        else:
            logger.warning(
                "acknowledgements are turned away with %d: %s",
                status,
                why,
                extra={"action": "acks_refused", "status": status},
            )
