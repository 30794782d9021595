"""Health over HTTP: is the process alive, does it take part, what are its figures.

`/healthz` answers as long as the event loop turns; `/readyz` says what is missing; `/metrics`
is Prometheus text.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Final, Self

from aiohttp import web

from schemas.masking import hide
from streams.http import address
from streams.metrics import CONTENT_TYPE

logger = logging.getLogger(__name__)

_GRACE: Final = 1.0  # seconds that open requests get at the end


class Health(AbstractAsyncContextManager["Health"]):
    """Listens between `async with` and its end; does nothing where `listen` is empty.

    `reasons` returns why the process does not take part yet, nothing where it does. `metrics`
    returns the text of `/metrics`. Both are called in the event loop, at every request.
    """

    def __init__(
        self, listen: str, reasons: Callable[[], Sequence[str]], metrics: Callable[[], str]
    ) -> None:
        """Listen nowhere yet; NoAddress where `listen` is none."""
        self._address = address.parse(listen) if listen.strip() else None
        self._reasons = reasons
        self._metrics = metrics
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=_GRACE)

    @property
    def port(self) -> int:
        """The port, also where any free one was asked for; 0 where nothing listens."""
        addresses = self._runner.addresses
        return int(addresses[0][1]) if addresses else 0

    async def __aenter__(self) -> Self:
        """Listen; AddressTaken where somebody else does."""
        if self._address is None:
            return self
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._address.host, self._address.port).start()
        except OSError as error:
            await self._runner.cleanup()
            raise address.AddressTaken(f"health.listen: {error.strerror or error}") from error
        logger.info("health on port %d", self.port, extra={"action": "listening"})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._figures)
        return app

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _readyz(self, _: web.Request) -> web.Response:
        reasons = [hide(each) for each in self._reasons()]
        status = 503 if reasons else 200
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=status)

    async def _figures(self, _: web.Request) -> web.Response:
        text = hide(self._metrics()).encode()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})
