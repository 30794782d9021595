"""When something that failed is tried again, and with what: one delivery at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schemas.keys import Chain, DeliveryId

_KNOWN: Final = 1000  # chains that trials failed with: more are forgotten, the first first


class Trials:
    """Pauses that double up to a bound, and the chains that were tried.

    `tried` are those of this round: each comes again when all have had their turn. `known` are
    those of all rounds: where nothing else is at hand it may be they that fail, each by itself.
    """

    def __init__(self, first: float, longest: float, monotonic: Callable[[], float]) -> None:
        """Pause for `first` seconds, then longer, `longest` at most."""
        self._first = first
        self._longest = longest
        self._monotonic = monotonic
        self._pause = 0.0
        self._at = 0.0
        self._given_up = 0.0
        self._chain: Chain | None = None
        self.under_way: DeliveryId | None = None
        self.tried: set[Chain] = set()
        self.known: dict[Chain, None] = {}  # in the order in which they were tried

    def until(self) -> float:
        """Return the seconds until the next one may begin: 0 is now, infinity while one is on."""
        if self.under_way is not None:
            return float("inf")
        return max(0.0, self._at - self._monotonic())

    def failed(self, asked: float | None = None) -> None:
        """Pause twice as long as before; not less than was `asked` for, within the bound."""
        self._pause = min(2 * self._pause or self._first, self._longest)
        asked = min(asked or 0.0, self._longest)
        self._at = self._monotonic() + max(self._pause, asked)
        self._end()

    def begin(self, delivery_id: DeliveryId, chain: Chain, patience: float) -> None:
        """Try with a delivery; without an end within `patience` seconds it has failed."""
        self.under_way = delivery_id
        self._chain = chain
        self._given_up = self._monotonic() + patience

    def said_nothing(self) -> None:
        """End a trial that tells nothing of what is tried: the next one may begin at once."""
        self._end()

    def ease(self) -> None:
        """Begin with the shortest pause when it fails again."""
        self._pause = 0.0

    def reset(self) -> None:
        """Begin anew with the next failure."""
        self._pause = self._at = 0.0
        self._chain = None
        self._end()
        self.tried.clear()
        self.known.clear()

    def lost(self) -> bool:
        """Say whether a trial is under way that should have ended."""
        return self.under_way is not None and self._monotonic() >= self._given_up

    def _end(self) -> None:
        self.under_way = None
        if self._chain is not None:
            self.tried.add(self._chain)
            self.known.pop(self._chain, None)
            self.known[self._chain] = None
            if len(self.known) > _KNOWN:
                del self.known[next(iter(self.known))]
            self._chain = None
