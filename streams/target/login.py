"""Whether Odoo answers and lets the service in.

While it does not, no delivery may be taken for refused.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from streams.odoo.port import Away, Conflict, LoginRefused, Trouble, Unclear

logger = logging.getLogger(__name__)

EVERY: Final = 5.0  # seconds between two tries
_LOOK: Final = 1.0  # seconds between two looks whether the key has changed


class Login:
    """Tries by itself: at the start, after a refusal, and after Odoo was away, until it is in."""

    def __init__(
        self,
        try_it: Callable[[], Awaitable[None]],
        key: Callable[[], str],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`try_it` raises a Trouble; `key` returns the api key as its file has it."""
        self._try = try_it
        self._key = key
        self._pause = pause
        self._clock = clock
        self._wanted = asyncio.Event()
        self._wanted.set()
        self.refused = ""  # why Odoo does not let us in, "" where it does or was not asked
        self.missing = "Odoo was not asked yet"  # why it is not known, "" where it is

    def note(self, why: str) -> None:
        """Take in that Odoo has refused a login."""
        if not self.refused:
            logger.error(
                "Odoo does not let the service in, nothing is applied: %s; correct `odoo:` in"
                " target.yaml",
                why,
                extra={"action": "alarm", "alarm": "target_login_refused"},
            )
        self.refused = why or "it does not say why"
        self._wanted.set()

    def lost(self, why: str) -> None:
        """Take in that Odoo did not answer: it is asked by itself until it does."""
        if not self.missing:
            logger.warning("Odoo does not answer: %s", why, extra={"action": "odoo_away"})
        self.missing = f"Odoo does not answer: {why}"
        self._wanted.set()

    def heard(self) -> None:
        """Take in that Odoo has answered somebody who is logged in."""
        if self.missing:
            logger.info("Odoo answers", extra={"action": "odoo_back"})
        self.missing = ""

    async def watch(self) -> None:
        """Try whenever it is wanted; never ends."""
        while True:
            await self._wanted.wait()
            key = self._key()
            await self._ask()
            tried = self._clock()
            while self._wanted.is_set() and self._clock() - tried < EVERY and key == self._key():
                await self._pause(_LOOK)

    async def _ask(self) -> None:
        try:
            await self._try()
        except LoginRefused as error:
            self.missing = ""
            self.note(str(error))
            return
        except (Away, Unclear, Conflict) as error:  # that says nothing of the login
            if self.missing:
                self.lost(str(error))
            return
        except Trouble as error:  # it answers, and it knows who asks
            logger.debug("asked whether Odoo lets us in: %s", error, extra={"action": "login"})
        except Exception as error:
            logger.exception("the login could not be tried", extra={"action": "login_failed"})
            self.missing = f"the login could not be tried: {type(error).__name__}"
            return
        if self.refused:
            logger.info("Odoo lets the service in again", extra={"action": "login_accepted"})
        self.heard()
        self.refused = ""
        self._wanted.clear()
