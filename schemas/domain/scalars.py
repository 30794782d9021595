"""Values of terms and of columns, each in the form in which they are compared.

Numeric values compare as Decimal, moments as ISO 8601 text without zone, which sorts like time.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from schemas.domain.forms import Scalar
from schemas.fields import Kind

Read = Callable[[Any], Any]

BASE_LANGUAGE: Final = "en_US"  # Odoo keeps it for every translated value
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL: Final = re.compile(
    r"[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,2})?"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BEFORE_CHRIST: Final = " BC"
_YEARS: Final = 10_000_000  # more than Postgres has
_DATETIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2})(?:(:[0-9]{2})(\.[0-9]{1,6})?)?Z?"
)


def day(value: str) -> str:
    """Return a date as Postgres writes it; ValueError for anything else."""
    if not _DATE.fullmatch(value):
        raise ValueError(value)
    return date.fromisoformat(value).isoformat()


def translation(lang: str) -> Read:
    """Return what reads a translated column in `lang`, falling back to en_US.

    An empty text does not fall back; only a missing one does.
    """

    def read(raw: str | None) -> str | None:
        if raw is None:
            return None
        try:
            languages = json.loads(raw)
        except (ValueError, RecursionError):  # JSON, but more than can be read of it
            return None
        if not isinstance(languages, dict):
            return None
        found = languages.get(lang)
        if found is None:
            found = languages.get(BASE_LANGUAGE)
        return found if found is None or isinstance(found, str) else json.dumps(found)

    return read


def flag(value: Scalar) -> bool:
    """Return a boolean, also for 0 and 1; ValueError for anything else."""
    if value not in {0, 1}:
        raise ValueError(value)
    return bool(value)


def number_of(kind: Kind, value: Scalar) -> int | float | Decimal:
    """Return a number, or a text that holds one, as its kind compares it; ValueError."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise ValueError(value)
    if kind is Kind.FLOAT:
        return float(value)
    if kind is Kind.NUMERIC:
        return Decimal(str(value))
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise ValueError(value)
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(value)
    return number


def moment(value: str, *, end_of_day: bool) -> str:
    """Return ISO 8601 without zone, as `without_zone` gives it; as text it sorts like time."""
    if _DATE.fullmatch(value):
        value += " 23:59:59" if end_of_day else " 00:00:00"
    found = _DATETIME.fullmatch(value)
    if found is None:
        raise ValueError(value)
    date_part, minute, second, fraction = found.groups(default="")
    written = f"{date_part}T{minute}{second or ':00'}"
    datetime.fromisoformat(written)  # ValueError for a day that is in no calendar
    fraction = fraction.rstrip("0")
    return written + (fraction if len(fraction) > 1 else "")


def in_order(value: str) -> str:
    """Return a date or a moment as a text that sorts like time: infinity, BC, any year.

    The usual ones, of the years 1 to 9999, stay as they are.
    """
    if value[4:5] == "-" and not value.endswith(_BEFORE_CHRIST):
        return value
    year, dash, rest = value.partition("-")
    if not year.isdigit():  # infinity, -infinity: before "/" and behind ":", as texts too
        return value
    if value.endswith(_BEFORE_CHRIST):
        return f"/{_YEARS - int(year)}{dash}{rest.removesuffix(_BEFORE_CHRIST)}"
    return f":{_YEARS + int(year)}{dash}{rest}"


def numeric(raw: str | None) -> Decimal | None:
    """Read a numeric column."""
    if raw is None:
        return None
    number = Decimal(raw)
    # Postgres sorts NaN above every number; Decimal does not sort it at all.
    return Decimal("Infinity") if number.is_nan() else number


def real(raw: float | None) -> float | None:
    """Read a double precision column; NaN sorts as in `numeric`."""
    return math.inf if raw is not None and math.isnan(raw) else raw


def without_zone(raw: str | None) -> str | None:
    """Read a timestamp, which always ends in Z."""
    return None if raw is None else raw[:-1]
