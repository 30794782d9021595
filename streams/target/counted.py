"""Odoo as it is asked, with every call counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from streams.odoo.port import Odoo, Trouble

Tell = Callable[[str, float], None]


class Counted:
    """A session whose calls are told: `ok` or the name of the trouble, and seconds.

    `tell` is called on the thread that asks.
    """

    def __init__(
        self, odoo: Odoo, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Ask nothing yet."""
        self._odoo = odoo
        self._tell = tell
        self._clock = clock

    @property
    def user(self) -> int:
        """See Odoo.user."""
        return self._odoo.user

    def call(self, model: str, method: str, *args: Any, **options: Any) -> Any:
        """See Odoo.call."""
        begins, outcome = self._clock(), "unexpected"
        try:
            said = self._odoo.call(model, method, *args, **options)
            outcome = "ok"
        except Trouble as error:
            outcome = type(error).__name__
            raise
        else:
            return said
        finally:
            self._tell(outcome, self._clock() - begins)
