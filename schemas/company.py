"""Values that depend on the company: one column holds those of all companies.

Odoo (18 and later) keeps such a field as jsonb, {"1": 235.0}. A company that is not in it has the
field's default, which stands in `ir_default` and nowhere near the record: the configuration
states it (`source.company_defaults`), and `check` holds it against the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from schemas.document import Column
from schemas.fields import Kind

_DIGITS: Final = 131_072  # before the point: as many as a numeric has
EVERY: Final = "*"  # in place of a company's id
Defaults = Mapping[str, Any]  # "1" or EVERY -> JSON value

_KINDS: Final[Mapping[str, Kind]] = {
    "boolean": Kind.BOOLEAN,
    "char": Kind.TEXT,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "float": Kind.NUMERIC,
    "html": Kind.TEXT,
    "integer": Kind.INTEGER,
    "many2one": Kind.INTEGER,
    "monetary": Kind.NUMERIC,
    "selection": Kind.TEXT,
    "text": Kind.TEXT,
}


def of_one_company(column: Column) -> Column | None:
    """Return the column as if it held one company's value; None where there is no such form."""
    kind = _KINDS.get(column.type)
    return None if kind is None else replace(column, kind=kind)


def default_of(defaults: Defaults, company: int) -> Any:
    """Return a field's default for a company, None where it has none."""
    return defaults.get(str(company), defaults.get(EVERY))


def reader(kind: Kind, company: int, default: Any) -> Callable[[str | None], Any]:
    """Return what reads one company's value, as a column of that kind would carry it.

    A company whose value is null is empty; one that is missing has the default. ValueError, from
    the reader, for what is no such value.
    """
    name = str(company)
    otherwise = carried(kind, default)

    def read(raw: str | None) -> Any:
        if raw is None:
            return otherwise
        try:
            values = json.loads(raw, parse_float=Decimal)
        except RecursionError:
            raise ValueError(raw) from None
        if not isinstance(values, dict):
            raise ValueError(raw)  # noqa: TRY004  told as a value that cannot be sent
        return carried(kind, values[name]) if name in values else otherwise

    return read


def carried(kind: Kind, value: Any) -> Any:
    """Return a JSON value in the form in which Avro carries a column's; ValueError.

    Odoo writes false where a field that is no boolean is empty. A number may stand as text, as
    in Odoo, which casts it.
    """
    if kind is Kind.BOOLEAN:
        return bool(value)
    if value is None or value is False:
        return None
    if isinstance(value, bool | dict | list):
        raise ValueError(value)  # noqa: TRY004  told as a value that cannot be sent
    match kind:
        case Kind.NUMERIC:
            return f"{_number(value):f}"
        case Kind.INTEGER if int(_number(value)) == _number(value):
            return int(_number(value))
        case Kind.TEXT | Kind.DATE if isinstance(value, str):
            return value
        case Kind.DATETIME if isinstance(value, str):
            return f"{value.replace(' ', 'T').removesuffix('Z')}Z"
        case _:
            raise ValueError(value)


def _number(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite() or abs(number.adjusted()) > _DIGITS:
        raise ValueError(value)
    return number
