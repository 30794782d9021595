"""A proxy before an Odoo, real or stand-in, that fails as told.

`faulty.next_call("load", Lost())`: faults are scripted by the method that a call names (`login`
for logins), each for one call; what is not scripted goes through.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from tests.odoo_client import Odoo
from tests.stand_ins import HOST, Answer, Close, Hold, Received, StandIn

CLOSE = Close()


@dataclass(frozen=True)
class Through:
    """Ask Odoo and hand on what it answers, after so many seconds."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Lost:
    """Ask Odoo, which does it, and then answer otherwise: by default the connection is closed."""

    then: Answer | Close = CLOSE


@dataclass(frozen=True)
class Held:
    """Ask Odoo, which does it; hand on its answer only after `release`."""


Fault = Through | Lost | Held | Close | Answer

BAD_GATEWAY = Answer(502, b"<html>Bad Gateway</html>", (("Content-Type", "text/html"),))


def conflict() -> Answer:
    """Answer as an Odoo that has tried five times to serialise a call."""
    return refused("psycopg2.errors.SerializationFailure", "could not serialize access\n")


def session_lost() -> Answer:
    """Answer as one that knows the session no more."""
    return refused("odoo.http.SessionExpiredException", "Session expired", code=100)


def refused(name: str, message: str, code: int = 200) -> Answer:
    """Answer with an error of this class."""
    said = "Odoo Session Expired" if code == 100 else "Odoo Server Error"
    data = {"name": name, "debug": "", "message": message, "arguments": [message], "context": {}}
    error = {"code": code, "message": said, "data": data}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    return Answer(200, body, (("Content-Type", "application/json"),))


class FaultyOdoo(StandIn):
    """Clients talk to it as to the Odoo behind it: see `odoo`."""

    def __init__(self, behind: Odoo) -> None:
        self._behind = behind
        self._scripts: dict[str, deque[Fault]] = defaultdict(deque)
        self.calls: list[tuple[str, str]] = []
        """(model, method) of every call of a method that came."""
        self.done: list[str] = []
        """Methods whose calls the Odoo behind has answered: wait for them with `until`."""
        super().__init__(otherwise=Through())

    @property
    def odoo(self) -> Odoo:
        """Return where clients go; everything else is that of the Odoo behind it."""
        return self._behind._replace(url=f"http://{HOST}:{self.port}")

    def next_call(self, method: str, *faults: Fault) -> None:
        """Say what becomes of the coming calls of this method, in order."""
        self._scripts[method].extend(faults)

    def decide(self, scripted: object, request: Received) -> Any:
        name, method = _called(request)
        if name:
            self.calls.append((name, method))
        return self._scripts[method].popleft() if self._scripts[method] else scripted

    async def _answer(self, act: Any, request: web.Request) -> web.StreamResponse:
        match act:
            case Through(seconds):
                answer = await self._ask(request)
                await asyncio.sleep(seconds)
                return await super()._answer(answer, request)
            case Held():
                return await super()._answer(Hold(await self._ask(request)), request)
            case Lost(then):
                await self._ask(request)
                return await super()._answer(then, request)
            case _:
                return await super()._answer(act, request)

    async def _ask(self, request: web.Request) -> Answer:
        """Let the Odoo behind do it, and return its answer."""
        async with (
            ClientSession(timeout=ClientTimeout(total=60)) as session,
            session.request(
                request.method,
                self._behind.url + request.path_qs,
                data=await request.read(),
                headers={"Content-Type": request.content_type},
            ) as answer,
        ):
            kind = ("Content-Type", answer.headers.get("Content-Type", "application/json"))
            found = Answer(answer.status, await answer.read(), (kind,))
        came = Received(
            request.method,
            request.path_qs,
            request.headers,
            await request.read(),
            time.monotonic(),
        )
        with self._arrival:
            self.done.append(_called(came)[1])
            self._arrival.notify_all()
        return found


def _called(request: Received) -> tuple[str, str]:
    """Return model and method of a call; ("", method) of what is no model's."""
    if request.path != "/jsonrpc":
        return "", request.path
    params = request.json["params"]
    if params["service"] != "object":
        return "", str(params["method"])
    return str(params["args"][3]), str(params["args"][4])
