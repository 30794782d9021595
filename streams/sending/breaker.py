"""Whether deliveries go to a target: a circuit breaker for each, beside the gate.

It opens after five failures in a row from three or more chains. A failure is an attempt that
counts, a target's `retry`, an acknowledgement that did not come; a success is the target's own
word or, where its terms ask for none, WSO2's 202. Where a word is asked for, a 202 says that WSO2
is well, not that the target is.

While it is open attempts do not count, and one delivery is tried at a time, after a failure one
of another chain, with pauses that double. Where all chains at hand were tried its queue is read
until another is there: it may be they that fail, and not the target.

When a trial has succeeded two may be on their way, and one more for every success: twice as many
with every answer time, until there are so many that nobody need count, or until none has had to
wait for some seconds. All of it is memory: a worker that starts learns it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, assert_never

from schemas.keys import Chain, DeliveryId
from streams.chains.item import Item
from streams.sending.holds import Hold, Reason
from streams.sending.trials import Trials

_FAILURES: Final = 5  # in a row ...
_CHAINS: Final = 3  # ... from so many chains at least
_KEPT: Final = 50  # failures that are remembered
_FIRST: Final = 1.0  # seconds before the first trial
_LONGEST: Final = 60.0
_EASED: Final = 16  # the same, with which its next failure is not one more of the last
_WIDE: Final = 256  # deliveries on their way with which a target has wholly returned
_EASY: Final = 10.0  # seconds in which none had to wait: it has wholly returned too
_LASTING: Final = 300.0  # seconds after which it is an alarm

logger = logging.getLogger(__name__)


class Stage(IntEnum):
    """What a breaker lets through; the value is what metrics show."""

    CLOSED = 0  # everything
    RETURNING = 1  # so many at a time
    OPEN = 2  # trials


@dataclass(frozen=True, slots=True)
class _Failure:
    chain: Chain
    at_wso2: bool  # WSO2 did not take it; else the target did not


class Breaker:
    """The breaker of one target."""

    def __init__(
        self, target: str, clock: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        """Begin closed; `clock` tells UTC seconds."""
        self._target = target
        self._clock = clock
        self._monotonic = monotonic
        self._row: list[_Failure] = []
        self._width = 0
        self._on_their_way: dict[DeliveryId, float] = {}
        self._opened = 0.0
        self._full = 0.0
        self._alarmed = False
        self.hold: Hold | None = None
        self.stage = Stage.CLOSED
        self.trials = Trials(_FIRST, _LONGEST, monotonic)
        self.thirsty = False  # nothing untried of its target is at hand: its queue may be read

    @property
    def holds(self) -> bool:
        """Say whether nothing more may go at the moment."""
        match self.stage:
            case Stage.CLOSED:
                return False
            case Stage.RETURNING:
                return len(self._on_their_way) >= self._width
            case Stage.OPEN:
                return True
            case _:
                assert_never(self.stage)

    def counts_on(self, delivery_id: DeliveryId) -> bool:
        """Say whether a delivery is among those on their way."""
        return delivery_id in self._on_their_way

    def take(self, delivery_id: DeliveryId, patience: float) -> None:
        """Count a delivery that goes; in `patience` seconds something has become of it."""
        if self.stage is Stage.RETURNING:
            self._on_their_way[delivery_id] = self._monotonic() + patience

    def drop(self, delivery_id: DeliveryId) -> None:
        """Count no longer on a delivery, of which nothing can be told."""
        self._on_their_way.pop(delivery_id, None)
        if self.trials.under_way == delivery_id:
            self.trials.said_nothing()

    def fail(
        self, item: Item, why: str, *, at_wso2: bool = False, asked: float | None = None
    ) -> None:
        """Take in a failure; the other side may have asked for a pause of some seconds."""
        self._on_their_way.pop(item.id, None)
        if self.stage is Stage.OPEN:
            if self.trials.under_way == item.id:
                self.trials.failed(asked)
                self._say(why)
            return
        self._row = [*self._row[1 - _KEPT :], _Failure(item.chain, at_wso2)]
        if len(self._row) >= _FAILURES and len({each.chain for each in self._row}) >= _CHAINS:
            self._open(why, asked)

    def pass_wso2(self) -> None:
        """Take in that WSO2 has a delivery, of which the target has not said anything yet."""
        self._row = [each for each in self._row if not each.at_wso2]

    def succeed(self, delivery_id: DeliveryId) -> None:
        """Take in that the target has answered for a delivery."""
        self._row.clear()
        sent_since = self._on_their_way.pop(delivery_id, None) is not None
        if self.trials.under_way == delivery_id:
            self._return()
        elif self.stage is Stage.RETURNING and sent_since:
            self._width += 1
            if self._width == _EASED:
                self.trials.ease()
            if self._width >= _WIDE:
                self._close()

    def look(self) -> None:
        """Give up what nothing was heard of, and raise the alarm where it lasts."""
        now = self._monotonic()
        self._on_their_way = {i: end for i, end in self._on_their_way.items() if end > now}
        if self.trials.lost():
            self.trials.failed()
        if self.stage is Stage.RETURNING:
            if self.holds:
                self._full = now
            elif now - self._full >= _EASY:
                self._close()
        if self.stage is Stage.OPEN and not self._alarmed and now - self._opened >= _LASTING:
            self._alarmed = True
            logger.error(
                "%s has been failing for %.0f s: its deliveries wait",
                self._target,
                now - self._opened,
                extra={"action": "alarm", "alarm": "target_away", "target": self._target},
            )

    def forget(self) -> None:
        """Count on no delivery any more: another worker may have it."""
        self._on_their_way.clear()
        if self.trials.under_way is not None:
            self.trials.said_nothing()

    def _open(self, why: str, asked: float | None) -> None:
        returning, self.stage = self.stage is Stage.RETURNING, Stage.OPEN
        self._row.clear()
        self._on_their_way.clear()
        self.thirsty = False
        self.trials.failed(asked)
        if not returning:
            self._opened, self._alarmed = self._monotonic(), False
        self._say(why)
        logger.warning(
            "%s fails: its deliveries wait",
            self._target,
            extra={"action": "breaker_opened", "target": self._target, "reason": why},
        )

    def _say(self, why: str) -> None:
        """Hold for what went wrong last, since it began."""
        since = self.hold.since if self.hold is not None else self._clock()
        self.hold = Hold(Reason.BREAKER, self._target, f"{self._target} fails: {why}", since)

    def _return(self) -> None:
        self.stage, self._width, self._full = Stage.RETURNING, 2, self._monotonic()
        self.trials.said_nothing()
        since = self.hold.since if self.hold is not None else None
        why = f"{self._target} is back: its deliveries go a few at a time"
        self.hold = Hold(Reason.BREAKER, self._target, why, since)
        logger.info(
            "%s is back: its deliveries go, a few at a time",
            self._target,
            extra={"action": "breaker_closed", "target": self._target},
        )

    def _close(self) -> None:
        self.stage, self.hold = Stage.CLOSED, None
        self._on_their_way.clear()
        self.trials.reset()
