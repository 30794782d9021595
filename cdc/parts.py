"""What the loop of capture drives, and what it needs of each part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cdc.engine.fold import Fold
from cdc.engine.plan import Plan
from cdc.epoch import Epoch
from cdc.loading import Marks, Piece
from cdc.progress import Portion, Progress
from cdc.stream import Stream


class Connection(Protocol):
    """The walsender's connection."""

    def read(self) -> memoryview | bytes | None:
        """Return the next frame, None when none is waiting."""

    def wait(self, seconds: float) -> None:
        """Wait for the next one."""

    def send_status(self, written: int, flushed: int, applied: int) -> None:
        """Tell the server how far we are."""

    def farewell(self, written: int, flushed: int, seconds: float) -> None:
        """Tell it for the last time, and wait until it was heard."""

    def close(self) -> None:
        """Close it."""


class LeftOut(Protocol):
    """What the stream leaves out."""

    @property
    def tables(self) -> frozenset[str]:
        """Tables that it leaves out, or has left out."""

    @property
    def back(self) -> Mapping[str, int]:
        """Those of them that it has from here on, with their places in the publication."""


class Backfill(Protocol):
    """Who decides on portions."""

    def next(self, progress: Progress, now: float) -> Portion | None:
        """Return the portion to publish next, None where there is none yet."""


class Resends(Protocol):
    """Who sends documents again where somebody asks for it."""

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""

    def attend(self, now: float) -> bool:
        """Take what operators ask for; say whether the epoch must end for it."""

    def next(self, now: float) -> Piece | None:
        """Return the piece to publish next, None where there is none yet."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the loop drives; `connect` opens the stream behind an LSN, `watch` raises trouble.

    `leaves` says whether the server is about to go, in the midst of work too, `altered` whether
    tables are made otherwise than the plan has it.
    """

    plan: Plan
    fold: Fold
    epoch: Epoch
    stream: Stream
    marks: Marks
    backfill: Backfill
    resends: Resends
    connect: Callable[[int], Connection]
    watch: Callable[[], LeftOut]
    leaves: Callable[[], bool]
    altered: Callable[[], bool] = bool
    load_rate: int = 0  # rows a second that are read of tables; 0: as fast as possible
    passing: bool = False  # another plan follows once every table is read
