"""The breakers of all targets, as the one who holds back what goes to those that fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, assert_never

from schemas.keys import DeliveryId
from streams.chains.item import Item, target_of
from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable
from streams.sending.breaker import Breaker, Stage
from streams.sending.holds import Hold, Holder, Reason

_GRACE: Final = 60.0  # seconds beyond what an answer and a word may take


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
        self.timeout = timeout
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
        return self.timeout + (item.terms.ack_timeout if item.awaits_word else 0.0) + _GRACE

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
