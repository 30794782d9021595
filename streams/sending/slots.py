"""So many calls at a time, and another number when it is to be so."""

from __future__ import annotations

import asyncio


class Slots:
    """Given out in the order in which they are asked for."""

    def __init__(self, number: int) -> None:
        """Have so many."""
        self._free = asyncio.Semaphore(number)
        self._number = number
        self._owed = 0  # that are not free again once they come back

    async def take(self) -> None:
        """Wait for one."""
        await self._free.acquire()

    def give_back(self) -> None:
        """Let another have it."""
        if self._owed:
            self._owed -= 1
        else:
            self._free.release()

    async def resize(self, number: int) -> None:
        """Have so many from here on; of those that are taken none is taken away. At once."""
        more, self._number = number - self._number, number
        for _ in range(more):
            self.give_back()
        for _ in range(-more):
            if self._free.locked():
                self._owed += 1
            else:
                await self._free.acquire()  # one is free: nothing is waited for
