"""How many deliveries took which step of late, per route and target: told by the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.keys import DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.ledger import Entry, seconds

WINDOW: Final = 300.0  # seconds that rates look back
_COLUMNS: Final = {
    "queued": (State.QUEUED,),
    "accepted": (State.ACCEPTED,),
    "delivered": (State.DELIVERED,),
    "failed": (State.REJECTED, State.DEAD),
}
Line = tuple[str, str]  # route, target


@dataclass(slots=True)
class Rates:
    """Counts the steps that were taken since a moment, `since` in UTC seconds.

    The ledger is read in its order: the latest entry of a delivery knows the time of every step.
    Memory is what was written since then.
    """

    since: float
    _latest: dict[DeliveryId, Entry] = field(default_factory=dict)

    def take(self, written: float, entry: Entry) -> None:
        """Take in an entry; `written` is Kafka's time of it."""
        if written >= self.since:
            self._latest[entry.id] = entry

    def to_json(self, lines: Iterable[Line]) -> list[dict[str, Any]]:
        """Return how many deliveries a minute took each step, for these lines at least."""
        counts = {line: dict.fromkeys(_COLUMNS, 0) for line in lines}
        for entry in self._latest.values():
            line = split_delivery_id(entry.id)[1], entry.target
            counted = counts.setdefault(line, dict.fromkeys(_COLUMNS, 0))
            for column, states in _COLUMNS.items():
                counted[column] += any(self._lately(entry, state) for state in states)
        minutes = WINDOW / 60
        return [
            {"route": route, "target": target}
            | {f"{column}_per_minute": round(n / minutes, 1) for column, n in counted.items()}
            for (route, target), counted in sorted(counts.items())
        ]

    def _lately(self, entry: Entry, state: State) -> bool:
        at = entry.times.get(state.value)
        return at is not None and seconds(at) >= self.since
