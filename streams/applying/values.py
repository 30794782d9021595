"""A value of a message as Odoo's RPC has it, and whether two values are the same. Pure.

JSON types are those of CONTRACT.md section 2; what Odoo reads and writes is told by
`odoo.fields`: false for nothing, moments as text in UTC without zone, decimals as floats.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from schemas.finding import described
from streams.applying.facts import Fact
from streams.applying.markup import spoken

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    rf"({_DATE.pattern})[T ]([0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})(\.[0-9]+)?Z?"
)
_LARGEST: Final = 2**31 - 1  # int4
_SMALLEST: Final = -(2**31)
_ENGLISH: Final = "en_US"  # what every translated value has


class BadValue(Exception):
    """A value that the field cannot hold; the message names neither."""


def to_odoo(fact: Fact, value: Any) -> Any:
    """Return a scalar as `write` takes it; BadValue where the field cannot hold it.

    A translated value may be an object of texts by language: it is returned as it is.
    """
    if value is None:
        return False
    if fact.translate and isinstance(value, dict):
        return _texts(value)
    reader = _READERS.get(fact.type)
    if reader is None:
        raise BadValue(f"a field of type {fact.type} cannot be written from outside")
    found = reader(value)
    if fact.selection and found not in fact.selection:
        known = ", ".join(fact.selection[:20])
        raise BadValue(f'"{found}" is none of its values: {known}')
    return found


def canonical(fact: Fact, value: Any) -> Any:
    """Return what two values have in common that are the same to Odoo.

    Numbers count to the digits that the field keeps, html by its tags and words, and nothing is
    as good as an empty text.
    """
    if fact.type in ("float", "monetary"):
        number = float(value or 0)
        return number if fact.decimals is None else round(number, fact.decimals) + 0.0
    return _CANONICAL.get(fact.type, _as_it_is)(value or False)


def cell(fact: Fact, value: Any) -> str:
    """Return what `to_odoo` gave, as a cell of `load`."""
    if fact.type == "boolean":
        return "1" if value else "0"  # it reads texts only
    if value is False or value is None:
        return ""
    if fact.type in ("float", "monetary"):
        return repr(float(value))
    return str(value)


def main_text(value: Any, lang: str) -> Any:
    """Return the text of a translated value in a language, as Odoo would show it."""
    if not isinstance(value, dict):
        return value
    return next((value[code] for code in (lang, _ENGLISH) if value.get(code)), False)


def other_texts(value: Any, lang: str) -> dict[str, str]:
    """Return the texts in the other languages, none where there is one text alone."""
    if not isinstance(value, dict):
        return {}
    return {code: text for code, text in value.items() if code != lang and text}


def _texts(value: Mapping[Any, Any]) -> dict[str, str]:
    for code, text in value.items():
        if not isinstance(code, str) or not isinstance(text, str):
            raise BadValue("a translation is an object of texts by language")
    return dict(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise BadValue(f"a text is wanted, not {described(value)}")
    if "\x00" in value:
        raise BadValue("a text with a zero byte cannot be stored in Postgres")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"true or false is wanted, not {described(value)}")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(f"a whole number is wanted, not {described(value)}")
    if not _SMALLEST <= value <= _LARGEST:
        raise BadValue("the number is larger than Odoo's integers")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadValue(f"a number is wanted, not {described(value)}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise BadValue("a number is wanted, not a text without one") from None
    if not math.isfinite(number):
        raise BadValue("the number is not finite")
    return number


def _date(value: Any) -> str:
    text = _text(value)
    if not _DATE.fullmatch(text):
        raise BadValue("a date is wanted: 2026-11-23")
    try:
        date.fromisoformat(text)
    except ValueError:
        raise BadValue("there is no such day") from None
    return text


def _moment(value: Any) -> str:
    """Cut the fraction off: Odoo takes whole seconds."""
    found = _MOMENT.fullmatch(_text(value))
    if found is None:
        raise BadValue("a moment in UTC is wanted: 2026-11-23T10:00:00Z")
    text = f"{found[1]} {found[2]}"
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise BadValue("there is no such moment") from None
    return text


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "char": _text,
    "text": _text,
    "html": _text,
    "selection": _text,
    "binary": _text,
    "boolean": _boolean,
    "integer": _integer,
    "float": _number,
    "monetary": _number,
    "date": _date,
    "datetime": _moment,
}


def _as_it_is(value: Any) -> Any:
    return value


_CANONICAL: Final[Mapping[str, Callable[[Any], Any]]] = {
    "integer": lambda value: int(value or 0),
    "boolean": bool,
    "html": lambda value: spoken(value or ""),
    "char": lambda value: value or "",
    "text": lambda value: value or "",
    "binary": lambda value: "".join((value or "").split()),
    "many2many": lambda value: sorted(value or ()),
}
