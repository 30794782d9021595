"""How two values that differ are shown in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Final

_RED, _GREEN, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[0m"
_WIDEST: Final = 200  # characters of a value that is shown


def pair(name: str, old: str, new: str) -> Iterator[str]:
    """Give a line for the old value and one for the new, none for "" (there is no value)."""
    for sign, colour, text in (("-", _RED, old), ("+", _GREEN, new)):
        if text:
            cut = text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."
            yield _coloured(f"  {sign} {f'{name}: ' if name else ''}{cut}", colour)


def _coloured(text: str, colour: str) -> str:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        return f"{colour}{text}{_PLAIN}"
    return text
