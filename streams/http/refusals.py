"""What is turned away before it is read: without a trace somebody else would be blamed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

logger = logging.getLogger(__name__)

_UNAUTHORISED: Final = 401
_PAUSE: Final = 60.0  # seconds between two lines about the same status

Count = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class What:
    """What is turned away, and what to do where it has no token of ours."""

    things: str
    action: str
    alarm: str
    remedy: str


ACKNOWLEDGEMENTS: Final = What(
    "acknowledgements",
    "acks_refused",
    "acks_unauthorised",
    "they come without acks.token, or with another; deploy what `odoo-cdc wso2 generate` makes",
)
DELIVERIES: Final = What(
    "deliveries",
    "deliveries_refused",
    "deliveries_unauthorised",
    "they come without `token` of target.yaml, or with another; write the same one as `auth:"
    " {bearer: ...}` of the target in sync.yaml, and deploy what `odoo-cdc wso2 generate` makes",
)


def nobody(_: str) -> None:
    """Count nothing."""


class Refusals:
    """Counts them by status, and says so, once a minute at most for each status."""

    def __init__(
        self, what: What, count: Count = nobody, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`count` is told each status; `clock` tells seconds that never go back."""
        self._what = what
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
                "%s are turned away: %s",
                self._what.things,
                self._what.remedy,
                extra={"action": "alarm", "alarm": self._what.alarm},
            )
        else:
            logger.warning(
                "%s are turned away with %d: %s",
                self._what.things,
                status,
                why,
                extra={"action": self._what.action, "status": status},
            )
