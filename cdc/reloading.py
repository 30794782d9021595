"""The file of a running capture, read again: looked at beside the stream, taken between two runs.

What is looked at may take seconds and fail in every way; nothing has changed by then. The loop
hears of a file only when it fits, ends its epoch between two transactions and is followed by one
that is put together from that file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Protocol

from cdc.metrics import Figures
from cdc.origin import Source
from schemas.config import Config
from schemas.errors import OdooCdcError
from schemas.reload import read_again, said_refused


class Examine(Protocol):
    """Holds a file against the database, Kafka and the shadow; blocking."""

    def __call__(self, config: Config) -> Source:
        """Return what was found for it; raises what a start with it would raise."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """A file that can be taken, with what the database has for it."""

    config: Config
    source: Source


class Reloading:
    """Takes requests from a signal handler, and looks at the file on a thread of its own."""

    def __init__(self, path: Path) -> None:
        """Nothing is looked at before `follow`, but no request is lost."""
        self.taken = 0
        self.refused = 0
        self._path = path
        self._requests: SimpleQueue[None] = SimpleQueue()  # it may be put to by a signal handler
        self._config: Config
        self._examine: Examine
        self._hand_over: Callable[[], object] | None = None
        self._fitting: Fitting | None = None
        self._turn = threading.Lock()

    def ask(self, *_: object) -> None:
        """Ask for a look at the file; for signal handlers."""
        self._requests.put(None)

    def begin(self, config: Config, examine: Examine) -> None:
        """Begin with the file that is in force."""
        self._config, self._examine = config, examine

    def follow(self, hand_over: Callable[[], object]) -> None:
        """Have `hand_over` called, on another thread, when there is a file that fits."""
        with self._turn:
            first, self._hand_over = self._hand_over is None, hand_over
            if self._fitting is not None:
                hand_over()
        if first:
            threading.Thread(target=self._run, name="reload", daemon=True).start()

    def take(self, fits: Callable[[Source], object]) -> Fitting | None:
        """Return the file that is to follow, once; None where there is none.

        `fits` raises what has come up since it was looked at: then it is refused all the same.
        """
        with self._turn:
            fitting, self._fitting = self._fitting, None
            if fitting is None:
                return None
            try:
                fits(fitting.source)
            except OdooCdcError as error:
                self.refused += 1
                said_refused(error)
                return None
            self._config = fitting.config
            self.taken += 1
            return fitting

    def counted(self, figures: Figures) -> Figures:
        """Return figures with what came of the files."""
        return replace(figures, reloads_total=self.taken, reloads_refused_total=self.refused)

    def _run(self) -> None:
        while True:
            self._requests.get()
            while not self._requests.empty():  # asked again before it was read
                self._requests.get()
            self._look()

    def _look(self) -> None:
        try:
            config = read_again(self._path, self._config, worker=False)
            fitting = Fitting(config, self._examine(config))
        except OdooCdcError as error:
            self.refused += 1
            said_refused(error)
            return
        except Exception as error:  # noqa: BLE001  a thread that dies would look at nothing more
            self.refused += 1
            said_refused(Unexamined(f"{type(error).__name__}: {error}"))
            return
        with self._turn:
            self._fitting = fitting
            if self._hand_over is not None:
                self._hand_over()


class Unexamined(OdooCdcError):
    """The file could not be looked at."""

    hint = "`odoo-cdc check` looks at it alike, and shows more with ODOO_CDC_LOG_LEVEL=DEBUG."
