"""What goes on for ever beside the records, turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress


async def keep_on(
    turn: Callable[[], Awaitable[float]], wake: asyncio.Event, breath: float = 0.0
) -> None:
    """Take turns for ever: each returns the seconds to rest, which `wake` cuts short.

    What wakes it is let rest for `breath` seconds, where it comes in swarms.
    """
    while True:
        wake.clear()
        pause = await turn()
        with suppress(TimeoutError):  # nothing woke it: then it is time
            async with asyncio.timeout(pause):
                await wake.wait()
                await asyncio.sleep(breath)
