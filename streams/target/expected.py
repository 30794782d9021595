"""Records on their way that a delivery refers to: one that comes before them waits a little.

An order and its customer leave in one transaction and travel side by side. Without this an order
that arrives first would come again after the first wait of its target's schedule only.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

PATIENCE: Final = 2.0  # seconds; well within what WSO2 gives a target
MOST: Final = 32  # deliveries that wait so; the others are to come again


class Expected:
    """Who waits for which names; lives in one event loop."""

    def __init__(self, patience: float = PATIENCE, most: int = MOST) -> None:
        """Expect nothing yet; `patience` is in seconds."""
        self._patience = patience
        self._most = most
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._count = 0

    def note(self, names: Iterable[str]) -> None:
        """Let those go on that wait for one of these, whose record is there."""
        for name in names:
            for each in self._waiting.get(name, ()):
                each.set()

    async def came(self, names: frozenset[str]) -> bool:
        """Wait for one of these; return whether to look again.

        At the end of its patience too: it may have come before the wait began.
        """
        if not names or self._count >= self._most:
            return False
        event = asyncio.Event()
        self._count += 1
        for name in names:
            self._waiting[name].add(event)
        try:
            async with asyncio.timeout(self._patience):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._count -= 1
            for name in names:
                self._waiting[name].discard(event)
                if not self._waiting[name]:
                    del self._waiting[name]
        return True
