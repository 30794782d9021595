"""Errors have the names that an Odoo's client knows."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from embedded.odoo_rpc.faults import MissingError, UserError, name


@pytest.mark.parametrize(
    ("error", "known_as"),
    [
        (UserError("no"), "odoo.exceptions.UserError"),
        (MissingError("res.partner", 7, 2), "odoo.exceptions.MissingError"),
        (ValueError("no"), "builtins.ValueError"),
        (errors.SerializationFailure("no"), "psycopg2.errors.SerializationFailure"),
        (psycopg.OperationalError("no"), "psycopg2.OperationalError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_an_error_has_the_name_that_odoo_gives_it(error: Exception, known_as: str) -> None:
    assert name(error) == known_as
