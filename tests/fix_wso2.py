"""WSO2 for tests: a stand-in with scripted faults, and our flow on the real engine."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.stand_ins import HOST, Act, Answer, Close, Hold, Received, Slowly, StandIn

if TYPE_CHECKING:
    pass

PATH = "/cdc/v1/messages"
JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True)
class Accept:
    """202 with the delivery's id."""


@dataclass(frozen=True)
class EmptyAccept:
    """202 and nothing else: what a broken flow answers."""


@dataclass(frozen=True)
class Refuse:
    """Any other status."""

    status: int
    body: bytes = b'{"status":"BAD_HEADERS","id":""}'


@dataclass(frozen=True)
class FailAfterAccept:
    """Takes the delivery, and closes the connection before it says so."""


@dataclass(frozen=True)
class HoldResponse:
    """Takes the delivery, and says so after `wso2.release()`."""


@dataclass(frozen=True)
class RespondSlowly:
    """Takes the delivery, and says so after so many seconds."""

    seconds: float


@dataclass(frozen=True)
class RetryAfter:
    """503 with Retry-After, in seconds or as an HTTP date."""

    seconds: float
    as_date: bool = False
    status: int = 503

    def text(self) -> str:
        """Return the header's text."""
        if self.as_date:
            return formatdate(time.time() + self.seconds, usegmt=True)
        return f"{self.seconds:g}"


@dataclass(frozen=True)
class Unauthorised:
    """401."""


Taken = Accept | FailAfterAccept | HoldResponse | RespondSlowly
Fault = Taken | EmptyAccept | Refuse | RetryAfter | Unauthorised
TAKEN = (Accept, FailAfterAccept, HoldResponse, RespondSlowly)


@dataclass
class Target:
    """What the stand-in knows of the targets behind it."""

    url: str = ""
    token: str = ""
    word: Callable[[Received], str] = field(default=lambda _: "delivered")


class Wso2StandIn(StandIn):
    """WSO2 as scripted: `wso2.next(EmptyAccept(), Refuse(500))`; it accepts everything else."""

    def __init__(self) -> None:
        self._target: Target | None = None
        self._on_taken: Callable[[Received], None] | None = None
        super().__init__(Accept())

    @property
    def url(self) -> str:
        """For `wso2.url`."""
        return f"http{'s' if self.tls else ''}://{HOST}:{self.port}{PATH}"

    def acknowledge(
        self, url: str, *, token: str = "", word: Callable[[Received], str] | None = None
    ) -> None:
        """Post an acknowledgement to `url` for all that is taken: delivered, or what `word` says.

        `word` may return "" to say nothing.
        """
        self._target = Target(url, token, word or (lambda _: "delivered"))

    def on_taken(self, callback: Callable[[Received], None]) -> None:
        """Call back, in the stand-in's thread, after each delivery that is taken."""
        self._on_taken = callback

    def taken(self) -> list[Received]:
        """Return the requests so far, in order."""
        return list(self.requests)

    def decide(self, scripted: object, request: Received) -> Act:
        if isinstance(scripted, TAKEN):
            return _take(scripted, request)
        match scripted:
            case EmptyAccept():
                return Answer(202)
            case Refuse(status, body):
                return Answer(status, body, JSON)
            case RetryAfter():
                return Answer(scripted.status, headers=(("Retry-After", scripted.text()),))
            case Unauthorised():
                return Answer(401)
            case _:
                return super().decide(scripted, request)

    async def after(self, scripted: object, request: Received) -> None:
        if not isinstance(scripted, TAKEN):
            return
        if self._on_taken is not None:
            self._on_taken(request)
        if self._target is not None:
            await _say(self._target, request)


def _take(scripted: Taken, request: Received) -> Act:
    accepted = Answer(202, json.dumps({"status": "ACCEPTED", "id": request.id}).encode(), JSON)
    match scripted:
        case Accept():
            return accepted
        case FailAfterAccept():
            return Close()
        case HoldResponse():
            return Hold(accepted)
        case RespondSlowly(seconds):
            return Slowly(seconds, accepted)


async def _say(target: Target, request: Received) -> None:
    word = target.word(request)
    if not word:
        return
    said = {
        "id": request.id,
        "status": word,
        "target": request.headers["X-Cdc-Target"],
        "attempt": request.attempt,
        "http_status": {"delivered": 200, "rejected": 422}.get(word, 503),
        "code": {"delivered": "HTTP_200", "rejected": "HTTP_422"}.get(word, "HTTP_503"),
        "retry_after": "",
    }
    headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
    timeout = aiohttp.ClientTimeout(total=10)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(target.url, json=said, headers=headers),
    ):
        pass


@pytest.fixture
def wso2() -> Iterator[Wso2StandIn]:
    """A WSO2 that does as it is told."""
    service = Wso2StandIn()
    yield service
    service.close()
