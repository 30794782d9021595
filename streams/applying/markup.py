"""What two pieces of html have in common that are the same to Odoo. Pure.

Whatever it is given, it takes time in proportion to its length and raises nothing: anybody may
have written it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

_NAME: Final = re.compile(r"/?[A-Za-z][^\s/>]*")
_PLAIN: Final = re.compile(r"[^\"'>]*")
_LINK: Final = re.compile(
    r"\b(?:href|src)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE
)


def spoken(text: str) -> tuple[str, ...]:
    """Return tags, where they lead, and words: attributes are left out, as Odoo sanitises them.

    Text without a tag is a paragraph, as Odoo stores it.
    """
    found = tuple(_pieces(text))
    if found and not any(each.startswith("<") for each in found):
        return ("<p>", *found, "</p>")
    return found


def _pieces(text: str) -> Iterator[str]:
    at = begins = 0
    while (begins := text.find("<", begins)) >= 0:
        name = _NAME.match(text, begins + 1)
        if not name and not text.startswith(("!", "?"), begins + 1):
            begins += 1  # a sign that stands for itself
            continue
        yield from _words(text[at:begins])
        ends = _end_of_tag(text, name.end()) if name else _end_of_note(text, begins)
        if ends < 0:  # nothing that follows can end
            return
        if name:
            yield _tag(name[0].lower(), text[name.end() : ends])
        at = begins = ends + 1
    yield from _words(text[at:])


def _tag(name: str, attributes: str) -> str:
    if name.startswith("/"):
        return f"<{name}>"
    links = ["".join(map(_unescaped, each)) for each in _LINK.findall(attributes)]
    return " ".join((f"<{name}>", *links))


def _end_of_tag(text: str, at: int) -> int:
    """Return where a tag ends, -1 where it does not; `>` between quotes does not end it."""
    while True:
        plain = _PLAIN.match(text, at)
        at = plain.end() if plain else at
        if at == len(text):
            return -1
        if text[at] == ">":
            return at
        closing = text.find(text[at], at + 1)
        if closing < 0:
            return -1
        at = closing + 1


def _end_of_note(text: str, begins: int) -> int:
    """Return where a comment or a declaration ends, -1 where it does not."""
    if not text.startswith("<!--", begins):
        return text.find(">", begins)
    ends = text.find("-->", begins)
    return ends + 2 if ends >= 0 else -1


def _words(text: str) -> list[str]:
    """Return the words, each behind a blank: none is taken for a tag."""
    return [f" {word}" for word in _unescaped(text).split()]


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # a character's number of thousands of digits
        return text
