"""Connections to an Odoo through odoorpc, and what its errors are."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, OpenerDirector, ProxyHandler, build_opener

import odoorpc
from odoorpc.error import InternalError, RPCError

from schemas.from_files import current
from schemas.masking import hide

TIMEOUT: Final = 30.0  # seconds without a byte of Odoo's answer
_PORTS: Final = {"http": 80, "https": 443}
_PROTOCOLS: Final = {"http": "jsonrpc", "https": "jsonrpc+ssl"}
_LOGIN: Final = "Wrong login ID or password"  # odoorpc's own words
_DENIED: Final = ("AccessDenied", "SessionExpiredException")

logging.getLogger("odoorpc").setLevel(logging.INFO)  # it would write the key of every call

# What odoorpc and what it is made of raise where Odoo, or what stands before it, does not answer
# as it should; ValueError and the like where the answer is no JSON, or not of that form.
TROUBLE: Final = (
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


def log_in(settings: Mapping[str, str], timeout: float) -> odoorpc.ODOO:
    """Connect and log in; `settings` are url, database, user and api_key, `timeout` is seconds.

    Raises RPCError where Odoo says no, TROUBLE where it does not answer.
    """
    url = urlsplit(settings["url"])
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    odoo = odoorpc.ODOO(
        host,
        _PROTOCOLS[url.scheme],
        url.port or _PORTS[url.scheme],
        timeout,
        opener=_opener(),
    )
    odoo.login(settings["database"], settings["user"], current(settings["api_key"], at_once=True))
    return odoo


def name_of(error: RPCError) -> str:
    """Return the class of an error as Odoo names it, `odoo.exceptions.UserError`; "" for none."""
    info = error.info if isinstance(error.info, dict) else {}
    data = info.get("data")
    return str(data.get("name", "")) if isinstance(data, dict) else ""


def is_denied(error: RPCError) -> bool:
    """Whether Odoo does not know who asks."""
    return str(error) == _LOGIN or name_of(error).rpartition(".")[2] in _DENIED


def said(error: BaseException, most: int) -> str:
    """Say what stands between us and Odoo, in `most` characters."""
    match error:
        case HTTPError():
            return f"HTTP {error.code}"
        case URLError(reason=reason):
            return first_line(str(reason), most)
        case TimeoutError():
            return "no answer in time"
        case OSError() | http.client.HTTPException():
            return first_line(f"{type(error).__name__}: {error}", most)
        case _:
            return "its answer is none of Odoo's RPC: is that Odoo's address?"


def first_line(text: str, most: int) -> str:
    """Return the first line of what was said, without secrets."""
    lines = hide(text).strip().splitlines()
    return lines[0][:most] if lines else "it does not say why"


def _opener() -> OpenerDirector:
    """Return what opens connections: without the proxies of the environment, as to WSO2."""
    return build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
