"""One slice of what an operator asks for in a partition, and what it has come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.arguments import Selection
from streams.chains.by_hand import Result, Wish

SECONDS: Final = 1.0  # that a slice takes, about
AT_ONCE: Final = 100  # deliveries in one write
_SHOWN: Final = 20  # deliveries that an answer names


@dataclass(slots=True)
class Tally:
    """What deliveries came to: how many, and some of them."""

    counts: dict[str, int] = field(default_factory=dict)
    shown: list[tuple[str, str]] = field(default_factory=list)

    def add(self, delivery_id: str, result: Result) -> None:
        """Count one."""
        self.counts[result.value] = self.counts.get(result.value, 0) + 1
        if len(self.shown) < _SHOWN:
            self.shown.append((delivery_id, result.value))

    def to_rest(self) -> dict[str, Any]:
        """Return it as a part of a `rest`."""
        return {"counts": self.counts, "shown": [list(pair) for pair in self.shown]}

    @classmethod
    def of(cls, rest: Mapping[str, Any]) -> Tally:
        """Go on where `to_rest` left off."""
        shown = [(str(name), str(what)) for name, what in rest.get("shown", ())]
        counts = {str(name): int(number) for name, number in rest.get("counts", {}).items()}
        return cls(counts, shown)


@dataclass(slots=True)
class Slice:
    """One slice of a command in one partition."""

    partition: int
    selection: Selection
    wish: Wish
    tally: Tally
    end: float  # by the monotonic clock
