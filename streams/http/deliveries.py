"""Deliveries over HTTP, CONTRACT.md section 6: one, or many at a time, and how the service is.

This decides nothing about a delivery: it keeps out who has no token, and what is too large or too
slow, and hands the rest on as it came.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from schemas.masking import hide
from streams.http.guarded import Guarded
from streams.http.refusals import DELIVERIES, Count, Refusals, nobody
from streams.http.reply import Reply
from streams.http.served import Place
from streams.http.tokens import Tokens
from streams.metrics import CONTENT_TYPE

LARGEST: Final = 2_000_000  # bytes of one request
_SLOWEST: Final = 30.0  # seconds that a sender gets for its body
_AT_ONCE: Final = 64  # bodies that are being read; others wait, unread
_PLACE: Final = Place(
    "listen", "deliveries", "Choose another address for `listen:` of target.yaml.", grace=2.0
)
_ID: Final = re.compile(r"[A-Za-z0-9._:/-]{8,200}")


class Desk(Protocol):
    """Where deliveries are handed in; called in the event loop."""

    def refusal(self, delivery: str) -> Reply | None:
        """Return how one is answered unread, None where it may be handed in."""

    async def one(self, body: bytes) -> Reply:
        """Answer one delivery."""

    async def many(self, body: bytes) -> Reply:
        """Answer a JSON list of deliveries, with a list."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the service is, asked for at every request.

    `unhealthy` and `unready` return why it is so; `metrics` the text of `/metrics`.
    """

    unhealthy: Callable[[], Sequence[str]]
    unready: Callable[[], Sequence[str]]
    metrics: Callable[[], str]


class Deliveries(Guarded):
    """Listens between `async with` and its end."""

    def __init__(  # noqa: PLR0913  an address, who may come, whom they meet; the rest is for tests
        self,
        listen: str,
        token: str,
        desk: Desk,
        condition: Condition,
        *,
        count: Count = nobody,
        clock: Callable[[], float] = time.monotonic,
        slowest: float = _SLOWEST,
    ) -> None:
        """Listen nowhere yet; NoAddress where `listen` is none.

        `count` is told the status of what is turned away; a body may take `slowest` seconds.
        """
        self._desk = desk
        self._condition = condition
        self._slots = asyncio.Semaphore(_AT_ONCE)
        super().__init__(
            listen,
            _PLACE,
            self._app(),
            tokens=Tokens("token", token, clock),
            refusals=Refusals(DELIVERIES, count, clock),
            largest=LARGEST,
            slowest=slowest,
        )

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/deliveries", self._one)
        app.router.add_post("/deliveries/batch", self._many)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _one(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        return body if isinstance(body, web.Response) else _response(await self._desk.one(body))

    async def _many(self, request: web.Request) -> web.Response:
        body = await self._body(request)
        return body if isinstance(body, web.Response) else _response(await self._desk.many(body))

    async def _body(self, request: web.Request) -> bytes | web.Response:
        """Read the body, or say why not."""
        if (answer := self.stranger(request)) is not None:
            return answer
        named = request.headers.get("Idempotency-Key", "")
        if (refusal := self._desk.refusal(named if _ID.fullmatch(named) else "")) is not None:
            return _response(refusal)
        async with self._slots:
            return await self.body(request)

    async def _healthz(self, _: web.Request) -> web.Response:
        reasons = [hide(each) for each in self._condition.unhealthy()]
        said = {"status": "failing" if reasons else "ok", "reasons": reasons}
        return web.json_response(said, status=503 if reasons else 200)

    async def _readyz(self, _: web.Request) -> web.Response:
        reasons = [hide(each) for each in self._condition.unready()]
        status = 503 if reasons else 200
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=status)

    async def _metrics(self, _: web.Request) -> web.Response:
        text = hide(self._condition.metrics()).encode()
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})


def _response(reply: Reply) -> web.Response:
    return web.json_response(reply.body, status=reply.status, headers=reply.headers)
