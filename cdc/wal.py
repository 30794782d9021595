"""The WAL that Postgres keeps for us: how fast it grows, when that ends, and who ends it. Pure."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.errors import DataAtRisk

logger = logging.getLogger(__name__)

HALF: Final = 0.5
STOP: Final = "source.stop_at_wal"
_SPAN: Final = 600.0  # seconds that looks are remembered
_SHORTEST: Final = 60.0  # seconds; what grows for less long says nothing
_MEGABYTE: Final = 1 << 20
_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


class Slot(Protocol):
    """A look at the replication slot; sizes in bytes, None: not known, or without limit."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def wal_held(self) -> int | None:
        """WAL that is kept for it."""

    @property
    def safe_wal_size(self) -> int | None:
        """WAL that may still be written before Postgres drops it."""


class SlotReleased(DataAtRisk):
    """The replication slot was dropped: it held more WAL than source.stop_at_wal."""

    hint = (
        "Postgres has its disk back, and what was written since the last confirmed commit is in no"
        " stream. See to what held capture up (`odoo-cdc check`), then `odoo-cdc capture"
        " --recover`: it makes a new slot, reads everything again and publishes what was missed."
    )


@dataclass(frozen=True, slots=True)
class Growth:
    """How many bytes more the slot holds each hour."""

    hourly: float

    @classmethod
    def between(cls, then: tuple[float, int], now: tuple[float, int]) -> Growth | None:
        """Compare two looks (seconds, bytes); None where they lie too near to each other."""
        seconds = now[0] - then[0]
        return cls((now[1] - then[1]) / seconds * _HOUR) if seconds >= _SHORTEST else None

    def seconds_to(self, room: int | None) -> float | None:
        """Return when so many bytes more are held; None: never at this rate."""
        if room is None or self.hourly <= 0:
            return None
        return room / self.hourly * _HOUR


def room(state: Slot, stop_at: int) -> int | None:
    """Return how many bytes more may be held until the slot is gone; None: without limit."""
    found = [] if state.safe_wal_size is None else [max(0, state.safe_wal_size)]
    if stop_at:
        found.append(max(0, stop_at - (state.wal_held or 0)))
    return min(found, default=None)


class Gauge:
    """What a running capture has seen of its slot; the loop shows it every look."""

    def __init__(self, stop_at: int) -> None:
        """Begin without a look; `stop_at` bytes end it, 0: never."""
        self.held: int | None = None
        self.growth: Growth | None = None
        self._stop_at = stop_at
        self._looks: deque[tuple[float, int]] = deque()
        self._last: Slot | None = None
        self._alarmed = False
        self.room: int | None = None

    def see(self, state: Slot, now: float) -> None:
        """Take a look in; the same one again is none. Raises SlotReleased above the limit."""
        if state is self._last:
            return
        self._last, self.held, self.room = state, state.wal_held, room(state, self._stop_at)
        if state.wal_held is None:
            return
        self._looks.append((now, state.wal_held))
        while now - self._looks[0][0] > _SPAN:
            self._looks.popleft()
        self.growth = Growth.between(self._looks[0], self._looks[-1])
        if self._stop_at and state.wal_held > self._stop_at:
            held = state.wal_held // _MEGABYTE
            limit = self._stop_at // _MEGABYTE
            text = f'the replication slot "{state.name}" holds {held} MiB of WAL, more than {STOP}'
            raise SlotReleased(f"{text} ({limit} MiB)")
        self._warn(state)

    @property
    def hourly(self) -> int | None:
        """How many bytes more an hour; None: not known."""
        return None if self.growth is None else round(self.growth.hourly)

    @property
    def seconds_left(self) -> float | None:
        """When the slot is gone at this rate; None: not known, or never."""
        return None if self.growth is None else self.growth.seconds_to(self.room)

    def _warn(self, state: Slot) -> None:
        """Raise the alarm once when half of what there may be is held, until it is less again."""
        held = state.wal_held or 0
        left = self.seconds_left
        near = self.room is not None and held > self.room
        if near and not self._alarmed:
            logger.warning(
                'the replication slot "%s" holds %d MiB of WAL, %d MiB more and it is gone%s',
                state.name,
                held // _MEGABYTE,
                (self.room or 0) // _MEGABYTE,
                "" if left is None else f": at this rate in {in_words(left)}",
                extra={"action": "alarm", "alarm": "wal_held"},
            )
        self._alarmed = near


def in_words(seconds: float) -> str:
    """Say how long that is: `30 min`, `3 h`."""
    return f"{seconds / _HOUR:.0f} h" if seconds >= _HOUR else f"{seconds / 60:.0f} min"


def warnings(state: Slot, stop_at: int, growth: Growth | None) -> Iterator[str]:
    """Warn from half of what the file lets the slot hold, and of what ends within a day."""
    held = state.wal_held or 0
    left = None if growth is None else growth.seconds_to(room(state, stop_at))
    if growth is not None and left is not None and left < _DAY:
        yield (
            f"nothing was confirmed for a while, and {growth.hourly / _MEGABYTE:.0f} MiB of WAL"
            f" are written an hour: at this rate the slot is gone in {in_words(left)}"
        )
    if stop_at and held > stop_at * HALF:
        yield (
            f'the replication slot "{state.name}" holds {held // _MEGABYTE} of the'
            f" {stop_at // _MEGABYTE} MiB of WAL that {STOP} allows; beyond that capture drops it"
        )
