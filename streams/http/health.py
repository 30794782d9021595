"""Health over HTTP: is the process alive, does it take part, what are its figures.

`/healthz` answers as long as the event loop turns; `/readyz` says what is missing; `/metrics`
is Prometheus text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from schemas.masking import hide
from streams.http.served import Place, Served
from streams.metrics import CONTENT_TYPE

_PLACE: Final = Place("health.listen", "health")


class Health(Served):
    """Listens between `async with` and its end; does nothing where `listen` is empty.

    `reasons` returns why the process does not take part yet, nothing where it does. `metrics`
    returns the text of `/metrics`. Both are called in the event loop, at every request.
    """

    def __init__(
        self, listen: str, reasons: Callable[[], Sequence[str]], metrics: Callable[[], str]
    ) -> None:
        """Listen nowhere yet; NoAddress where `listen` is none."""
        self._reasons = reasons
        self._metrics = metrics
        super().__init__(listen, _PLACE, self._app())

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
