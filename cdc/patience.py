"""How long capture waits: for who is away, and for what is in hand when it is to end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.errors import ServiceUnavailable

Answer = TypeVar("Answer")

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds between attempts to connect
_SPREAD: Final = 0.5  # of a pause is random: not all that lost a server come back at once
_PIECE: Final = 0.1
IN_HAND: Final = 1.5  # seconds that a transaction may take still when capture is to end ...
DURABLE: Final = 1.0  # ... and what was published before it, until it is durable


class Stopped(Exception):
    """Capture was told to stop while it waited for somebody, or in the midst of much work."""


@dataclass(slots=True)
class Backoff:
    """Pauses that grow with each failure; `chance` gives numbers from 0 to 1."""

    chance: Callable[[], float] = random.random
    failures: int = 0

    def rest(self, ended: Callable[[], bool]) -> None:
        """Wait until the next attempt, or until it has ended."""
        deadline = time.monotonic() + self.next()
        while not ended() and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, _PIECE))  # a signal ends it

    def next(self) -> float:
        """Return the seconds until the next attempt."""
        pause = PAUSES[min(self.failures, len(PAUSES) - 1)]
        self.failures += 1
        return pause * (1 - _SPREAD * self.chance())


def patiently(ask: Callable[[], Answer], say: Callable[[Exception], object]) -> Answer:
    """Return what a server answers, asked again while it is away; what ends capture is raised."""
    backoff = Backoff()
    while True:
        try:
            return ask()
        except ServiceUnavailable as error:
            if not error.passing:
                raise
            say(error)
            backoff.rest(lambda: False)


@dataclass(slots=True)
class Ending:
    """Whether capture is to end, and until when it may take; times are monotonic."""

    asked: bool = False
    _until: float = 0.0
    _interrupts: bool = False

    def ask(self, now: float) -> None:
        """Ask for the end; asked again it is as it was. Raises Stopped within `interrupts`."""
        if not self.asked:
            self.asked, self._until = True, now + IN_HAND
        if self._interrupts:
            raise Stopped

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """Have `ask` end what a block waits for: nothing is in hand there."""
        self._interrupts = True
        try:
            if self.asked:  # between the last look and here
                raise Stopped
            yield
        finally:
            self._interrupts = False

    def leave(self, now: float) -> None:
        """Begin to make durable what stands: the last that is waited for."""
        self._until = now + DURABLE

    def overdue(self, now: float) -> bool:
        """Whether what is in hand is to be left."""
        return self.asked and now > self._until
