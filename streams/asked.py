"""Whether somebody wants the file to be read again: SIGHUP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Asked:
    """SIGHUP, from the very start of the process on; none is missed."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self._asked = False
        self._wake: Callable[[], object] = int

    def __call__(self, *_: object) -> None:
        """Ask; for signal handlers."""
        self._asked = True
        self._wake()

    async def wait(self) -> None:
        """Return when somebody has asked since the last time."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(event.set)

        self._wake = wake
        if not self._asked:
            await event.wait()
        self._asked = False
