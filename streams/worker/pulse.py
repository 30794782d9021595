"""Ends a worker that did not run for so long that others may have its partitions.

A process that is frozen (SIGSTOP, a virtual machine that is moved, a lid that is closed) knows
nothing of it when it goes on, in the midst of whatever it did: its group has given its partitions
away meanwhile, and what it writes or sends next would come between what the other worker does.
So every write and every call asks first how long ago anything of this process ran.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from schemas.delivery import Delivery
from streams.chains.outcome import Outcome
from streams.sending.calls import Sender
from streams.worker.exits import STUCK, die

# Where there is one that goes on while the machine sleeps, that one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed() -> float:
    """Return seconds that never go back, a machine's sleep included where it can be known."""
    return time.clock_gettime(_CLOCK)


class Pulse:
    """Takes a beat from any thread, and calls `die` for one that comes too late."""

    def __init__(
        self,
        limit: float,
        die: Callable[[int, str], object] = die,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        """`limit`: seconds after which the partitions may be somebody else's.

        Nothing is late before `start`.
        """
        self._limit = limit
        self._die = die
        self._clock = clock
        self._last: float | None = None

    def start(self) -> None:
        """Expect beats from here on: who watches begins, and partitions may come."""
        self._last = self._clock()

    def beat(self) -> None:
        """Say that the process runs, before anything that only an owner may do."""
        if self._last is None:
            return
        now = self._clock()
        silent = now - self._last
        if silent > self._limit:
            self._die(
                STUCK,
                f"this process did not run for {silent:.0f} s:"
                " others may have its partitions; hint: start the worker again",
            )
        self._last = now  # only then: no other thread may take the silence for over


@dataclass(frozen=True, slots=True)
class WhileAlive:
    """A sender that sends nothing once the pulse has stopped."""

    sender: Sender
    beat: Callable[[], object]

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        """Make one attempt; see `Sender`."""
        self.beat()
        return await self.sender.send(delivery, attempt)
