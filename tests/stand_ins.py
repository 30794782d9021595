"""HTTP services that tests script: each runs in a thread of its own and keeps what it got."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.waiting import LONG

HOST = "127.0.0.1"
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """An ordinary HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Close:
    """Close the connection instead of answering."""


@dataclass(frozen=True)
class Bytes:
    """Answer with these bytes, whatever they are, and close the connection."""

    data: bytes


@dataclass(frozen=True)
class Hold:
    """Answer only after `release`."""

    then: Answer


@dataclass(frozen=True)
class Slowly:
    """Answer after so many seconds."""

    seconds: float
    then: Answer


Act = Answer | Bytes | Close | Hold | Slowly


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        """Its delivery's id."""
        return self.headers.get("Idempotency-Key", "")

    @property
    def attempt(self) -> int:
        """Its attempt, 0 where the header is missing."""
        return int(self.headers.get("X-Cdc-Attempt", "0"))

    @property
    def json(self) -> Any:
        """Its body, parsed."""
        return json.loads(self.body)


class Background:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        begun = self.begin(work)
        try:
            return begun.result(LONG)
        except TimeoutError:
            raise AssertionError(f"{work.__qualname__} is not done in {LONG} s") from None

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def close(self) -> None:
        self.run(self._drained())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(LONG)
        self.loop.close()

    async def _drained(self) -> None:
        """End what is still going on."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class StandIn:
    """A service that answers as told: `next` for the coming requests, `otherwise` for the rest.

    It listens from `start` to `stop`, always on the same port. `decide` turns what was scripted
    into an act once the request is known.
    """

    def __init__(self, otherwise: object = Answer()) -> None:
        self.otherwise = otherwise
        self.requests: list[Received] = []
        self.port = 0
        self._script: deque[object] = deque()
        self._arrival = threading.Condition()
        self._background = Background()
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.tls: ssl.SSLContext | None = None
        self.start()

    def next(self, *script: object) -> None:
        """Say what becomes of the coming requests, in order."""
        self._script.extend(script)

    def received(self, number: int, timeout: float = LONG) -> list[Received]:
        """Wait until so many requests have come, and return them all; blocks."""
        with self._arrival:
            came = self._arrival.wait_for(lambda: len(self.requests) >= number, timeout)
            if not came:
                raise AssertionError(f"{len(self.requests)} of {number} requests in {timeout} s")
            return list(self.requests)

    def until(self, what: Callable[[], bool], timeout: float = LONG) -> None:
        """Wait until what has come makes it so; blocks."""
        with self._arrival:
            came = self._arrival.wait_for(what, timeout)
        assert came, f"not in {timeout} s: {len(self.requests)} requests"

    async def arrived(self, number: int, timeout: float = LONG) -> list[Received]:  # noqa: ASYNC109 - it ends a thread's wait
        """Like `received`, without blocking the event loop."""
        return await asyncio.to_thread(self.received, number, timeout)

    def forget(self) -> None:
        """Begin anew: nothing received, nothing scripted."""
        with self._arrival:
            self.requests.clear()
        self._script.clear()

    def release(self) -> None:
        """Let everything that is held go on."""
        self._background.loop.call_soon_threadsafe(self._let_go)

    def serve_tls(self, context: ssl.SSLContext) -> None:
        """Listen anew, with TLS."""
        self.stop()
        self.tls = context
        self.start()

    def start(self) -> None:
        """Listen."""
        if self._runner is None:
            self._background.run(self._listen())

    def stop(self) -> None:
        """Listen no more; open connections are closed."""
        if self._runner is not None:
            self._background.run(self._runner.cleanup())
            self._runner = None

    def close(self) -> None:
        """Stop for good."""
        self.release()
        self.stop()
        self._background.close()

    def decide(self, scripted: object, request: Received) -> Act:
        """Return what to do; subclasses know more words."""
        assert isinstance(scripted, Act), scripted
        return scripted

    async def after(self, scripted: object, request: Received) -> None:
        """Do what follows an answer."""

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run something in the service's thread."""
        return self._background.begin(work)

    def _let_go(self) -> None:
        self._released.set()
        self._released = asyncio.Event()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, self.port, ssl_context=self.tls).start()
        self.port = int(self._runner.addresses[0][1])

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        came = Received(
            request.method,
            request.path_qs,
            request.headers,
            await request.read(),
            time.monotonic(),
        )
        scripted = self._script.popleft() if self._script else self.otherwise
        act = self.decide(scripted, came)
        with self._arrival:
            self.requests.append(came)
            self._arrival.notify_all()
        answer = await self._answer(act, request)
        self._background.loop.create_task(self.after(scripted, came))
        return answer

    async def _answer(self, act: Act, request: web.Request) -> web.StreamResponse:
        match act:
            case Answer(status, body, headers):
                return web.Response(status=status, body=body, headers=dict(headers))
            case Hold(then):
                await self._released.wait()
                return await self._answer(then, request)
            case Slowly(seconds, then):
                await asyncio.sleep(seconds)
                return await self._answer(then, request)
            case Bytes(data):
                if request.transport is not None:
                    request.transport.write(data)
                    request.transport.close()
                return web.Response()
            case Close():
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
