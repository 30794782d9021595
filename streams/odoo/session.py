"""A session that writes: `port` through odoorpc, with every trouble told apart.

What was not answered may have been done; what Odoo or its database refused was not.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.error import HTTPError, URLError

import odoorpc
from odoorpc.error import RPCError

from schemas.masking import hide
from streams.odoo.connection import TIMEOUT, TROUBLE, is_denied, log_in, name_of, said
from streams.odoo.port import Away, Conflict, Gone, LoginRefused, Refused, Trouble, Unclear

_SHOWN: Final = 600  # characters of what Odoo says
_GONE: Final = "MissingError"
_CONFLICTS: Final = (
    "SerializationFailure",
    "DeadlockDetected",
    "LockNotAvailable",
    "TransactionRollbackError",
)
_DATABASE_AWAY: Final = (
    "OperationalError",
    "InterfaceError",
    "AdminShutdown",
    "CannotConnectNow",
    "TooManyConnections",
    "PoolError",
    "QueryCanceled",
)
_NOT_DONE: Final = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
_REFUSED_AT_ONCE: Final = 500  # a status below: nobody of Odoo's has seen it
_UNREACHED: Final = (errno.EHOSTUNREACH, errno.ENETUNREACH, socket.EAI_NONAME, socket.EAI_AGAIN)


class Session:
    """One Odoo, as one user; not to be shared between threads."""

    def __init__(
        self,
        settings: Mapping[str, str],
        context: Mapping[str, Any],
        timeout: float = TIMEOUT,
    ) -> None:
        """Call nobody yet; `context` goes with every call, `timeout` is in seconds."""
        self._settings = settings
        self._context = context
        self._timeout = timeout
        self._odoo: odoorpc.ODOO | None = None
        self._user = 0

    @property
    def user(self) -> int:
        """The id of the user that it is logged in as."""
        self._entered()
        return self._user

    def call(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        """Call a public method; see `port.Odoo`. A login that has expired is renewed once."""
        context = {**self._context, **options.pop("context", {})}
        options = {**options, "context": context}
        try:
            return self._asked(model, method, args, options)
        except _Denied:
            self._odoo = None
        try:
            return self._asked(model, method, args, options)
        except _Denied as error:
            raise LoginRefused(str(error)) from None

    def _asked(
        self, model: str, method: str, args: tuple[Any, ...], options: dict[str, Any]
    ) -> Any:
        odoo = self._entered()
        try:
            return odoo.execute_kw(model, method, list(args), options)
        except RPCError as error:
            trouble = _trouble(error)
        except TROUBLE as error:
            self._odoo = None
            trouble = _unanswered(error)
        raise trouble  # from out here: the error would keep its connection open

    def _entered(self) -> odoorpc.ODOO:
        if self._odoo is not None:
            return self._odoo
        try:
            self._odoo = log_in(self._settings, self._timeout)
            self._user = int(self._odoo.env.uid)
        except RPCError as error:
            trouble = _trouble(error)
            if not isinstance(trouble, Conflict | Away):
                trouble = LoginRefused(str(trouble))
        except TROUBLE as error:
            trouble = Away(said(error, _SHOWN))
        else:
            return self._odoo
        raise trouble


class _Denied(Trouble):
    """Odoo does not know who asks: the key was changed, or the session has ended."""


def _trouble(error: RPCError) -> Trouble:
    """Tell what an error of Odoo's means for who asked."""
    text = _shown(str(error))
    name = name_of(error)
    module, _, kind = name.rpartition(".")
    if is_denied(error):
        return _Denied(text)
    if kind == _GONE:
        return Gone(kind, text)
    if kind in _CONFLICTS:
        return Conflict(text)
    if kind in _DATABASE_AWAY or module.startswith("werkzeug"):
        return Away(text)
    return Refused(kind, text)


def _unanswered(error: Exception) -> Trouble:
    """Tell whether what was not answered can have been done."""
    text = said(error, _SHOWN)
    match error:
        case HTTPError(code=code):
            not_done = code in _NOT_DONE or code < _REFUSED_AT_ONCE
            return Away(text) if not_done else Unclear(text)
        case URLError(reason=OSError() as reason):
            refused = isinstance(reason, ConnectionRefusedError) or reason.errno in _UNREACHED
            return Away(text) if refused else Unclear(text)
        case _:
            return Unclear(text)


def _shown(text: str) -> str:
    """Return what Odoo says in one line, without secrets."""
    return " ".join(hide(text).split())[:_SHOWN] or "it does not say why"
