"""The simulator in a thread of its own, and how many transactions it has committed."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import psycopg

from embedded.demo.errors import DemoError
from embedded.odoo.simulator import Simulator, Step

BULK = 100
"""Records that a mass edit takes: more would hide everything else for a while."""


class Load:
    """Plays transactions from `start` to `stop`."""

    def __init__(self, dsn: str, seed: int, rate: float) -> None:
        """Prepare it; `rate` is transactions a second."""
        self.rate = rate
        self.commits = 0
        self.kinds: dict[str, int] = {}
        self._dsn = dsn
        self._seed = seed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self._error: psycopg.Error | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, after the transaction at hand."""
        self.stop()

    def stop(self) -> None:
        """End, after the transaction at hand."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise what ended it before its time."""
        if self._error:
            raise DemoError(f"the simulator cannot go on: {self._error}") from self._error

    def _run(self) -> None:
        try:
            with Simulator(self._dsn, self._seed, bulk=BULK) as simulator:
                simulator.run(self.rate, float("inf"), each=self._count, stop=self._stop)
        except psycopg.Error as error:
            self._error = error

    def _count(self, step: Step) -> None:
        self.commits += step.commit is not None
        self.kinds[step.kind] = self.kinds.get(step.kind, 0) + 1
