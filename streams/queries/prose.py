"""Times and tables for people who sit before a terminal. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_UNITS: Final = (("d", 86400.0), ("h", 3600.0), ("min", 60.0))
_SECOND: Final = 1.0
_TENS: Final = 10.0


def ago(seconds: float) -> str:
    """Write a duration as people say it: `35 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`."""
    seconds = max(0.0, seconds)
    if seconds < _SECOND:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:  # noqa: PLR2004  a minute
        return f"{seconds:.1f} s" if seconds < _TENS else f"{seconds:.0f} s"
    names = [*_UNITS, ("s", 1.0)]
    for (name, size), (smaller, part) in pairwise(names):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            left = int(rest // part)
            return f"{whole:.0f} {name} {left} {smaller}" if left else f"{whole:.0f} {name}"
    raise AssertionError(seconds)


def table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write columns side by side; a further line in a last cell stands below its column."""
    first = [[cell.split("\n")[0] for cell in line] for line in lines]
    widths = [max(map(len, column)) for column in zip(heads, *first, strict=True)]
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    text = [_line(heads, widths)]
    for line, cells in zip(lines, first, strict=True):
        text.append(_line(cells, widths))
        text += [" " * indent + more for more in line[-1].split("\n")[1:]]
    return "\n".join(text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(map(str.ljust, cells, widths)).rstrip()
