"""What an HTTP service of ours is between its start and its end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from streams.http import address
from streams.http.connections import MOST, Connections

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service listens: the key in its file, what it serves, what to do where that fails.

    `grace` is seconds that open requests get at the end, `idle` seconds that a connection may be
    kept open, `most` how many may be. Where it is `shared`, the kernel shares connections out
    among processes.
    """

    key: str
    serves: str
    hint: str = ""
    grace: float = 1.0
    idle: float = 75.0
    most: int = MOST
    shared: bool = False


class Served(AbstractAsyncContextManager["Served"]):
    """Listens between `async with` and its end; does nothing where `listen` is empty."""

    def __init__(self, listen: str, place: Place, app: web.Application) -> None:
        """Listen nowhere yet; NoAddress where `listen` is none."""
        self._address = address.parse(listen) if listen.strip() else None
        self._place = place
        self._connections = Connections(place.most)
        app.middlewares.append(self._connections.watch)
        self._listener: asyncio.Server | None = None
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=place.grace, keepalive_timeout=place.idle
        )

    @property
    def port(self) -> int:
        """The port, also where any free one was asked for; 0 where nothing listens."""
        sockets = self._listener.sockets if self._listener is not None else ()
        return int(sockets[0].getsockname()[1]) if sockets else 0

    async def __aenter__(self) -> Self:
        """Listen; AddressTaken where somebody else does."""
        if self._address is None:
            return self
        await self._runner.setup()
        server = self._runner.server
        assert server is not None  # noqa: S101  after `setup`
        host, port = self._address
        place = self._place
        try:
            self._listener = await asyncio.get_running_loop().create_server(
                lambda: self._connections.another(server), host, port, reuse_port=place.shared
            )
        except OSError as error:
            await self._runner.cleanup()
            raise address.AddressTaken(
                f"{place.key}: {error.strerror or error}", hint=place.hint
            ) from error
        logger.info("%s on port %d", place.serves, self.port, extra={"action": "listening"})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish what is being answered, and listen no more."""
        if self._listener is not None:
            self._listener.close()
        await self._runner.cleanup()
