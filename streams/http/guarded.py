"""What an HTTP service that others write to lets in: who has the token, and what is no burden."""

from __future__ import annotations

import asyncio

from aiohttp import web

from streams.http.refusals import Refusals
from streams.http.served import Place, Served
from streams.http.tokens import Tokens


class Guarded(Served):
    """Keeps out who has no token, and bodies that are too large or too slow."""

    def __init__(  # noqa: PLR0913  where it listens, and the bounds of what it lets in
        self,
        listen: str,
        place: Place,
        app: web.Application,
        *,
        tokens: Tokens,
        refusals: Refusals,
        largest: int,
        slowest: float,
    ) -> None:
        """Let in bodies of `largest` bytes within `slowest` seconds; tell `refusals` of others."""
        super().__init__(listen, place, app)
        self._tokens = tokens
        self._refusals = refusals
        self._largest = largest
        self._slowest = slowest

    def stranger(self, request: web.Request) -> web.Response | None:
        """Answer one that is turned away by its head; None where its body may be read."""
        if not self._tokens.admit(request.headers.get("Authorization", "")):
            return self.problem(401, "no such token", {"WWW-Authenticate": "Bearer"})
        if (request.content_length or 0) > self._largest:
            return self._too_large()
        return None

    async def body(self, request: web.Request) -> bytes | web.Response:
        """Read a body, or answer why not."""
        try:
            async with asyncio.timeout(self._slowest):
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        except TimeoutError:
            return self.problem(408, f"the body did not come within {self._slowest:g} s")

    def problem(
        self, status: int, why: str, headers: dict[str, str] | None = None
    ) -> web.Response:
        """Answer with a reason, and note it."""
        self._refusals.note(status, why)
        return web.json_response({"error": why}, status=status, headers=headers)

    def _too_large(self) -> web.Response:
        return self.problem(413, f"more than {self._largest} bytes")
