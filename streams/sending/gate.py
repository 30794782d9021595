"""Whether deliveries go to WSO2 at all.

Closed while WSO2 is away or does not know us: then nothing counts as an attempt, the send queues
stay in Kafka, and a delivery that waits is tried now and then. A breaker per target would stand
beside this gate, asked in the same places.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Protocol, assert_never

from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable

_FIRST: Final = 0.2  # seconds between the first two trials
_LONGEST: Final = 5.0

logger = logging.getLogger(__name__)


class Traffic(Protocol):
    """The send queues."""

    def pause(self) -> None:
        """Take nothing more from them."""

    def resume(self) -> None:
        """Go on where they stood."""


class Gate:
    """Open, or closed for a reason."""

    def __init__(self, traffic: Traffic, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin open; `traffic` is paused while closed."""
        self._traffic = traffic
        self._monotonic = monotonic
        self._pause = _FIRST
        self._trial = 0.0
        self.why = ""

    @property
    def closed(self) -> bool:
        """Whether nothing is sent but trials."""
        return bool(self.why)

    def until_trial(self) -> float:
        """Return the seconds until the next trial."""
        return max(0.0, self._trial - self._monotonic())

    def note(self, outcome: Outcome, *, trial: bool = False) -> None:
        """Close when the outcome says so; a `trial` that got any answer opens."""
        match outcome:
            case Unavailable(why=why, counted=False):
                self._close("away", why, trial=trial)
            case Unauthorised(why=why):
                self._close("unauthorised", why, trial=trial)
            case Accepted() | Unavailable() | Refused():
                if trial:
                    self.open()
            case _:
                assert_never(outcome)

    def open(self) -> None:
        """Let deliveries go."""
        if not self.closed:
            return
        logger.info("deliveries go on", extra={"action": "gate_opened"})
        self.why = ""
        self._pause = _FIRST
        self._traffic.resume()

    def _close(self, kind: str, why: str, *, trial: bool) -> None:
        if not self.closed:
            self._pause = _FIRST
            self._trial = self._monotonic() + self._pause
            self._traffic.pause()
        elif trial:
            self._pause = min(2 * self._pause, _LONGEST)
            self._trial = self._monotonic() + self._pause
        if self.why != kind:
            _announce(kind, why)
            self.why = kind


def _announce(kind: str, why: str) -> None:
    if kind == "unauthorised":
        logger.error(
            "wso2 does not let us in: all deliveries are paused; correct wso2.auth in sync.yaml",
            extra={"action": "alarm", "alarm": "wso2_unauthorised", "reason": why},
        )
    else:
        logger.warning(
            "wso2 is away: deliveries are paused", extra={"action": "gate_closed", "reason": why}
        )
