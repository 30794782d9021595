"""Acknowledgements over HTTP: `POST /acks`, CONTRACT.md section 4.

The intake decides nothing: what can be read is written to `<source>.responses`, and 204 means
that Kafka has it. Any worker takes any acknowledgement.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from schemas import acknowledgement
from schemas.acknowledgement import Acknowledgement, MalformedAcknowledgement
from schemas.config import Acks
from schemas.errors import ServiceUnavailable
from schemas.keys import Chain, split_delivery_id
from streams.http.guarded import Guarded
from streams.http.refusals import ACKNOWLEDGEMENTS, Count, Refusals, nobody
from streams.http.served import Place
from streams.http.tokens import Tokens

logger = logging.getLogger(__name__)

LARGEST: Final = 1024 * 1024  # bytes of one request
PATIENCE: Final = 10.0  # seconds that Kafka gets; WSO2 waits for 30
_SLOWEST: Final = 30.0  # seconds that a sender gets for its body
_AT_ONCE: Final = 64  # requests in memory at a time; others wait, unread
_PLACE: Final = Place(
    "acks.listen",
    "acknowledgements",
    "Choose another port for acks.listen and acks.url; workers share theirs.",
    grace=5.0,
    most=512,  # WSO2 opens one for each acknowledgement, and Kafka may keep them waiting
    shared=True,
)
_RETRY_AFTER: Final = "5"


@dataclass(frozen=True, slots=True)
class Response:
    """One acknowledgement for the responses topic: its key, and the JSON."""

    chain: Chain
    value: bytes


class Publisher(Protocol):
    """Writes acknowledgements to the responses topic."""

    async def __call__(self, responses: Sequence[Response]) -> object:
        """Return once Kafka has them all, each on its chain's partition.

        Raises ServiceUnavailable where it has not.
        """


class Intake(Guarded):
    """Listens between `async with` and its end; does nothing where `acks.listen` is empty.

    Several workers of one host listen on the same port; the kernel shares the connections out.
    """

    def __init__(
        self,
        acks: Acks,
        publish: Publisher,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        count: Count = nobody,
    ) -> None:
        """Listen nowhere yet; NoAddress where `acks.listen` is none.

        `clock` tells seconds that never go back: a former token is let in for some time. `count`
        is told the status of what is turned away.
        """
        self._writing = _Writing(publish, patience)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        super().__init__(
            acks.listen,
            _PLACE,
            self._app(),
            tokens=Tokens("acks.token", acks.token, clock),
            refusals=Refusals(ACKNOWLEDGEMENTS, count, clock),
            largest=LARGEST,
            slowest=_SLOWEST,
        )

    def adopt(self, acks: Acks) -> None:
        """Know senders by the token of another file; the former one is let in for OVERLAP more."""
        self._tokens.adopt(acks.token)

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST)
        app.router.add_post("/acks", self._acks)
        return app

    async def _acks(self, request: web.Request) -> web.Response:
        if (answer := self.stranger(request)) is not None:
            return answer
        async with self._slots:
            return await self._take(request)

    async def _take(self, request: web.Request) -> web.Response:
        body = await self.body(request)
        if isinstance(body, web.Response):
            return body
        try:
            responses = [_response(word) for word in acknowledgement.read(body)]
        except MalformedAcknowledgement as error:
            return self.problem(400, str(error))
        if await self._writing.write(responses):
            return web.Response(status=204)
        return self.problem(503, "Kafka is away", {"Retry-After": _RETRY_AFTER})


class _Writing:
    """Writes to Kafka, and knows when it is away.

    A write that has not ended in time goes on in the background (a late acknowledgement is one
    more copy). Until it has ended, everything else is turned away at once: nothing piles up.
    """

    def __init__(self, publish: Publisher, patience: float) -> None:
        self._publish = publish
        self._patience = patience
        self._late: set[asyncio.Task[object]] = set()

    async def write(self, responses: Sequence[Response]) -> bool:
        """Return whether Kafka has them."""
        if self._late:
            return False
        task = asyncio.ensure_future(self._publish(responses))
        done, _ = await asyncio.wait({task}, timeout=self._patience)
        if not done:
            self._late.add(task)
            task.add_done_callback(self._ended)
            return False
        return _succeeded(task)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._late.discard(task)
        _succeeded(task)


def _succeeded(task: asyncio.Task[object]) -> bool:
    if task.cancelled():
        return False
    error = task.exception()
    if error is None:
        return True
    if not isinstance(error, ServiceUnavailable):
        raise error
    logger.warning("acknowledgements not written: %s", error, extra={"action": "kafka_away"})
    return False


def _response(word: Acknowledgement) -> Response:
    try:
        chain = split_delivery_id(word.id)[0]
    except ValueError:  # nobody's: kept, and counted by who reads the topic
        chain = Chain(word.id)
    return Response(chain, acknowledgement.to_json(word))
