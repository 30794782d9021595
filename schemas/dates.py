"""The parts of a date that a domain can ask for, `date_order.month_number`, as numbers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

DAY_OF_WEEK: Final = "day_of_week"
DATES: Final = frozenset({"date", "datetime"})  # Odoo's types that have parts
WEEK_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SUNDAY: Final = 7  # as `res_lang.week_start` has it; Monday is 1

_READ: Final[Mapping[str, Callable[[datetime], float]]] = {
    "year_number": lambda at: at.year,
    "quarter_number": lambda at: (at.month + 2) // 3,
    "month_number": lambda at: at.month,
    "iso_week_number": lambda at: at.isocalendar().week,
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "day_of_month": lambda at: at.day,
    DAY_OF_WEEK: lambda at: at.isoweekday(),
    "hour_number": lambda at: at.hour,
    "minute_number": lambda at: at.minute,
    "second_number": lambda at: at.second + at.microsecond / 1_000_000,
}
PARTS: Final = tuple(_READ)


def part_of(part: str, *, week_start: int) -> Callable[[str | None], float | None]:
    """Return what reads one part of a date or a moment, None of NULL.

    It takes them as Avro carries them: `2026-11-23`, `2026-11-23T10:00:00.5Z`. A date has the
    hour 0. Seconds have their fraction. `week_start`, 1 for Monday to 7, is the day of the week
    that is 0.
    """
    found = _READ[part]

    def read(raw: str | None) -> float | None:
        if raw is None:
            return None
        try:
            at = datetime.fromisoformat(raw)
        except ValueError:  # before the year 1 or after 9999, where Odoo itself cannot read it
            return None
        return found(at)

    def day_of_week(raw: str | None) -> float | None:
        day = read(raw)
        return None if day is None else (day - week_start) % 7

    return day_of_week if part == DAY_OF_WEEK else read
