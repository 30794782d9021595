"""How long it takes from a commit to the shop: of all, and of late."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

RECENT: Final = 500
STEP: Final = 1.02
"""Ratio of neighbouring buckets: percentiles are right to 2 %."""
BOUNDS: Final = tuple(0.0005 * STEP**place for place in range(900))  # to 7 hours


@dataclass(slots=True)
class Latencies:
    """Seconds, in buckets: memory does not grow with their number."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def add(self, seconds: float) -> None:
        """Count one; a negative one, where clocks differ, is none."""
        self.counts[bisect_left(BOUNDS, max(0.0, seconds))] += 1
        self.recent.append(max(0.0, seconds))

    def percentile(self, share: float) -> float | None:
        """Return what so many stay below, None where nothing came."""
        left = share * sum(self.counts)
        if not left:
            return None
        for place, count in enumerate(self.counts):
            left -= count
            if left <= 0:
                return BOUNDS[min(place, len(BOUNDS) - 1)]
        return BOUNDS[-1]

    def summary(self) -> dict[str, Any]:
        """Return milliseconds; null where nothing came."""
        return {
            "count": sum(self.counts),
            "p50": _milliseconds(self.percentile(0.5)),
            "p99": _milliseconds(self.percentile(0.99)),
            "recent_p50": _milliseconds(_nearest(self.recent, 0.5)),
            "recent_p99": _milliseconds(_nearest(self.recent, 0.99)),
        }


def _nearest(values: Sequence[float], share: float) -> float | None:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
