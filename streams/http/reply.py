"""What a delivery is answered over HTTP, and what of it WSO2's flow can carry on."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

CODE: Final = re.compile(r"[A-Z0-9_]{1,40}")
NUMBER: Final = re.compile(r"[0-9]{1,19}")
LONGEST: Final = 600  # characters of a message in its header
_PLAIN: Final = re.compile(r"[ !#-%'-;=?-\[\]-~]")  # may stand in JSON and XML as it is


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, and the JSON that goes with it; `after` in seconds, None as the sender likes."""

    status: int
    body: Any
    after: float | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Return its headers: what the body says too, for a flow that does not read it."""
        said = self.body if isinstance(self.body, dict) else {}
        code, message = str(said.get("code", "")), str(said.get("message", "")).strip()
        number = str(said.get("target_id", ""))
        found = {}
        if CODE.fullmatch(code):
            found["X-Cdc-Code"] = code
        if message:
            found["X-Cdc-Message"] = plain(message)
        if NUMBER.fullmatch(number):
            found["X-Cdc-Target-Id"] = number
        if self.after is not None:
            found["Retry-After"] = str(max(1, math.ceil(self.after)))
        return found


def plain(text: str, longest: int = LONGEST) -> str:
    r"""Write a text so that it can stand between the quotes of JSON in XML, as ASCII.

    Everything that might end one of them is written as JSON's `\uXXXX`. What is longer than
    `longest` is cut, never inside a character.
    """
    pieces: list[str] = []
    left = longest
    for each in text:
        piece = each if _PLAIN.fullmatch(each) else _escaped(each)
        left -= len(piece)
        if left < 0:
            break
        pieces.append(piece)
    return "".join(pieces)


def _escaped(character: str) -> str:
    data = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{data[at]:02x}{data[at + 1]:02x}" for at in range(0, len(data), 2))
