"""Masks: what a target gets of a value that it must not see. Pure.

A masked value is a text; null and the empty text stay what they are. What is masked is the text
that would be sent: numbers as JSON writes them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any, Final

from schemas import message

HMAC: Final = "hmac"
LAST4: Final = "last4"
REDACT: Final = "redact"
MASKS: Final = (HMAC, LAST4, REDACT)
REDACTED: Final = "***"
_SHOWN: Final = 4  # characters that `last4` shows ...
_FROM: Final = 8  # ... of a text that has so many: of a shorter one they would be half of it


def mask_of(name: str, key: str) -> Callable[[Any], Any]:
    """Return the mask of that name, one of MASKS.

    `hmac` is HMAC-SHA-256 (RFC 2104) with `key` as UTF-8, 64 hexadecimal digits: the same value
    gives the same text, so a target can still compare and join.
    """
    masks: dict[str, Callable[[str], str]] = {
        HMAC: lambda text: hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest(),
        LAST4: lambda text: REDACTED + (text[-_SHOWN:] if len(text) >= _FROM else ""),
        REDACT: lambda _: REDACTED,
    }
    hide = masks[name]

    def mask(value: Any) -> Any:
        if value is None or value == "":
            return value
        return hide(value if isinstance(value, str) else message.encode(value))

    return mask
