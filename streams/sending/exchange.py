"""A sender that can be exchanged for another while deliveries are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from schemas.config import Config
from schemas.delivery import Delivery
from streams.chains.outcome import Outcome
from streams.sending.calls import Sender

OpenSender = Callable[[Config], AbstractAsyncContextManager[Sender]]


@dataclass(slots=True)
class Opened:
    """A sender, and how many attempts it makes at the moment."""

    sender: Sender
    owner: AbstractAsyncContextManager[Sender]
    calls: int = 0
    left: bool = False  # another one has taken its place


class Exchange:
    """Sends with one sender, then with another; each ends what it has begun."""

    def __init__(self, opens: OpenSender) -> None:
        """Have no sender yet: `adopt` one before the first attempt."""
        self._opens = opens
        self._used: Opened | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def open(self, config: Config) -> Opened:
        """Open the sender of a file; raises what the sender raises, BadTls for instance."""
        owner = self._opens(config)
        return Opened(await owner.__aenter__(), owner)

    def adopt(self, opened: Opened) -> None:
        """Send with this one from here on; the former one is closed after its last attempt."""
        before, self._used = self._used, opened
        if before is not None:
            before.left = True
            self._close_idle(before)

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        """Make one attempt; see `Sender`."""
        used = self._used
        if used is None:
            raise RuntimeError("no sender was opened")
        used.calls += 1
        try:
            return await used.sender.send(delivery, attempt)
        finally:
            used.calls -= 1
            self._close_idle(used)

    async def close(self) -> None:
        """Close all; nothing may be sent any more."""
        if self._used is not None:
            used, self._used = self._used, None
            await _close(used)
        while self._closing:
            await asyncio.wait(self._closing)

    def _close_idle(self, opened: Opened) -> None:
        if opened.left and not opened.calls:
            task = asyncio.create_task(_close(opened), name="close a sender")
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)


async def _close(opened: Opened) -> None:
    await opened.owner.__aexit__(None, None, None)
