"""How Odoo is asked, and the ways in which it does not do what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

Context = Mapping[str, Any]


class Trouble(Exception):
    """Odoo did not do it."""


class Refused(Trouble):
    """Odoo says no, and would again: `kind` is the last part of its error's class."""

    def __init__(self, kind: str, message: str) -> None:
        """`message` is Odoo's own, without its traceback."""
        super().__init__(message)
        self.kind = kind


class Gone(Refused):
    """The record is not there: MissingError."""


class Conflict(Trouble):
    """Somebody else wrote at the same moment; nothing was done."""


class Away(Trouble):
    """Odoo or its database is not there; nothing was done."""


class Unclear(Trouble):
    """There was no answer: it may have been done."""


class LoginRefused(Trouble):
    """Odoo does not let the service in."""


class Odoo(Protocol):
    """One session; not to be shared between threads. Every call is one transaction."""

    @property
    def user(self) -> int:
        """The id of the user that it is logged in as; a Trouble where it cannot log in."""

    def call(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        """Call a public method and return what it returns.

        `options` are keyword arguments; `context` among them is laid over that of target.yaml.
        Raises one of the Troubles, nothing else.
        """
