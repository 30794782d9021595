"""One artifact, and why there can be none. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from xml.sax.saxutils import escape

from schemas.errors import BadUsage


class NotGenerated(BadUsage):
    """The file says too little, or too much, for WSO2 artifacts."""

    hint = "Correct what the message names; docs/configuration.md shows every key."


@dataclass(frozen=True, slots=True)
class Artifact:
    """The text of a file; one that holds a `secret` is for its owner only."""

    text: str
    secret: bool = False


def attribute(text: str) -> str:
    """Write a text between the double quotes of an attribute."""
    return escape(text, {'"': "&quot;"})
