"""Texts that come from files, as secrets do that somebody rotates: they are read again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, Self

from schemas.masking import learn

logger = logging.getLogger(__name__)

_EVERY: Final = 1.0  # seconds between two looks into the files


class FromFiles(str):
    """A text as it was when sync.yaml was read; `current` says what its files hold since."""

    __slots__ = ("_failing", "_last", "_looked", "_read", "where")
    where: str
    _read: Callable[[], str]
    _last: str
    _looked: float
    _failing: bool

    def __new__(cls, text: str, where: str, read: Callable[[], str]) -> Self:
        """`where` is the key in sync.yaml; `read` raises OSError or ValueError where it cannot."""
        made = super().__new__(cls, text)
        made.where, made._read, made._last = where, read, text
        made._looked, made._failing = time.monotonic(), False
        return made

    def look(self, *, at_once: bool) -> str:
        """Return what the files say, or have said: while one is missing or empty the last stands.

        They are read once a second at most, and `at_once` where asked for.
        """
        now = time.monotonic()
        if at_once or now - self._looked >= _EVERY:
            self._looked = now
            self._last = self._again() or self._last
        return self._last

    def _again(self) -> str:
        try:
            text = self._read()
        except (OSError, ValueError) as error:
            text, why = "", str(error)
        else:
            why = "it is empty"
        if text:
            learn(self.where, text)
        elif not self._failing:
            logger.warning(
                "%s cannot be read again, what it was stands: %s",
                self.where,
                why,
                extra={"action": "secret_not_read"},
            )
        self._failing = not text
        return text


def current(text: str, *, at_once: bool = False) -> str:
    """Return what a text's files say at this moment; the text itself where it has none."""
    return text.look(at_once=at_once) if isinstance(text, FromFiles) else text
