"""What the database refuses, said as Odoo's classes of error."""

from __future__ import annotations

import re
from typing import Final

import psycopg
from psycopg import errors

from embedded.odoo.declarations import models
from embedded.odoo_rpc.faults import Fault, MissingError, ValidationError

TRANSIENT: Final = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
)
"""What passes when the call is made again."""

_UNREAD: Final = frozenset({"parent_id", "user_id"})
"""Links that nothing is computed of: a wrong one is found by its foreign key alone."""

_KEY: Final = re.compile(r"\((?P<column>\w+)\)=\((?P<number>\d+)\) is not present")


def fault(error: psycopg.Error, user: int) -> Fault | None:
    """Return what the client is told; None where that is the error itself."""
    said = error.diag
    if isinstance(error, errors.NotNullViolation):
        return ValidationError(_required(said.table_name, said.column_name))
    if isinstance(error, errors.ForeignKeyViolation):
        return _foreign_key(error, user)
    if isinstance(error, errors.CheckViolation):  # its detail is the whole row
        return ValidationError(f"The operation cannot be completed: {said.constraint_name}")
    if isinstance(error, psycopg.IntegrityError):
        return ValidationError(
            f"The operation cannot be completed: {said.message_primary}\n"
            f"DETAIL: {said.message_detail}"
        )
    return None


def missing_field(error: psycopg.Error) -> tuple[str, str] | None:
    """Return name and label of the field that has no value, where that is the error."""
    if not isinstance(error, errors.NotNullViolation):
        return None
    name = error.diag.column_name or ""
    return name, _label(error.diag.table_name, name)


def _required(table: str | None, column: str | None) -> str:
    model = _model(table)
    return (
        "The operation cannot be completed: a mandatory field is not set.\n\n"
        f"Model: {model}\nField: {_label(table, column)} ({column})"
    )


def _foreign_key(error: psycopg.Error, user: int) -> Fault:
    said = error.diag
    wrong = _KEY.search(said.message_detail or "")
    if wrong and wrong["column"] not in _UNREAD:
        model = models().get(_model(said.table_name))
        one = model.fields.get(wrong["column"]) if model else None
        if one is not None:
            return MissingError(one.relation, int(wrong["number"]), user)
    return ValidationError(
        "The operation cannot be completed: another record needs the one that is deleted, or "
        f"one that is linked is not there.\n\nModel: {_model(said.table_name)}\n"
        f"Constraint: {said.constraint_name}"
    )


def _model(table: str | None) -> str:
    return next((name for name, model in models().items() if model.table == table), "unknown")


def _label(table: str | None, column: str | None) -> str:
    model = models().get(_model(table))
    return model.fields[column].label if model and column in model.fields else str(column)
