"""Whether deliveries go to WSO2 at all.

Closed while WSO2 is away or does not know us: then nothing counts as an attempt, the send queues
stay in Kafka, and one delivery is tried now and then, after a failure one of another chain.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Final, assert_never

from schemas.keys import DeliveryId
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.sending.holds import Hold, Holder, Reason
from streams.sending.trials import Trials

_FIRST: Final = 0.2  # seconds before the first trial
_LONGEST: Final = 5.0

logger = logging.getLogger(__name__)


class Gate(Holder):
    """Open, or closed for a reason."""

    reason = Reason.WSO2

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin open; `clock` tells UTC seconds."""
        self._clock = clock
        self._hold: Hold | None = None
        self.trials = Trials(_FIRST, _LONGEST, monotonic)
        self.why = ""

    @property
    def closed(self) -> bool:
        """Whether nothing is sent but trials."""
        return bool(self.why)

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return why nothing goes to WSO2."""
        return self._hold

    def halts(self, target: str) -> bool:
        """Say whether it is closed."""
        return self.closed

    def standing(self) -> Iterator[Hold]:
        """Give the one hold that there is while it is closed."""
        if self._hold is not None:
            yield self._hold

    def note(self, delivery_id: DeliveryId, outcome: Outcome) -> None:
        """Close when the outcome says so; a trial that got any answer opens."""
        trial = self.trials.under_way == delivery_id
        match outcome:
            case Unavailable(why=why, counted=False, remedy=remedy):
                self._close("away", f"{why}; {remedy}" if remedy else why, trial=trial)
            case Unauthorised(why=why):
                self._close("unauthorised", why, trial=trial)
            case Accepted() | Unavailable() | Refused():
                if trial:
                    self.open()
            case _:
                assert_never(outcome)

    def drop(self, delivery_id: DeliveryId) -> None:
        """Go on without a trial's delivery, where it was not sent."""
        if self.trials.under_way == delivery_id:
            self.trials.said_nothing()

    def open(self) -> None:
        """Let deliveries go."""
        if not self.closed:
            return
        logger.info("deliveries go on", extra={"action": "gate_opened"})
        self.why, self._hold = "", None
        self.trials.reset()

    def _close(self, kind: str, why: str, *, trial: bool) -> None:
        if trial or not self.closed:
            self.trials.failed()
        if self.why != kind:
            _announce(kind, why)
            since = self._hold.since if self._hold else self._clock()
            self._hold = Hold(Reason.WSO2, "", f"WSO2 is not to be had: {why}", since)
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
