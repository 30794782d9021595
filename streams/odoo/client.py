"""Reads values from an Odoo, each call with one outcome.

odoorpc blocks, and raises whatever comes to its mind; here that becomes an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import odoorpc
from odoorpc.error import RPCError

from streams.filling.reads import Ask, Away, Faulty, Records
from streams.odoo.connection import (
    TIMEOUT,
    TROUBLE,
    first_line,
    is_denied,
    log_in,
    name_of,
    said,
)

_SHOWN: Final = 300  # characters of what Odoo says
_ELSEWHERE: Final = (
    "psycopg2.",
    "werkzeug.",
    "psycopg.",
)  # no fault of a record: its database, HTTP


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
            self._odoo = log_in(self._settings, self._timeout)
        except RPCError as error:
            return _refused(error)
        except TROUBLE as error:
            return Away(said(error, _SHOWN))
        return None

    def read(self, ask: Ask) -> Records | Faulty | Away:
        """Read records; of those that are gone Odoo says nothing."""
        if self._odoo is None and (away := self.log_in()) is not None:
            return away
        try:
            return Records(_by_id(self._call(ask)))
        except RPCError as error:
            answer = _of_error(error)
        except TROUBLE as error:
            answer = Away(said(error, _SHOWN))
        if isinstance(answer, Away):
            self._odoo = None
        return answer

    def _call(self, ask: Ask) -> Any:
        assert self._odoo is not None  # noqa: S101  `read` has logged in
        options = {"fields": list(ask.fields), "context": self._context}
        return self._odoo.execute_kw(ask.model, "read", [list(ask.ids)], options)


def _by_id(rows: Sequence[Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {int(row["id"]): row for row in rows}


def _of_error(error: RPCError) -> Faulty | Away:
    """Tell a fault of what was asked for from one of Odoo."""
    if is_denied(error) or name_of(error).startswith(_ELSEWHERE):
        return _refused(error)
    return Faulty(first_line(str(error), _SHOWN))


def _refused(error: RPCError) -> Away:
    return Away(first_line(str(error), _SHOWN), unauthorised=is_denied(error))
