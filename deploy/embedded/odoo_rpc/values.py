"""Values between RPC and columns. Pure.

What comes as something else is taken or refused exactly as Odoo does it: text for a boolean is
true, anything for a char is its text, text for a many2one is empty, text for a number must be one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from embedded.odoo.declarations import Declared
from embedded.odoo_rpc.facts import SELECTIONS, digits
from embedded.odoo_rpc.markup import clean

DATE: Final = "%Y-%m-%d"
DATETIME: Final = "%Y-%m-%d %H:%M:%S"
NUMBERS: Final = frozenset({"float", "monetary"})
_DATE_LENGTH: Final = 10
_UNROUNDED: Final = 15


def to_column(model: str, one: Declared, value: Any) -> Any:
    """Return what the column holds; ValueError where the value is none of its type."""
    if one.type in NUMBERS:
        return number(model, one, value)
    if one.type == "selection":
        return _choice(model, one.name, value)
    if one.type not in _WRITERS:
        raise ValueError(f"the stand-in keeps no {one.type} ({model}.{one.name})")
    return _WRITERS[one.type](value)


def from_column(one: Declared, held: Any) -> Any:
    """Return what RPC shows of a column; empty is False, 0 or 0.0."""
    if one.type in _SHOWN:
        return _SHOWN[one.type](held)
    return False if held is None else held


def number(model: str, one: Declared, value: Any) -> Any:
    """Round half up to the field's digits; a float where the column is one."""
    read = float(value or 0)
    places = digits(model, one.name)
    if places >= _UNROUNDED:
        return read
    rounded = Decimal(repr(read)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded if one.column == "numeric" else float(rounded)


def _text(value: Any) -> str | None:
    return None if value is None or value is False else str(value)


def _html(value: Any) -> str | None:
    text = _text(value)
    return text if text is None else clean(text)


def _integer(value: Any) -> int:
    return int(value or 0)


def _json(value: Any) -> Any:
    return value or None


def _link(value: Any) -> int | None:
    return value if isinstance(value, int) and value and value is not True else None


def _choice(model: str, name: str, value: Any) -> str | None:
    if value is None or value is False:
        return None
    known = SELECTIONS.get((model, name))
    if known is not None and value not in {key for key, _ in known}:
        raise ValueError(f"Wrong value for {model}.{name}: {value!r}")
    return str(value)


def _date(value: Any) -> date | None:
    if not value:
        return None
    return datetime.strptime(value[:_DATE_LENGTH], DATE).date()  # noqa: DTZ007 - a day


def _datetime(value: Any) -> datetime | None:
    if not value:
        return None
    form = DATE if len(value) == _DATE_LENGTH else DATETIME
    return datetime.strptime(value, form)  # noqa: DTZ007 - as Odoo stores it: UTC, without a zone


def _day(held: Any) -> Any:
    return held.strftime(DATE) if held else False


def _moment(held: Any) -> Any:
    return held.replace(microsecond=0).strftime(DATETIME) if held else False


def _number(held: Any) -> float:
    return float(held or 0)


_WRITERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "char": _text,
    "text": _text,
    "html": _html,
    "boolean": bool,
    "integer": _integer,
    "many2one_reference": _integer,
    "many2one": _link,
    "date": _date,
    "datetime": _datetime,
    "json": _json,
    "properties": _json,
    "properties_definition": _json,
}
_SHOWN: Final[Mapping[str, Callable[[Any], Any]]] = {
    "integer": _integer,
    "many2one_reference": _integer,
    "float": _number,
    "monetary": _number,
    "boolean": bool,
    "date": _day,
    "datetime": _moment,
    "many2one": lambda held: held or False,
    "binary": lambda _: False,
}
