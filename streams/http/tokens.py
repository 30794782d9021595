"""The token that lets senders in."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable
from typing import Final

from schemas.from_files import current

logger = logging.getLogger(__name__)

OVERLAP: Final = 3600  # seconds that a former token is let in


class Tokens:
    """A token, and for OVERLAP seconds the one before it: who sends is given another after us."""

    def __init__(
        self, where: str, token: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`where` is its key in the file; "" as a token lets everybody in.

        `clock` tells seconds that never go back.
        """
        self._where = where
        self._token = token
        self._clock = clock
        self._now = current(token)
        self._former = ""
        self._until = 0.0

    def adopt(self, token: str) -> None:
        """Know senders by the token of another file."""
        self._token = token
        self._look(at_once=True)

    def admit(self, authorization: str) -> bool:
        """Return whether a header `Authorization` holds it, as a bearer token."""
        if not self._token:
            return True
        scheme, _, token = authorization.partition(" ")
        said = token.strip() if scheme.lower() == "bearer" else ""
        self._look(at_once=False)
        if self._fits(said):
            return True
        self._look(at_once=True)
        return self._fits(said)

    def _look(self, *, at_once: bool) -> None:
        found = current(self._token, at_once=at_once)
        if found != self._now:
            self._former, self._now = self._now, found
            self._until = self._clock() + OVERLAP
            logger.info(
                "%s has changed: the former one is let in for %d minutes more",
                self._where,
                OVERLAP // 60,
                extra={"action": "token_changed"},
            )

    def _fits(self, said: str) -> bool:
        overlap = self._former and self._clock() < self._until
        known = (self._now, self._former if overlap else self._now)
        data = said.encode(errors="surrogateescape")
        return any(hmac.compare_digest(data, each.encode()) for each in known)
