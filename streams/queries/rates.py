"""How many deliveries took which step of late, per route and target. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from streams.index.tables import TIMES

WINDOW: Final = 300.0  # seconds that rates look back
Line = tuple[str, str]  # route, target


def rates(
    counted: Mapping[Line, Mapping[str, int]], lines: Iterable[Line]
) -> list[dict[str, Any]]:
    """Return how many deliveries a minute took each step, for these lines at least.

    `counted` is how many did in the last WINDOW seconds.
    """
    still = dict.fromkeys(TIMES, 0)
    found = {**dict.fromkeys(lines, still), **counted}
    minutes = WINDOW / 60
    return [
        {"route": route, "target": target}
        | {f"{name}_per_minute": round(number / minutes, 1) for name, number in steps.items()}
        for (route, target), steps in sorted(found.items())
    ]
