"""Whether deliveries go to a target: a circuit breaker for each, beside the gate.

It opens after five failures in a row from three or more chains. A failure is an attempt that
counts, a target's `retry`, an acknowledgement that did not come; a success is the target's own
word or, where its terms ask for none, WSO2's 202. Where a word is asked for, a 202 says that WSO2
is well, not that the target is.

While it is open attempts do not count, and one delivery is tried at a time, after a failure one
of another chain, with pauses that double. When a trial has succeeded two may be on their way,
and one more for every success: twice as many with every answer time, until there are so many
that nobody need count, or until none has had to wait for some seconds. All of it is memory: a
worker that starts learns it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, assert_never

from schemas.keys import Chain, DeliveryId
from streams.chains.item import Item, target_of
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.sending.holds import Hold, Holder, Reason
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
_GRACE: Final = 60.0  # seconds beyond what an answer and a word may take

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
        self.thirsty = False  # nothing of its target is at hand: its send queue may be read

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
        since = self.hold.since if self.hold is not None else self._clock()
        self.hold = Hold(Reason.BREAKER, self._target, f"{self._target} fails: {why}", since)
        logger.warning(
            "%s fails: its deliveries wait",
            self._target,
            extra={"action": "breaker_opened", "target": self._target, "reason": why},
        )

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


class Breakers(Holder):
    """The breakers of all targets."""

    reason = Reason.BREAKER

    def __init__(
        self,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        timeout: float,
        opened: Callable[[str], None],
    ) -> None:
        """`clock` tells UTC seconds; a call takes up to `timeout`; `opened` is told a target."""
        self._clock = clock
        self._monotonic = monotonic
        self._timeout = timeout
        self._opened = opened
        self._breakers: dict[str, Breaker] = {}

    def of(self, target: str) -> Breaker:
        """Return a target's."""
        if target not in self._breakers:
            self._breakers[target] = Breaker(target, self._clock, self._monotonic)
        return self._breakers[target]

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return why a target gets nothing at the moment."""
        breaker = self._breakers.get(target)
        return breaker.hold if breaker is not None and breaker.holds else None

    def halts(self, target: str) -> bool:
        """Say whether its send queue rests: as long as there is something to try at hand."""
        breaker = self._breakers.get(target)
        return breaker is not None and breaker.stage is not Stage.CLOSED and not breaker.thirsty

    def standing(self) -> Iterator[Hold]:
        """Give what is held by those that are not closed."""
        for breaker in self._breakers.values():
            if breaker.hold is not None:
                yield breaker.hold

    def stages(self) -> dict[str, Stage]:
        """Return the stages of all targets that something was sent to."""
        return {target: breaker.stage for target, breaker in self._breakers.items()}

    def troubled(self) -> list[tuple[str, Breaker]]:
        """Return those that are not closed."""
        return [b for b in self._breakers.items() if b[1].stage is not Stage.CLOSED]

    def is_open(self, target: str) -> bool:
        """Say whether a target's attempts do not count."""
        breaker = self._breakers.get(target)
        return breaker is not None and breaker.stage is Stage.OPEN

    def is_trial(self, delivery_id: DeliveryId) -> bool:
        """Say whether a target is being tried with a delivery."""
        breaker = self._breakers.get(target_of(delivery_id))
        return breaker is not None and breaker.trials.under_way == delivery_id

    def patience(self, item: Item) -> float:
        """Return the seconds in which something has become of an item that goes."""
        return self._timeout + (item.terms.ack_timeout if item.awaits_word else 0.0) + _GRACE

    def take(self, item: Item) -> None:
        """Count an item that goes."""
        if (breaker := self._breakers.get(item.target)) is not None:
            breaker.take(item.id, self.patience(item))

    def counts_on(self, item: Item) -> bool:
        """Say whether an item is among those that are counted."""
        breaker = self._breakers.get(item.target)
        return breaker is not None and breaker.counts_on(item.id)

    def drop(self, item: Item) -> None:
        """Count no longer on an item, of which nothing can be told."""
        if (breaker := self._breakers.get(item.target)) is not None:
            breaker.drop(item.id)

    def note(self, item: Item, outcome: Outcome) -> Outcome:
        """Take in what became of an attempt; return it as it counts."""
        breaker = self.of(item.target)
        match outcome:
            case Accepted() if item.awaits_word:
                breaker.pass_wso2()
            case Accepted():
                breaker.succeed(item.id)
            case Unavailable(counted=True, why=why):
                was_open = breaker.stage is Stage.OPEN
                self._fail(breaker, item, why, at_wso2=True, asked=outcome.retry_after)
                return replace(outcome, counted=False) if was_open else outcome
            case Unavailable() | Unauthorised() | Refused():
                breaker.drop(item.id)
            case _:
                assert_never(outcome)
        return outcome

    def ask_again(self, item: Item, why: str, asked: float | None = None) -> bool:
        """Take in that a target has not done with what WSO2 took; say whether that counts."""
        breaker = self.of(item.target)
        was_open = breaker.stage is Stage.OPEN
        self._fail(breaker, item, why, at_wso2=False, asked=asked)
        return not was_open

    def forget(self) -> None:
        """Count on no delivery any more: another worker may have it."""
        for breaker in self._breakers.values():
            breaker.forget()

    def _fail(
        self, breaker: Breaker, item: Item, why: str, *, at_wso2: bool, asked: float | None
    ) -> None:
        before = breaker.stage
        breaker.fail(item, why, at_wso2=at_wso2, asked=asked)
        if before is not Stage.OPEN and breaker.stage is Stage.OPEN:
            self._opened(item.target)
