"""Names that only one at a time may hold: first come, first served, several names together.

Who comes stands in the queue of each of its names at once, and has its turn when it is the first
in all of them. So of any two that want a name in common one is behind the other everywhere, and
they never wait for each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class Holding:
    """The names that are held, and those who wait for them, in one event loop."""

    def __init__(self) -> None:
        """Hold nothing."""
        # The queue of a name: a dict, as one that gives up leaves it from the middle.
        self._queues: dict[str, dict[_Turn, None]] = {}

    def __len__(self) -> int:
        """How many names are held or waited for."""
        return len(self._queues)

    @asynccontextmanager
    async def held(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold all these names inside; who is cancelled while it waits leaves nothing behind."""
        turn = _Turn(frozenset(names))
        for name in turn.names:
            self._queues.setdefault(name, {})[turn] = None
        try:
            if not self._is_first(turn):
                await turn.come.wait()
            yield
        finally:
            self._leave(turn)

    def _is_first(self, turn: _Turn) -> bool:
        return all(next(iter(self._queues[name])) is turn for name in turn.names)

    def _leave(self, turn: _Turn) -> None:
        following = set()
        for name in turn.names:
            queue = self._queues[name]
            del queue[turn]
            if queue:
                following.add(next(iter(queue)))
            else:
                del self._queues[name]
        for each in following:
            if self._is_first(each):
                each.come.set()


class _Turn:
    """One that holds its names, or waits for them."""

    __slots__ = ("come", "names")

    def __init__(self, names: frozenset[str]) -> None:
        self.names = names
        self.come = asyncio.Event()
