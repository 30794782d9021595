"""Keeps programs running: starts again what may be started again, and stops all for a reason.

Exit codes decide (CONTRACT, section 1): a program that a service was missing for, that was
killed, or that ended itself because it stood still is started again after a pause; one that
stopped to protect data, or that its file is wrong for, stops the others.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

logger = logging.getLogger(__name__)

AGAIN: Final = frozenset({0, 3, 70, 75, 76})  # 0: somebody stopped that program alone
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the 1st, 2nd ... new start
_SETTLED: Final = 60.0  # seconds after which a program counts as running
GRACE: Final = 120.0  # seconds to finish what is in hand; longer than any batch
_LOOK: Final = 5.0  # seconds, where no signal comes


class Child(Protocol):
    """A started program, as `subprocess.Popen` is one."""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs; negative: the signal that ended it."""

    def terminate(self) -> None:
        """Ask it to finish what is in hand."""

    def kill(self) -> None:
        """End it at once."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""


@dataclass(slots=True)
class Kept:
    """One program that is kept running."""

    name: str
    start: Callable[[], Child]
    child: Child | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0

    def launch(self, now: float) -> None:
        """Start it."""
        self.child = self.start()
        self.started = now

    def ended(self) -> int | None:
        """Return the exit code of one that has just ended."""
        return None if self.child is None else self.child.poll()

    def again(self, now: float) -> float:
        """Plan the next start; return the seconds until then."""
        self.failures = 0 if now - self.started > _SETTLED else self.failures
        pause = PAUSES[min(self.failures, len(PAUSES) - 1)]
        self.failures += 1
        self.child, self.due = None, now + pause
        return pause


def may_start_again(code: int) -> bool:
    """Say whether a program that ended with `code` is started again; negative is a signal."""
    return code < 0 or code in AGAIN


class Signals(Protocol):
    """Where the supervisor waits."""

    stopping: int
    hangups: int

    def wait(self, seconds: float) -> None:
        """Wait until a signal comes, `seconds` at most."""


class Supervisor:
    """Runs until it is told to stop, or until a program must not go on."""

    def __init__(
        self,
        programs: Sequence[Kept],
        signals: Signals,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start nothing yet."""
        self._programs = programs
        self._signals = signals
        self._clock = clock
        self._passed_on = 0

    def run(self) -> int:
        """Keep the programs running; return 0, or the code of the one that must not go on."""
        code = 0
        try:
            while not self._signals.stopping:
                self._start_due()
                self._signals.wait(self._patience())
                self._pass_on()
                if code := self._reap():
                    break
        finally:
            self._stop()
        return code

    def _start_due(self) -> None:
        now = self._clock()
        for kept in self._programs:
            if kept.child is None and kept.due <= now:
                kept.launch(now)
                logger.info("%s started", kept.name, extra={"action": "started"})

    def _pass_on(self) -> None:
        """Have the programs read their file again; one that is not there reads it at its start."""
        if self._signals.hangups == self._passed_on:
            return
        self._passed_on = self._signals.hangups
        for kept in self._programs:
            if kept.child is not None:
                kept.child.send_signal(signal.SIGHUP)
        logger.info("the programs read the file again", extra={"action": "hangup"})

    def _patience(self) -> float:
        now = self._clock()
        waits = [kept.due - now for kept in self._programs if kept.child is None]
        return max(0.0, min([_LOOK, *waits]))

    def _reap(self) -> int:
        """Plan new starts; return the code of a program that must not be started again, or 0."""
        for kept in self._programs:
            code = kept.ended()
            if code is None or self._signals.stopping:
                continue
            if not may_start_again(code):
                logger.critical(
                    "%s ended with exit code %d: stopping all; what it said is above",
                    kept.name,
                    code,
                    extra={"action": "fatal", "program": kept.name, "code": code},
                )
                kept.child = None
                return code
            pause = kept.again(self._clock())
            logger.warning(
                "%s ended (%s): starting it again in %.0f s",
                kept.name,
                _described(code),
                pause,
                extra={"action": "restart", "program": kept.name, "code": code},
            )
        return 0

    def _stop(self) -> None:
        """Let all finish what is in hand; at the second signal, or in the end, kill."""
        running = [k.child for k in self._programs if k.child and k.child.poll() is None]
        for child in running:
            child.terminate()
        deadline, asked = self._clock() + GRACE, self._signals.stopping
        while any(child.poll() is None for child in running):
            if self._clock() > deadline or self._signals.stopping > max(asked, 1):
                for child in running:
                    child.kill()
            self._signals.wait(0.2)


def _described(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


@dataclass(slots=True)
class OsSignals:
    """SIGTERM and SIGINT stop, SIGHUP is counted; SIGCHLD wakes."""

    stopping: int = 0
    hangups: int = 0
    _pipe: tuple[int, int] = field(default_factory=os.pipe)

    def wait(self, seconds: float) -> None:
        """Wait until a signal comes, `seconds` at most."""
        if select.select([self._pipe[0]], [], [], seconds)[0]:
            os.read(self._pipe[0], 4096)

    def stop(self, *_: object) -> None:
        """Stop; called a second time, kill."""
        self.stopping += 1

    def hang_up(self, *_: object) -> None:
        """Have the file read again."""
        self.hangups += 1

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Catch the signals within a block."""
        for end in self._pipe:
            os.set_blocking(end, False)
        former = {
            number: signal.signal(number, handler)
            for number, handler in (
                (signal.SIGTERM, self.stop),
                (signal.SIGINT, self.stop),
                (signal.SIGHUP, self.hang_up),
                (signal.SIGCHLD, lambda *_: None),
            )
        }
        wakeup = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in former.items():
                signal.signal(number, handler)
            for end in self._pipe:
                os.close(end)
