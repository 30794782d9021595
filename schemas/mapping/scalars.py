"""One stored value: what it says, how it is sent, and how it is compared.

Values come as Avro carries them (`schemas.avro`): numeric, dates and jsonb as text. They are
sent as CONTRACT.md section 2 ("JSON types") wants them; a Decimal is sent as a JSON number with
the same digits (`schemas.message`). They are compared by value: 100.0 equals 100.00, and true
never equals 1.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from schemas.domain.scalars import BASE_LANGUAGE
from schemas.errors import OdooCdcError
from schemas.fields import Kind
from schemas.mapping.forms import ALL_LANGUAGES, Path, Table
from schemas.mapping.masks import HMAC, mask_of

_SHOWN: Final = 60  # characters of a value in a message
_DEEPEST: Final = 100  # levels of stored JSON; more would not survive other readers
_LONGEST_INT: Final = 18  # digits that every integer has room for
_NUMBERS: Final = frozenset({Kind.INTEGER, Kind.FLOAT, Kind.NUMERIC})
_TEXTS: Final = frozenset({Kind.TEXT, Kind.DATE, Kind.DATETIME, Kind.TRANSLATED})

Function = Callable[[Any], Any]


class UnsendableValue(OdooCdcError):
    """A value cannot be sent."""

    hint = "Correct the record in Odoo, which sends it again; or leave the field out."

    def __init__(self, field: str, value: object, why: str, *, hint: str = "") -> None:
        """Name the field of the route and the value, cut to what a line can hold."""
        text = repr(value)
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        super().__init__(f'"{field}" cannot be sent: {shown} {why}', hint=hint)
        self.field = field


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a stored value is read, and what follows: what is sent, and what is compared.

    `read` gives None or "" where there is nothing; the others are asked for what `read` gave,
    None apart from which they need not know.
    """

    read: Function
    send: Function
    compare: Function


def scalar(kind: Kind, field: str, *, lang: str, number: bool) -> Scalar:
    """Return how a kind of column is handled; UnsendableValue, when called, names `field`.

    `lang` is a language or "*"; `number` asks for numeric values as JSON numbers.
    """
    reads: dict[Kind, Function] = {
        Kind.BOOLEAN: bool,
        Kind.FLOAT: lambda raw: _finite(raw, field),
        Kind.NUMERIC: lambda raw: _numeric(raw, field),
        Kind.TRANSLATED: _translated(field, lang),
        Kind.JSON: lambda raw: _json(raw, field),
    }
    sends: dict[Kind, Function] = {
        Kind.NUMERIC: Decimal if number else _same,
        Kind.BINARY: _base64,
        Kind.DATE: lambda raw: _in_calendar(raw, field),
        Kind.DATETIME: lambda raw: _in_calendar(raw, field),
    }
    compares: dict[Kind, Function] = {Kind.NUMERIC: Decimal, Kind.JSON: comparable}
    return Scalar(
        reads.get(kind, _same),
        sends.get(kind, _same),
        compares.get(kind, _same),
    )


def finish(
    path: Path, kind: Kind, handled: Scalar, field: str, mask_key: str = ""
) -> tuple[Function, Function]:
    """Return two functions of a stored value: what is sent, and what is compared."""
    read, send, compare = handled.read, _unless_null(handled.send), _unless_null(handled.compare)
    if path.table is not None:
        send = look = _lookup(path.table, kind, field)
        compare = _then(look, comparable)
    if path.mask:
        send = _then(send, mask_of(path.mask, mask_key))
        if path.mask != HMAC:
            compare = send  # what a target cannot see of a change is none to it
    if path.default is None:
        return _then(read, send), _then(read, compare)
    default, compared = path.default, comparable(path.default)

    def with_default(raw: Any) -> Any:
        value = read(raw)
        return default if value is None or value == "" else send(value)

    def default_compared(raw: Any) -> Any:
        value = read(raw)
        return compared if value is None or value == "" else compare(value)

    return with_default, default_compared


