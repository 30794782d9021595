"""How many connections a service holds, and which one gives way to another.

Descriptors are few. Without a bound, whoever opens connections and says nothing takes them all:
nobody else is let in, and nothing that the service itself wants to open can be opened.
"""

from __future__ import annotations

import asyncio
from itertools import chain, islice
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

MOST: Final = 256  # with what one turn of the loop lets in, well below 1,024, the usual limit


class Connections:
    """Knows which connections have asked anything, and which are being answered."""

    def __init__(self, most: int) -> None:
        """Hold `most` connections, and those above that are being answered."""
        self._most = most
        self._answered: set[web.RequestHandler] = set()
        self._idle: dict[web.RequestHandler, None] = {}  # the longest idle first

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that a whole head has come, and when it has been answered."""
        connection = request.protocol
        self._idle.pop(connection, None)
        self._answered.add(connection)
        try:
            return await handler(request)
        finally:
            self._answered.discard(connection)
            self._idle[connection] = None

    def another(self, server: web.Server) -> web.RequestHandler:
        """Let one more in; what has not said a whole head longest goes first, then what is idle.

        What is being answered never goes.
        """
        # Of those that come in one turn of the loop, each is to know of the ones before it.
        asyncio.get_running_loop().call_soon(self._give_way, server)
        return server()

    def _give_way(self, server: web.Server) -> None:
        held = [each for each in server.connections if each.transport is not None]
        self._idle = {each: None for each in self._idle if each.transport is not None}
        if len(held) < self._most:
            return
        silent = (e for e in held if e not in self._answered and e not in self._idle)
        for one in islice(chain(silent, self._idle), 1):
            one.force_close()
