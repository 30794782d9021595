"""Targets that are sent to at certain hours only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from schemas.config import Config, Window
from streams.sending.holds import Hold, Holder, Reason


def windows_of(config: Config) -> dict[str, Window]:
    """Return the windows of the targets that have one."""
    found = {name: Window.parse(target.window) for name, target in config.targets.items()}
    return {name: window for name, window in found.items() if window is not None}


class Windows(Holder):
    """Holds the targets whose window is closed."""

    reason = Reason.WINDOW

    def __init__(self, windows: Mapping[str, Window], clock: Callable[[], float]) -> None:
        """`windows` by target, only of those that have one; `clock` tells UTC seconds."""
        self._clock = clock
        self.adopt(windows)

    def adopt(self, windows: Mapping[str, Window]) -> None:
        """Hold by these windows from here on."""
        self._watched = {target: _Watched(window) for target, window in windows.items()}

    def of_line(self, target: str, route: str) -> Hold | None:
        """Return when a target's window opens; None while it is open."""
        watched = self._watched.get(target)
        if watched is None or watched.is_open(now := self._clock()):
            return None
        until = watched.until(now)
        return Hold(Reason.WINDOW, target, f"outside the window of {target}", until=until)

    def halts(self, target: str) -> bool:
        """Say whether its window is closed."""
        return self.of_line(target, "") is not None

    def standing(self) -> Iterator[Hold]:
        """Give the closed ones."""
        for target in self._watched:
            if hold := self.of_line(target, ""):
                yield hold


class _Watched:
    """A window, looked at again when it changes or the clock has jumped back."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._since = 0.0
        self._until = 0.0
        self._open = False

    def is_open(self, now: float) -> bool:
        self._look(now)
        return self._open

    def until(self, now: float) -> float:
        self._look(now)
        return self._until

    def _look(self, now: float) -> None:
        if not self._since <= now < self._until:
            self._open = self._window.is_open(now)
            self._since, self._until = now, self._window.until(now)
