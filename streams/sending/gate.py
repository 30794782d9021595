"""Whether deliveries go to WSO2 at all.

Closed while WSO2 is away or does not know us: then nothing counts as an attempt, the send queues
stay in Kafka, and one delivery is tried now and then, after a failure one of another chain.

Something before WSO2 may forbid one record alone, by its size or its words. So where all chains
at hand were tried and not let in the queues are read until another is there; and what was not
let in while another was counts its attempts from then on, and closes nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Final, assert_never

from schemas.keys import Chain, DeliveryId
from streams.chains.item import Item
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.sending.holds import Hold, Holder, Reason
from streams.sending.trials import Trials

_FIRST: Final = 0.2  # seconds before the first trial
_LONGEST: Final = 5.0
_KNOWN: Final = 1000  # chains that stand alone: more are forgotten, the first first
_AWAY: Final = "away"
_UNAUTHORISED: Final = "unauthorised"

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
        self.thirsty = False  # nothing untried is at hand
        self._refused: set[Chain] = set()  # that were not let in since it was open
        self._alone: dict[Chain, None] = {}  # that were not let in while others were

    @property
    def closed(self) -> bool:
        """Whether nothing is sent but trials."""
        return bool(self.why)

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return why nothing goes to WSO2."""
        return self._hold

    def halts(self, target: str) -> bool:
        """Say whether it is closed, and something may be tried that is at hand."""
        return self.closed and not (self.thirsty and self.why == _UNAUTHORISED)

    def standing(self) -> Iterator[Hold]:
        """Give the one hold that there is while it is closed."""
        if self._hold is not None:
            yield self._hold

    def note(self, item: Item, outcome: Outcome) -> Outcome:
        """Close when the outcome says so; a trial that got any answer opens.

        Returns the outcome as it counts.
        """
        trial = self.trials.under_way == item.id
        match outcome:
            case Unavailable(why=why, counted=False, remedy=remedy):
                said = f"{why}; {remedy}" if remedy else why
                self._close(_AWAY, said, item.id, trial=trial)
            case Unauthorised(why=why, http_status=status):
                if not self.closed and item.chain in self._alone:
                    return Unavailable(f"{why}, and not to others", http_status=status)
                self._refused.add(item.chain)
                self._close(_UNAUTHORISED, why, item.id, trial=trial)
            case Accepted() | Refused():
                self._alone.pop(item.chain, None)
                self._refused.discard(item.chain)
                if trial:
                    self._let_in()
            case Unavailable():
                if trial:
                    self.open()
            case _:
                assert_never(outcome)
        return outcome

    def drop(self, delivery_id: DeliveryId) -> None:
        """Go on without a trial's delivery, where it was not sent."""
        if self.trials.under_way == delivery_id:
            self.trials.said_nothing()

    def open(self) -> None:
        """Let deliveries go."""
        if not self.closed:
            return
        logger.info("deliveries go on", extra={"action": "gate_opened"})
        self.why, self._hold, self.thirsty = "", None, False
        self._refused.clear()
        self.trials.reset()

    def _let_in(self) -> None:
        """Open for what a trial has shown: those that were not let in before it stand alone."""
        self._alone |= dict.fromkeys(sorted(self._refused))
        while len(self._alone) > _KNOWN:
            del self._alone[next(iter(self._alone))]
        self.open()

    def _close(self, kind: str, why: str, delivery_id: DeliveryId, *, trial: bool) -> None:
        if trial or not self.closed:
            self.trials.failed()
        said = f"WSO2 is not to be had: {why}"
        if self._hold is None or self.why != kind or self._hold.why != said:
            _announce(kind, why, delivery_id)
            since = self._hold.since if self._hold else self._clock()
            self._hold = Hold(Reason.WSO2, "", said, since)
            self.why = kind


def _announce(kind: str, why: str, delivery_id: DeliveryId) -> None:
    if kind == _UNAUTHORISED:
        logger.error(
            "wso2 does not let us in: all deliveries are paused; correct wso2.auth in sync.yaml",
            extra={
                "action": "alarm",
                "alarm": "wso2_unauthorised",
                "reason": why,
                "delivery": delivery_id,
            },
        )
    else:
        logger.warning(
            "wso2 is away: deliveries are paused",
            extra={"action": "gate_closed", "reason": why, "delivery": delivery_id},
        )
