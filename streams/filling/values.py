"""How a value that Odoo's RPC gives is written: as the mapping writes those of columns.

RPC says false for nothing, shows moments to the second in UTC, a many2one as [id, name] and
binaries as base64. It does not keep the digits of numbers: 12.50 comes as 12.5.
"""

from __future__ import annotations

import binascii
import math
import re
from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from schemas import message
from schemas.mapping import UnsendableValue

_TO_MANY: Final = frozenset({"one2many", "many2many"})
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(\.\d+)?)Z?")
_SECOND: Final = len("2026-11-23T10:00:00")
_SURPRISING: Final = "is not what Odoo's RPC gives for such a field"


def value_of(kind: str, raw: Any, field: str, *, number: bool) -> Any:
    """Return a value of Odoo's ttype `kind` as it is sent; UnsendableValue names `field`.

    `number` asks for monetary values as JSON numbers.
    """
    if kind == "boolean":
        return bool(raw)
    if raw is False or raw is None:
        return [] if kind in _TO_MANY else None
    ways: dict[str, Callable[[Any], Any]] = {
        "integer": _integer,
        "float": _finite,
        "monetary": lambda value: _monetary(value, number=number),
        "char": _text,
        "text": _text,
        "html": _text,
        "reference": _text,
        "date": _date,
        "datetime": _moment,
        "binary": _binary,
        "many2one": _many2one,
        "one2many": _ids,
        "many2many": _ids,
    }
    try:
        value = ways.get(kind, lambda value: value)(raw)
        if kind != "binary":  # which is ASCII by now, and large
            message.encode(value).encode()
    except (ValueError, TypeError, IndexError, RecursionError) as error:
        raise UnsendableValue(field, raw, _SURPRISING) from error
    return value


def has_moved_on(known: str | None, found: Any) -> bool:
    """Say whether a record was written after what an event knew of it; RPC tells the second.

    `known` is the event's `write_date` in ISO 8601, `found` is what RPC gave.
    """
    if not isinstance(found, str):
        return False
    return known is None or _second(found) > _second(known)


def _second(text: str) -> str:
    return text[:_SECOND].replace(" ", "T")


def _integer(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise TypeError(raw)
    return raw


def _finite(raw: Any) -> int | float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        raise ValueError(raw)
    return raw


def _monetary(raw: Any, *, number: bool) -> Decimal | str:
    exact = Decimal(repr(_finite(raw)))
    return exact if number else format(exact, "f")


def _text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise TypeError(raw)
    return raw


def _date(raw: Any) -> str:
    if not _DATE.fullmatch(_text(raw)):
        raise ValueError(raw)
    return _text(raw)


def _moment(raw: Any) -> str:
    match = _MOMENT.fullmatch(_text(raw))
    if match is None:
        raise ValueError(raw)
    return f"{match[1]}T{match[2]}Z"


def _binary(raw: Any) -> str:
    text = _text(raw).replace("\r", "").replace("\n", "")
    try:
        b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    return text


def _many2one(raw: Any) -> int:
    return _integer(raw[0] if isinstance(raw, list) else raw)


def _ids(raw: Any) -> list[int]:
    if not isinstance(raw, list):
        raise TypeError(raw)
    return sorted(map(_integer, raw))
