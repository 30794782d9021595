"""The hours in which a target is sent to: `22:00-06:00 Europe/Berlin`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from schemas.fields import nearest
from schemas.finding import Fault

_FORM: Final = re.compile(
    r"(?P<from>(?:[01][0-9]|2[0-3]):[0-5][0-9])-(?P<to>(?:[01][0-9]|2[0-3]):[0-5][0-9])"
    r" +(?P<zone>[A-Za-z0-9_+/-]+)"
)
_HELP: Final = 'write hours and a time zone: "22:00-06:00 Europe/Berlin"'
_MINUTE: Final = 60  # seconds; windows and the offsets of time zones are whole minutes
_FAR: Final = 3 * 86400  # seconds: the longest that a window can stay as it is


@dataclass(frozen=True, slots=True)
class Window:
    """Open while a clock on the wall of its zone shows a time from `start` on and before `end`.

    Both in minutes of the day; a start behind the end spans midnight. So where clocks are put
    back, an hour in the window is open twice, and where they are put forward, one that is left
    out is not open that day.
    """

    start: int
    end: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str) -> Window | None:
        """Read a window that `fault_of_window` finds nothing wrong with; None for "" (always)."""
        if not text:
            return None
        match = _FORM.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no window")
        return cls(_minutes(match["from"]), _minutes(match["to"]), ZoneInfo(match["zone"]))

    def is_open(self, at: float) -> bool:
        """Say whether it is open at a moment, in UTC seconds."""
        local = datetime.fromtimestamp(at, self.zone)
        minute = 60 * local.hour + local.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    def until(self, at: float) -> float:
        """Return when it opens or closes next after a moment, both in UTC seconds."""
        now = self.is_open(at)
        first = int(at // _MINUTE + 1) * _MINUTE
        for moment in range(first, first + _FAR, _MINUTE):
            if self.is_open(moment) is not now:
                return float(moment)
        raise AssertionError(self)  # every window opens and closes within two days


def fault_of_window(text: str) -> Fault | None:
    """Return what is wrong with a window, None where nothing is; "" is no window at all.

    The first time may be later than the second: such a window spans midnight.
    """
    if not text:
        return None
    match = _FORM.fullmatch(text)
    if match is None:
        return Fault(f'"{text}" is no window', _HELP)
    if match["from"] == match["to"]:
        return Fault("the window begins when it ends", 'leave it empty ("") for all hours')
    if not _is_zone(match["zone"]):
        near = nearest(match["zone"], sorted(available_timezones()))
        remedy = f'did you mean "{near}"?' if near else "name one like Europe/Berlin or UTC"
        return Fault(f'there is no time zone "{match["zone"]}"', remedy)
    return None


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a folder, a path that leads outside
        return False
    return True
