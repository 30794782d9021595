"""Whether Odoo is asked for the values that drafts want.

While it is away, or does not let us in, nobody's attempts count, drafts wait with their chains,
and one of them is tried now and then with pauses that double. What lacks nothing goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Final

from streams.filling.reads import Away
from streams.sending.holds import Hold, Holder, Reason

_FIRST: Final = 1.0  # seconds before the first trial
_LONGEST: Final = 60.0
_LASTING: Final = 300.0  # seconds after which it is an alarm

logger = logging.getLogger(__name__)


class OdooGate(Holder):
    """Open while Odoo answers; it holds no delivery that has all its values."""

    reason = Reason.ODOO

    def __init__(self, monotonic: Callable[[], float], clock: Callable[[], float]) -> None:
        """Begin open; `clock` tells UTC seconds."""
        self._monotonic = monotonic
        self._clock = clock
        self._hold: Hold | None = None
        self._pause = self._at = self._closed = 0.0
        self._unauthorised = self._alarmed = False
        self.crowded: frozenset[str] = frozenset()  # targets that enough drafts wait of

    @property
    def closed(self) -> bool:
        """Whether nothing is asked for but with a trial."""
        return self._hold is not None

    def until(self) -> float:
        """Return the seconds until Odoo may be asked; 0 is now."""
        return max(0.0, self._at - self._monotonic()) if self.closed else 0.0

    def halts(self, target: str) -> bool:
        """Say whether a target's queue rests until Odoo has been asked for what waits of it.

        Not while Odoo is away: what lacks nothing stands there too.
        """
        return not self.closed and target in self.crowded

    def standing(self) -> Iterator[Hold]:
        """Give the one hold that there is while it is closed."""
        if self._hold is not None:
            yield self._hold

    def close(self, away: Away) -> str:
        """Take in that Odoo is not to be had; return why drafts wait."""
        began = not self.closed
        self._pause = min(2 * self._pause or _FIRST, _LONGEST)
        self._at = self._monotonic() + self._pause
        if self._hold is None:
            self._closed, self._alarmed = self._monotonic(), False
        said = f"Odoo is not to be had: {away.why}"
        since = self._hold.since if self._hold is not None else self._clock()
        self._hold = Hold(Reason.ODOO, "", said, since)
        if away.unauthorised and (began or not self._unauthorised):
            logger.error(
                "odoo does not let us in: what wants values of it waits; correct source.odoo",
                extra={"action": "alarm", "alarm": "odoo_unauthorised", "reason": away.why},
            )
        elif began:
            logger.warning(
                "odoo is away: what wants values of it waits",
                extra={"action": "odoo_away", "reason": away.why},
            )
        self._unauthorised = away.unauthorised
        self._alarm()
        return said

    def open(self) -> None:
        """Take in that Odoo has answered."""
        if self.closed:
            logger.info("odoo answers again", extra={"action": "odoo_back"})
        self._hold, self._pause = None, 0.0

    def _alarm(self) -> None:
        lasted = self._monotonic() - self._closed
        if lasted >= _LASTING and not self._alarmed:
            self._alarmed = True
            logger.error(
                "odoo has been away for %.0f s: what wants values of it waits",
                lasted,
                extra={"action": "alarm", "alarm": "odoo_away"},
            )
