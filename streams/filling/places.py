"""Where in a message's fields something stands: JSON pointers, followed."""

from __future__ import annotations

from typing import Any

from schemas.mapping.live import steps_of


def put(fields: dict[str, Any], place: str, value: Any) -> None:
    """Write a value at a place; KeyError or IndexError where it leads nowhere."""
    inside, name = _above(fields, place)
    inside[name] = value


def leave_out(fields: dict[str, Any], place: str) -> None:
    """Take a place's name out of what holds it."""
    inside, name = _above(fields, place)
    del inside[name]


def name_of(place: str) -> str:
    """Return a place as the message names it: the pointer without its first slash."""
    return place[1:]


def _above(fields: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    *way, name = steps_of(place)
    at: Any = fields
    for step in way:
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at, name
