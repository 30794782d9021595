"""Calls to an Odoo through odoorpc, each with one outcome.

odoorpc blocks, and raises whatever comes to its mind; here that becomes an answer. It is used for
JSON-RPC alone: log in, `read`.
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener

import odoorpc
from odoorpc.error import InternalError, RPCError

from schemas.from_files import current
from schemas.masking import hide
from streams.filling.reads import Ask, Away, Faulty, Records

TIMEOUT: Final = 30.0  # seconds without a byte of Odoo's answer
_PORTS: Final = {"http": 80, "https": 443}
_PROTOCOLS: Final = {"http": "jsonrpc", "https": "jsonrpc+ssl"}
_SHOWN: Final = 300  # characters of what Odoo says
_LOGIN: Final = "Wrong login ID or password"  # odoorpc's own words
_DENIED: Final = ("AccessDenied", "SessionExpiredException")
_ELSEWHERE: Final = (
    "psycopg2.",
    "werkzeug.",
    "psycopg.",
)  # no fault of a record: its database, HTTP

logging.getLogger("odoorpc").setLevel(logging.INFO)  # it would write the key of every call


class Client:
    """One Odoo, as one user; not to be shared between threads."""

    def __init__(self, settings: Mapping[str, str], lang: str, timeout: float = TIMEOUT) -> None:
        """Call nobody yet: `settings` are of `source.odoo`, translated values come in `lang`."""
        self._settings = settings
        self._timeout = timeout
        # Whatever is archived is there too, moments are UTC, and binaries are what they are.
        self._context = {"lang": lang, "tz": "UTC", "active_test": False, "bin_size": False}
        self._odoo: odoorpc.ODOO | None = None

    def log_in(self) -> Away | None:
        """Log in anew; say what stands against it."""
        try:
            self._odoo = self._logged_in()
        except RPCError as error:
            return _refused(error)
        except _TROUBLE as error:
            return Away(_said(error))
        return None

    def read(self, ask: Ask) -> Records | Faulty | Away:
        """Read records; of those that are gone Odoo says nothing."""
        if self._odoo is None and (away := self.log_in()) is not None:
            return away
        try:
            return Records(_by_id(self._call(ask)))
        except RPCError as error:
            answer = _of_error(error)
        except _TROUBLE as error:
            answer = Away(_said(error))
        if isinstance(answer, Away):
            self._odoo = None
        return answer

    def _call(self, ask: Ask) -> Any:
        assert self._odoo is not None  # noqa: S101  `read` has logged in
        options = {"fields": list(ask.fields), "context": self._context}
        return self._odoo.execute_kw(ask.model, "read", [list(ask.ids)], options)

    def _logged_in(self) -> odoorpc.ODOO:
        url = urlsplit(self._settings["url"])
        host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
        odoo = odoorpc.ODOO(
            host,
            _PROTOCOLS[url.scheme],
            url.port or _PORTS[url.scheme],
            self._timeout,
            opener=_opener(),
        )
        key = current(self._settings["api_key"], at_once=True)
        odoo.login(self._settings["database"], self._settings["user"], key)
        return odoo


def _opener() -> OpenerDirector:
    """Return what opens connections: without the proxies of the environment, as to WSO2."""
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))


# What odoorpc and what it is made of raise where Odoo, or what stands before it, does not answer
# as it should; ValueError and the like where the answer is no JSON, or not of that form.
_TROUBLE: Final = (
    OSError,
    http.client.HTTPException,
    odoorpc.rpc.error.ConnectorError,
    InternalError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
)


def _by_id(rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {int(row["id"]): row for row in rows}


def _of_error(error: RPCError) -> Faulty | Away:
    """Tell a fault of what was asked for from one of Odoo."""
    name = _name(error)
    if name.rpartition(".")[2] in _DENIED or name.startswith(_ELSEWHERE):
        return _refused(error)
    return Faulty(_cut(str(error)))


def _refused(error: RPCError) -> Away:
    denied = str(error) == _LOGIN or _name(error).rpartition(".")[2] in _DENIED
    return Away(_cut(str(error)), unauthorised=denied)


def _name(error: RPCError) -> str:
    info = error.info if isinstance(error.info, dict) else {}
    data = info.get("data")
    return str(data.get("name", "")) if isinstance(data, dict) else ""


def _said(error: BaseException) -> str:
    match error:
        case HTTPError():
            return f"HTTP {error.code}"
        case URLError(reason=reason):
            return _cut(str(reason))
        case TimeoutError():
            return "no answer in time"
        case OSError() | http.client.HTTPException():
            return _cut(f"{type(error).__name__}: {error}")
        case _:
            return "its answer is none of Odoo's RPC: is that Odoo's address?"


def _cut(text: str) -> str:
    """Return the first line of what was said, without secrets."""
    lines = hide(text).strip().splitlines()
    return lines[0][:_SHOWN] if lines else "it does not say why"
