"""Where in a message's fields something stands: JSON pointers, followed."""

from __future__ import annotations

from typing import Any

from schemas.mapping import holder


def put(fields: dict[str, Any], place: str, value: Any) -> None:
    """Write a value at a place; KeyError or IndexError where it leads nowhere."""
    inside, name = holder(fields, place)
    inside[name] = value


def name_of(place: str) -> str:
    """Return a place as the message names it: the pointer without its first slash."""
    return place[1:]