def comparable(value: Any) -> Any:
    """Return a JSON value such that == means the same in JSON: true is not 1."""
    match value:
        case bool():
            return ("boolean", value)
        case list():
            return [comparable(each) for each in value]
        case dict():
            return {name: comparable(each) for name, each in value.items()}
        case _:
            return value


def table_key(kind: Kind, written: Any) -> Hashable:
    """Return a table's key as values of that kind are looked up; ValueError where none fits."""
    if written is None:
        return None
    if kind is Kind.BOOLEAN:
        if isinstance(written, bool):
            return written
    elif kind in _NUMBERS:
        if not isinstance(written, bool):
            try:
                return Decimal(str(written))
            except InvalidOperation:  # no number: refused below
                pass
    elif kind in _TEXTS:
        return str(written).lower() if isinstance(written, bool) else str(written)
    raise ValueError(written)


def _same(value: Any) -> Any:
    return value


def _then(first: Function, second: Function) -> Function:
    if first is _same:
        return second
    if second is _same:
        return first
    return lambda value: second(first(value))


def _unless_null(function: Function) -> Function:
    if function is _same:
        return _same
    return lambda value: None if value is None else function(value)


def _lookup(table: Table, kind: Kind, field: str) -> Function:
    values: dict[Hashable, Any] = {}
    for written, sent in table.values:
        try:
            values[table_key(kind, written)] = sent
        except ValueError:  # `check` says so; no value ever matches
            continue
    numbers = kind in _NUMBERS

    def look(value: Any) -> Any:
        if kind in _TEXTS or kind is Kind.BOOLEAN or value is None:
            key = value
        else:
            key = Decimal(str(value)) if numbers else ()
        if key in values:
            return values[key]
        if table.has_else:
            return table.otherwise
        raise UnsendableValue(
            field,
            value,
            "is not in its table",
            hint="Add it to the `table`, or give it an `else`; the record's next change sends it.",
        )

    return look


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _finite(raw: Any, field: str) -> Any:
    if raw is not None and not math.isfinite(raw):
        raise UnsendableValue(field, raw, "is no number that JSON can hold")
    return raw


def _numeric(raw: Any, field: str) -> Any:
    if raw is not None and raw.lstrip("-") in {"NaN", "Infinity"}:
        raise UnsendableValue(field, raw, "is no number that JSON can hold")
    return raw


def _in_calendar(raw: str, field: str) -> str:
    """Return a date or moment of the years 1 to 9999; infinity, others, and BC have no form."""
    if raw[4:5] != "-" or " " in raw:
        raise UnsendableValue(field, raw, "is no date of the years 1 to 9999")
    return raw


def _translated(field: str, lang: str) -> Function:
    def one(raw: str | None) -> Any:
        languages = _languages(raw, field)
        if lang in languages:
            return languages[lang]
        return languages.get(BASE_LANGUAGE)

    def every(raw: str | None) -> Any:
        if raw is None:
            return None
        # What begins with an underscore is Odoo's own note, no language.
        return {k: v for k, v in _languages(raw, field).items() if not k.startswith("_")}

    return every if lang == ALL_LANGUAGES else one


def _languages(raw: str | None, field: str) -> dict[str, Any]:
    if raw is None:
        return {}
    value = _json(raw, field)
    if isinstance(value, dict):
        return value
    raise UnsendableValue(field, raw, "is no translated value")


def _json(raw: str | None, field: str) -> Any:
    if raw is None:
        return None
    try:
        value = _decode(raw)
    except (ValueError, RecursionError) as error:
        raise UnsendableValue(field, raw, "is no JSON") from error
    # Every level costs a bracket: most values need no closer look.
    if raw.count("{") + raw.count("[") > _DEEPEST and _depth(value) > _DEEPEST:
        raise UnsendableValue(field, raw, f"is nested more than {_DEEPEST} levels deep")
    return value


def _int(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)


def _no_constant(text: str) -> Any:
    raise ValueError(text)


# Made once: `json.loads` would make one for every value.
_decode: Final = json.JSONDecoder(
    parse_float=Decimal, parse_int=_int, parse_constant=_no_constant
).decode


def _depth(value: Any) -> int:
    """Count levels without recursion."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inside for each in level for inside in _inside(each)]
    return depth


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
