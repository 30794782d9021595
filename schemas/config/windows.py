"""The hours in which a target is sent to: `22:00-06:00 Europe/Berlin`."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from schemas.fields import nearest
from schemas.finding import Fault

_FORM: Final = re.compile(
    r"(?P<from>(?:[01][0-9]|2[0-3]):[0-5][0-9])-(?P<to>(?:[01][0-9]|2[0-3]):[0-5][0-9])"
    r" +(?P<zone>[A-Za-z0-9_+/-]+)"
)
_HELP: Final = 'write hours and a time zone: "22:00-06:00 Europe/Berlin"'


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


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a folder, a path that leads outside
        return False
    return True
