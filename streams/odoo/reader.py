"""Asks Odoo without holding up the event loop: odoorpc blocks, so each call has a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Final

from streams.filling.reads import Ask, Away, Faulty, Records
from streams.odoo.client import Client
from streams.odoo.connection import TIMEOUT

_LONGEST: Final = 4 * TIMEOUT  # seconds of one call: one that trickles meets no other bound

Answer = Records | Faulty | Away


class Reader:
    """Reads records, one call at a time; without `source.odoo` it is as if Odoo were away."""

    def __init__(self, settings: Mapping[str, str], lang: str, longest: float = _LONGEST) -> None:
        """Call nobody yet: `settings` are of `source.odoo`, or empty; `longest` is in seconds."""
        self._settings = settings
        self._lang = lang
        self._longest = longest
        self._client = Client(settings, lang)

    async def read(self, ask: Ask) -> Answer:
        """Ask once; trouble is an answer, never an exception."""
        if not self._settings:
            return Away("source.odoo is not set in sync.yaml", unauthorised=True)
        client = self._client
        try:
            async with asyncio.timeout(self._longest):
                return await _in_thread(lambda: client.read(ask))
        except TimeoutError:
            self._client = Client(self._settings, self._lang)  # the other may be busy for ever
            return Away("no answer in time")


async def _in_thread(work: Callable[[], Answer]) -> Answer:
    """Run something in a thread of its own that no end of the process waits for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def tell(answer: Answer | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        elif answer is not None:
            done.set_result(answer)

    def run() -> None:
        answer, error = None, None
        try:
            answer = work()
        except BaseException as raised:  # noqa: BLE001  raised again where it is awaited
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, answer, error)

    threading.Thread(target=run, name="odoo", daemon=True).start()
    return await done
