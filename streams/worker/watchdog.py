"""Ends a worker that stands still: a thread of its own, since a stuck loop cannot watch itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.errors import DataAtRisk, ServiceUnavailable
from streams.worker.exits import NO_PROGRESS, STUCK


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at Kafka and at the worker shows.

    `lag` is the number of records not yet done in the partitions that the worker owns and reads;
    `marks` is anything that changes when some are done: batches, committed offsets. What is sent
    again is no sign that anybody reads.
    """

    lag: int
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: without a tick of the event loop, without progress, and between two looks."""

    tick: float = 30.0
    progress: float = 60.0
    pause: float = 2.0


@dataclass(slots=True)
class Progress:
    """Since when nothing has changed although there is work. Pure: the time is given."""

    limit: float
    _marks: tuple[int, ...] | None = None
    _since: float | None = None

    def is_spent(self, look: Look | None, now: float) -> bool:
        """Take in a look, None where Kafka is away; say whether the limit has passed."""
        if look is None or not look.lag or look.marks != self._marks or self._since is None:
            self._marks = look.marks if look else None
            self._since = now
            return False
        return now - self._since > self.limit


@dataclass(slots=True)
class Watchdog:
    """Calls `die(code, why)` when the event loop or the work stands still.

    `look` may block and raise ServiceUnavailable (Kafka is away: that is nobody's standing
    still) or DataAtRisk (ends the process with its own code).
    """

    look: Callable[[], Look]
    beat: Callable[[], object]  # says that the process runs
    die: Callable[[int, str], object]
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.monotonic
    _tick: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Watch, on a daemon thread."""
        self._tick = self.clock()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def tick(self) -> None:
        """Say that the event loop turns; it does so twice a second."""
        self.beat()
        self._tick = self.clock()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()

    def _run(self) -> None:
        threading.Thread(target=self._watch_loop, name="watchdog-loop", daemon=True).start()
        progress = Progress(self.patience.progress)
        while not self._stop.wait(self.patience.pause):
            self._watch_work(progress)

    def _watch_loop(self) -> None:
        while not self._stop.wait(min(1.0, self.patience.tick / 4)):
            self.beat()
            silent = self.clock() - self._tick
            if silent > self.patience.tick:
                self.die(STUCK, f"the event loop has stood still for {silent:.0f} s")

    def _watch_work(self, progress: Progress) -> None:
        try:
            look = self.look()
        except ServiceUnavailable:
            progress.is_spent(None, self.clock())
        except DataAtRisk as error:
            self.die(error.exit_code, f"{error}; hint: {error.hint}")
        else:
            if progress.is_spent(look, self.clock()):
                self.die(
                    NO_PROGRESS,
                    f"{look.lag} records wait and nothing has moved for"
                    f" {self.patience.progress:.0f} s",
                )
