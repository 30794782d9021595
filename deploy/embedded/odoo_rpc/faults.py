"""What a call can fail with, by the names that Odoo's RPC gives to errors."""

from __future__ import annotations

from typing import ClassVar

import psycopg


class Fault(Exception):
    """An error of Odoo's own."""

    kind: ClassVar[str]


class UserError(Fault):
    """What was asked for is not allowed as things stand."""

    kind = "odoo.exceptions.UserError"


class ValidationError(Fault):
    """A constraint of the model or the database is broken."""

    kind = "odoo.exceptions.ValidationError"


class MissingError(Fault):
    """A record is gone, or never was."""

    kind = "odoo.exceptions.MissingError"

    def __init__(self, model: str, number: int, user: int) -> None:
        super().__init__(f"There is no such record.\n(Record: {model}({number},), User: {user})")


class AccessError(Fault):
    """The user may not do this."""

    kind = "odoo.exceptions.AccessError"


class AccessDenied(Fault):
    """The password or key is wrong."""

    kind = "odoo.exceptions.AccessDenied"


class RedirectWarning(Fault):
    """What a user would have to do elsewhere first."""

    kind = "odoo.exceptions.RedirectWarning"


def name(error: Exception) -> str:
    """Return the name of the class, as the client of an Odoo sees it."""
    if isinstance(error, Fault):
        return error.kind
    if isinstance(error, psycopg.Error):  # Odoo's driver is an older one
        own = type(error).__name__
        exact = type(error).__module__ == "psycopg.errors" and error.sqlstate
        return f"psycopg2.errors.{own}" if exact else f"psycopg2.{own}"
    return f"builtins.{type(error).__name__}"
