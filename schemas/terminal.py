"""What others write, shown in a terminal: it must not move the cursor or turn the writing.

And what is asked there.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Final

_UNSEEN: Final = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
)
_IN_LINES: Final = re.compile(f"[{_UNSEEN}]")
_IN_ONE: Final = re.compile(f"[\n{_UNSEEN}]")


def visible(text: str, *, lines: bool = False) -> str:
    r"""Return the text with control characters, and those of direction, as JSON writes them.

    Only tabs stay; where `lines`, the ends of lines too. What is visible stays as it is.
    """
    return (_IN_LINES if lines else _IN_ONE).sub(lambda found: json.dumps(found[0])[1:-1], text)


def agrees(question: str) -> bool:
    """Ask; anything but yes is no."""
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
