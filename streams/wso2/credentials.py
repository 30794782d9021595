"""What WSO2 knows us by: basic, bearer, or a token by OAuth 2 client credentials (RFC 6749, 4.4).

No network here: tokens are asked for through a port, and trouble is an outcome like any other.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol
from urllib.parse import quote_plus

from schemas.from_files import current
from schemas.masking import learn
from streams.chains.outcome import Unauthorised, Unavailable, seconds_until

_ASSUMED: Final = 300.0  # seconds that a token lives when its answer does not say
_MARGIN: Final = 30.0  # seconds before its end that a token is renewed, at most half its life
_OK: Final = 200
ENDPOINT: Final = "start it, or correct wso2.auth.oauth2.token_url"
_TRY_AGAIN: Final = frozenset({404, 408, 425, 429})
_SERVER_ERRORS: Final = 500

NoToken = Unavailable | Unauthorised


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; `retry_after` is that header's text."""

    status: int
    body: bytes
    retry_after: str = ""


class Post(Protocol):
    """Posts a form; trouble with the network is an outcome."""

    async def __call__(
        self, url: str, form: Mapping[str, str], authorization: str
    ) -> Reply | Unavailable: ...


class Credentials(Protocol):
    """Gives the text of the Authorization header."""

    async def header(self) -> str | NoToken:
        """Return the header's text, "" for none, or why there is none."""

    def refused(self, header: str) -> bool:
        """Note a 401; return whether another header can be had."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """No header at all."""

    async def header(self) -> str:
        """Return none."""
        return ""

    def refused(self, header: str) -> bool:
        """There is no other."""
        return False


class Make(Protocol):
    """Makes a header of what sync.yaml and its files say."""

    def __call__(self, *, at_once: bool) -> str:
        """Return it; files are read `at_once`, or now and then."""


@dataclass(frozen=True, slots=True)
class Given:
    """The header of what sync.yaml says under a key, `where`, as its files are at the moment."""

    where: str
    make: Make

    async def header(self) -> str | NoToken:
        """Return it."""
        text = self.make(at_once=False)
        learn(self.where, text.partition(" ")[2])
        if text.isascii() and text.isprintable():
            return text
        return Unauthorised(f"{self.where} holds characters that a header cannot carry")

    def refused(self, header: str) -> bool:
        """Look into the files at once: another header can be had where they have changed."""
        return self.make(at_once=True) != header


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for tokens, and where."""

    token_url: str
    client_id: str
    client_secret: str

    def authorization(self) -> str:
        """Return Basic, with both parts form-encoded first: RFC 6749 section 2.3.1."""
        secret = current(self.client_secret, at_once=True)
        text = basic(quote_plus(self.client_id), quote_plus(secret))
        learn("wso2.auth.oauth2", text.partition(" ")[2])
        return text

    def __repr__(self) -> str:
        """Without the secret."""
        return f"Client({self.token_url!r}, {self.client_id!r})"


class ClientCredentials:
    """A token that is fetched once, kept until shortly before its end, and renewed by one call."""

    def __init__(
        self, client: Client, post: Post, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Have no token yet; `clock` tells seconds that never go back."""
        self._client = client
        self._post = post
        self._clock = clock
        self._lock = asyncio.Lock()
        self._header = ""
        self._until = 0.0

    async def header(self) -> str | NoToken:
        """Return the token's header; all who ask meanwhile wait for the same call."""
        async with self._lock:
            if self._header and self._clock() < self._until:
                return self._header
            return await self._renew()

    def refused(self, header: str) -> bool:
        """Forget the token, unless it was renewed since; a fresh one can always be asked for."""
        if header == self._header:
            self._header = ""
        return True

    async def _renew(self) -> str | NoToken:
        asked = self._clock()
        form = {"grant_type": "client_credentials"}
        reply = await self._post(self._client.token_url, form, self._client.authorization())
        if isinstance(reply, Unavailable):
            return reply
        token = _token(reply)
        if not isinstance(token, _Token):
            return token
        learn("wso2.auth.oauth2.token", token.text)
        self._header = f"Bearer {token.text}"
        self._until = asked + token.life - min(_MARGIN, token.life / 2)
        return self._header


def basic(user: str, password: str) -> str:
    """Return the header of HTTP's Basic (RFC 7617), in UTF-8."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _basic_of(user: str, password: str, *, at_once: bool) -> str:
    return basic(current(user, at_once=at_once), current(password, at_once=at_once))


def _bearer_of(token: str, *, at_once: bool) -> str:
    return f"Bearer {current(token, at_once=at_once)}"


def of_settings(auth: Mapping[str, Any], post: Post) -> Credentials:
    """Return the credentials that `wso2.auth` of sync.yaml describes."""
    match auth:
        case {"basic": {"user": user, "password": password}}:
            return Given("wso2.auth.basic", partial(_basic_of, user, password))
        case {"bearer": token}:
            return Given("wso2.auth.bearer", partial(_bearer_of, token))
        case {"oauth2": {"token_url": url, "client_id": name, "client_secret": secret}}:
            return ClientCredentials(Client(url, name, secret), post)
        case _:
            return Nobody()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    life: float  # seconds


def _token(reply: Reply) -> _Token | NoToken:
    """Read the answer of a token endpoint; its text is never kept, it may hold a token."""
    status = reply.status
    if status in _TRY_AGAIN or status >= _SERVER_ERRORS:
        pause = seconds_until(reply.retry_after, time.time())
        why = f"the token endpoint answered {status}"
        return Unavailable(why, pause, counted=False, http_status=status, remedy=ENDPOINT)
    if status != _OK:
        return Unauthorised(f"the token endpoint answered {status}", status)
    try:
        answer = json.loads(reply.body)
        text, life = answer["access_token"], float(answer.get("expires_in", _ASSUMED))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Unauthorised("the token endpoint's answer holds no token", status)
    if not isinstance(text, str) or not text.isascii() or not text.isprintable() or not life > 0:
        return Unauthorised("the token endpoint's answer holds no usable token", status)
    return _Token(text, life)
