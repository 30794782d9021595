"""When what two programs write of a value is the same. Pure.

Each leniency has a name and can be turned off. They hold in both directions, and at every depth.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final


class Leniency(StrEnum):
    """What is taken for the same although it is written otherwise."""

    NUMBERS = "numbers"  # 12.5, 12.50 and "12.50"; not "012"
    EMPTY = "empty"  # false, null, and a name that is missing
    BLANK = "blank"  # "" and null
    DATETIMES = "datetimes"  # with or without T, Z or an offset; without a fraction on one side
    MANY2ONE = "many2one"  # [7, "Azure"] and 7
    ORDER = "order"  # plain values of a list, in any order


ALL: Final = frozenset(Leniency)


class Missing(Enum):
    """Stands where a name is not there."""

    MISSING = ""


MISSING: Final = Missing.MISSING
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,100})?", re.ASCII)
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_PAIR: Final = 2  # an id and a name


def is_same(old: Any, ours: Any, lenient: Collection[Leniency] = ALL) -> bool:
    """Say whether two JSON values (numbers with a fraction as Decimal) are the same."""
    if Leniency.MANY2ONE in lenient:
        old, ours = _id_of(old, beside=ours), _id_of(ours, beside=old)
    if isinstance(old, dict) and isinstance(ours, dict):
        return all(
            is_same(old.get(name, MISSING), ours.get(name, MISSING), lenient)
            for name in old.keys() | ours.keys()
        )
    if isinstance(old, list) and isinstance(ours, list):
        return len(old) == len(ours) and _are_same(old, ours, lenient)
    return _plain(old, ours, lenient)


def differing(
    old: Any, ours: Any, lenient: Collection[Leniency] = ALL, path: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Give what is not the same, as deep as both have it: (path, old, ours), or MISSING.

    A path is like `order_line[0].price_unit`.
    """
    if is_same(old, ours, lenient):
        return
    if isinstance(old, dict) and isinstance(ours, dict):
        for name in dict.fromkeys((*old, *ours)):
            inside = old.get(name, MISSING), ours.get(name, MISSING)
            yield from differing(*inside, lenient, f"{path}.{name}" if path else str(name))
    elif _are_objects(old) and _are_objects(ours) and len(old) == len(ours):
        for place, pair in enumerate(zip(old, ours, strict=True)):
            yield from differing(*pair, lenient, f"{path}[{place}]")
    else:
        yield path, old, ours


def _are_same(old: list[Any], ours: list[Any], lenient: Collection[Leniency]) -> bool:
    if all(is_same(*pair, lenient) for pair in zip(old, ours, strict=True)):
        return True
    if Leniency.ORDER not in lenient or any(isinstance(v, list | dict) for v in (*old, *ours)):
        return False
    return Counter(_key(v, lenient) for v in old) == Counter(_key(v, lenient) for v in ours)


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _plain(old: Any, ours: Any, lenient: Collection[Leniency]) -> bool:
    if isinstance(old, list | dict) or isinstance(ours, list | dict):
        return False
    if _key(old, lenient) == _key(ours, lenient):
        return True
    if Leniency.DATETIMES not in lenient:
        return False
    one, other = _moment(old), _moment(ours)
    if one is None or other is None or one[0] != other[0]:
        return False
    return not one[1] or not other[1]  # the fraction of a second: who has none says nothing of it


def _key(value: Any, lenient: Collection[Leniency]) -> tuple[str, Any]:
    """Return what is the same for plain values that are, but for fractions of a second."""
    if value is None or _is_empty(value, lenient):
        return "null", None
    number = _number(value) if Leniency.NUMBERS in lenient else None
    if number is not None:
        return "number", number
    moment = _moment(value) if Leniency.DATETIMES in lenient else None
    return (type(value).__name__, str(value)) if moment is None else ("moment", moment)


def _is_empty(value: Any, lenient: Collection[Leniency]) -> bool:
    if value is False or value is MISSING:
        return Leniency.EMPTY in lenient
    return isinstance(value, str) and not value and Leniency.BLANK in lenient


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    written = isinstance(value, str) and _NUMBER.fullmatch(value)
    return Decimal(value) if written else None


def _moment(value: Any) -> tuple[datetime, str] | None:
    """Return a moment's second in UTC, and its fraction's digits without trailing zeros."""
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    date, time, fraction, zone = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}{zone or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment, (fraction or "").rstrip("0")


def _id_of(value: Any, *, beside: Any) -> Any:
    """Return the id of `[7, "Azure"]` that stands beside no list; any other value as it is."""
    pair = isinstance(value, list) and len(value) == _PAIR and not isinstance(beside, list)
    return value[0] if pair and type(value[0]) is int and isinstance(value[1], str) else value
