"""What may go, and what is learnt from what became of it: gate, breakers and windows together.

Every attempt asks here before it begins and tells here how it ended; so does the timer, of the
acknowledgements that came or did not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Protocol

from schemas.acknowledgement import Acknowledgement
from schemas.config import Window
from schemas.delivery import Delivery
from schemas.keys import DeliveryId
from streams.chains.acknowledgements import reason
from streams.chains.item import Item
from streams.chains.outcome import Outcome, seconds_until
from streams.metrics import Meter
from streams.sending.breakers import Breakers
from streams.sending.gate import Gate
from streams.sending.holds import Hold, Holds, Reason
from streams.sending.pauses import Pauses
from streams.sending.windows import Windows


class Traffic(Protocol):
    """The send queues."""

    def follow(self, halts: Callable[[str], bool]) -> None:
        """Read exactly those queues whose target does not halt."""


class Permits:
    """Says whether deliveries may go, and halts the send queues that need not be read."""

    def __init__(
        self,
        windows: Mapping[str, Window],
        traffic: Traffic,
        meter: Meter,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        timeout: float,
    ) -> None:
        """Begin with everything open but `windows`; a call takes up to `timeout` seconds."""
        self._traffic = traffic
        self._meter = meter
        self.gate = Gate(monotonic, clock)
        self.breakers = Breakers(clock, monotonic, timeout, self._opened)
        self.pauses = Pauses()
        self._windows = Windows(windows, clock)
        self.holds = Holds(self.pauses, self._windows, self.gate, self.breakers)

    def hold_of(self, delivery: Delivery) -> Hold | None:
        """Return why a delivery may not go; None where it may."""
        return self.holds.of(delivery)

    def claim(self, item: Item) -> bool:
        """Say whether an item may go; if so it is counted on, until `note` or `drop`."""
        if self.holds.of(item.delivery) is not None:
            return False
        self.breakers.take(item)
        return True

    def grant(self, item: Item) -> bool:
        """Say whether an attempt may begin at this moment: what was claimed may not any more."""
        if self.claim(item):
            return True
        if self.is_trial(item.id):
            return self._may(item, Reason.BREAKER, Reason.WSO2)
        return self.breakers.counts_on(item) and self._may(item, Reason.BREAKER)

    def _may(self, item: Item, *but: Reason) -> bool:
        line = self.holds.of_line(item.target, item.route, but=but)
        return line is None and self.holds.of_id(item.id) is None

    def is_trial(self, delivery_id: DeliveryId) -> bool:
        """Say whether a delivery is the one that the gate or a breaker is tried with."""
        return self.gate.trials.under_way == delivery_id or self.breakers.is_trial(delivery_id)

    def drop(self, item: Item) -> None:
        """Count no longer on an item of which nothing was sent."""
        self.gate.drop(item.id)
        self.breakers.drop(item)

    def note(self, item: Item, outcome: Outcome) -> Outcome:
        """Take in what became of an attempt; return it as it counts."""
        was = self.gate.why
        outcome = self.gate.note(item, outcome)
        if self.gate.why != was:
            if self.gate.closed:
                self._meter.count("gate_closed", self.gate.why)
            self.enforce()
        return self.breakers.note(item, outcome)

    def missed(self, item: Item) -> bool:
        """Take in that no acknowledgement came in time; say whether the attempt counts.

        It does not while the target fails, or WSO2 is away, by which words may come.
        """
        if self.gate.closed:
            self.breakers.drop(item)
            return False
        return self.breakers.ask_again(item, "no acknowledgement in time")

    def heard(self, item: Item, word: Acknowledgement, now: float) -> bool:
        """Take in a word that changes an item; say whether the attempt counts.

        "Too early" is a target's word on this one record, as a rejection is: others may go.
        """
        if word.status != "retry" or word.http_status == HTTPStatus.TOO_EARLY:
            self.breakers.of(item.target).succeed(item.id)
            return True
        return self.breakers.ask_again(item, reason(word), seconds_until(word.retry_after, now))

    def look(self) -> None:
        """Do what is due of it by itself: alarms, trials that were lost."""
        if self.gate.trials.lost():
            self.gate.trials.failed()
        for _, breaker in self.breakers.troubled():
            breaker.look()
        self.enforce()

    def enforce(self) -> None:
        """Halt the send queues that are not to be read, and no others."""
        self._traffic.follow(self.holds.halts)

    def adopt(self, windows: Mapping[str, Window], timeout: float) -> None:
        """Go by other windows, and another timeout of a call; what was learnt stays."""
        self._windows.adopt(windows)
        self.breakers.timeout = timeout
        self.enforce()

    def forget(self) -> None:
        """Count on no delivery any more: another worker may have it."""
        self.gate.trials.said_nothing()
        self.breakers.forget()

    def _opened(self, target: str) -> None:
        self._meter.count("breaker_opened", target)
        self.enforce()
