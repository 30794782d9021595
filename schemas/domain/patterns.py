"""LIKE and ILIKE, as Postgres matches them on UTF-8 text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

ESCAPE: Final = "\\"


def matcher(pattern: str, *, ignore_case: bool) -> Callable[[str], bool]:
    r"""Return whether a text matches the whole of `pattern`.

    `%` is any text, line breaks included, `_` any character, `\` takes the next one as it
    stands. Raises ValueError for a pattern that ends in a single `\`, as Postgres refuses it.
    """
    compiled = re.compile(_regex(lower(pattern) if ignore_case else pattern), re.DOTALL)
    match = compiled.match
    if ignore_case:
        return lambda text: match(lower(text)) is not None
    return lambda text: match(text) is not None


def lower(text: str) -> str:
    """Return the text in small letters, each character by itself, as Postgres does.

    Python alone gives two characters for a dotted I, and looks at a sigma's neighbours.
    """
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def _regex(pattern: str) -> str:
    """Return a regular expression that needs no more than one look back.

    Between wildcards the leftmost fit is as good as any other, so it is never given up again;
    the last piece is found from the end.
    """
    first, *rest = _pieces(pattern)
    if not rest:
        return rf"{first}\Z"
    *between, last = rest
    return first + "".join(f"(?>.*?{piece})" for piece in between if piece) + rf".*{last}\Z"


def _pieces(pattern: str) -> Iterator[str]:
    """Yield what stands between the `%`, as regular expressions of a fixed length."""
    piece: list[str] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            yield "".join(piece)
            piece = []
        elif letter == "_":
            piece.append(".")
        elif letter == ESCAPE:
            escaped = next(letters, "")
            if not escaped:
                raise ValueError(pattern)
            piece.append(re.escape(escaped))
        else:
            piece.append(re.escape(letter))
    yield "".join(piece)
