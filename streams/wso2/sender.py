"""Deliveries to WSO2 over HTTP; CONTRACT.md section 3.

Trouble is an outcome, never an exception. What matters most is whether WSO2 can have seen the
delivery: without a connection it cannot, and the attempt does not count.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

import aiohttp

from schemas.config import Wso2
from schemas.delivery import Delivery
from schemas.masking import hide
from streams.chains.outcome import Outcome, Unauthorised, Unavailable, of_answer
from streams.wso2.credentials import ENDPOINT, Reply, of_settings
from streams.wso2.tls import Certificates, Trouble, ask, trouble

LARGEST_ANSWER: Final = 64 * 1024  # bytes that are read of an answer
_UNAUTHORISED: Final = 401
_ACCEPTED: Final = 202
_LARGE: Final = 512 * 1024  # bytes; more is written piece by piece, the event loop goes on between
_AGENT: Final = "odoo-cdc"


class Wso2Sender(AbstractAsyncContextManager["Wso2Sender"]):
    """Hands deliveries to WSO2 between `async with` and its end, for one event loop."""

    def __init__(self, settings: Wso2, clock: Callable[[], float] = time.monotonic) -> None:
        """Open nothing yet; BadTls where the certificates cannot be used.

        `clock` tells seconds that never go back: files are looked at now and then.
        """
        self._url = settings.url
        self._certificates = Certificates(settings.tls, clock)
        self._slots = settings.concurrency
        # A connection that is not there in half the time is not there: the rest is for the answer.
        self._timeout = aiohttp.ClientTimeout(
            total=settings.timeout,
            connect=settings.timeout / 2,
            ceil_threshold=float("inf"),  # no rounding up to whole seconds
        )
        self._credentials = of_settings(settings.auth, self._ask)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the pool; connections are made when they are needed."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._slots),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": _AGENT, "Accept": "application/json"},
            skip_auto_headers=["Accept-Encoding"],
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        """Make one attempt; `attempt` counts from 1.

        A 401 is answered once with fresh credentials, where such can be had.
        """
        headers = headers_of(delivery, attempt)
        reply = await self._authorised(headers, delivery.body)
        if not isinstance(reply, Reply):
            return reply
        # Where it is kept, what an answer repeats of our request must not show who we are.
        kept = reply.status != _ACCEPTED
        return of_answer(
            reply.status,
            hide(reply.body.decode(errors="replace")).encode() if kept else reply.body,
            delivery_id=delivery.id,
            now=time.time(),
            retry_after=reply.retry_after,
        )

    async def probe(self, target: str) -> Reply | Unavailable | Unauthorised:
        """Ask whether the flow is there and knows a target, without delivering anything.

        The request lacks the headers of a delivery: our flow answers 422 for a target that it
        does not know, else 400.
        """
        return await self._authorised(
            {"Content-Type": "application/json", "X-Cdc-Target": target}, b"{}"
        )

    async def _authorised(
        self, headers: Mapping[str, str], body: bytes
    ) -> Reply | Unavailable | Unauthorised:
        for last in (False, True):
            credentials = await self._credentials.header()
            if not isinstance(credentials, str):
                return credentials
            with_them = {**headers, "Authorization": credentials} if credentials else headers
            data = io.BytesIO(body) if len(body) > _LARGE else body
            reply = await self._post(self._url, data, with_them)
            if isinstance(reply, Unavailable) or reply.status != _UNAUTHORISED:
                return reply
            if last or not self._credentials.refused(credentials):
                return reply
        raise AssertionError  # the second round always returns

    async def _ask(
        self, url: str, form: Mapping[str, str], authorization: str
    ) -> Reply | Unavailable:
        """Post to the token endpoint: nothing of it is an attempt."""
        headers = {"Authorization": authorization}
        reply = await self._post(url, aiohttp.FormData(form), headers)
        if isinstance(reply, Unavailable):
            return replace(
                reply,
                why=f"the token endpoint: {reply.why}",
                counted=False,
                remedy=reply.remedy or ENDPOINT,
            )
        return reply

    async def _post(
        self, url: str, data: bytes | io.BytesIO | aiohttp.FormData, headers: Mapping[str, str]
    ) -> Reply | Unavailable:
        if self._session is None:
            raise RuntimeError("the sender is used outside its `async with`")
        context = self._certificates.context()
        try:
            async with self._session.post(
                url,
                data=data,
                headers=headers,
                allow_redirects=False,
                ssl=context,
            ) as answer:
                body = await _beginning(answer)
                return Reply(answer.status, body, answer.headers.get("Retry-After", ""))
        except TimeoutError as error:
            if isinstance(error, aiohttp.ConnectionTimeoutError):
                return Unavailable(f"no connection: {_said(error)}", counted=False)
            return Unavailable(f"no answer within {self._timeout.total:g} s")
        except (aiohttp.ClientError, OSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                found = trouble(error)
            else:
                found = trouble(error) or await ask(url, context)
            return of_error(error, found)


def headers_of(delivery: Delivery, attempt: int) -> dict[str, str]:
    """Return the headers of an attempt, all that a router needs; only the attempt changes."""
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": delivery.id,
        "X-Cdc-Target": delivery.target,
        "X-Cdc-Chain": delivery.chain,
        "X-Cdc-Attempt": str(attempt),
        "X-Cdc-Source": delivery.source,
        "X-Cdc-Model": delivery.model,
        "X-Cdc-Operation": delivery.operation,
        "traceparent": delivery.traceparent,
    }


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """Read an answer, or as much of it as we are ready to hold."""
    read = bytearray()
    async for chunk in answer.content.iter_any():
        read += chunk
        if len(read) >= LARGEST_ANSWER:
            answer.close()  # what is left of it is not ours to read
            break
    return bytes(read[:LARGEST_ANSWER])


def of_error(error: Exception, found: Trouble | None) -> Unavailable:
    """Return what an error of the network is; `found` is what it has to do with TLS."""
    if found is not None:
        # TLS that does not come about, or ends by an alert: no request was read.
        return Unavailable(f"no connection: {found.why}", counted=False, remedy=found.remedy)
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unavailable(f"no connection: {_said(error)}", counted=False)
    return Unavailable(f"no answer: {_said(error)}")


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
