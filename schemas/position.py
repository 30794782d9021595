"""Where an event stands: total order and identity.

A position is (generation, commit LSN, ordinal, run). Generation is the birth of the shadow in
UTC seconds; the ordinal counts a transaction's events from 1; the run is 0 for live events and
the number of the replay otherwise. Written as text, positions sort like the commits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NewType

Lsn = NewType("Lsn", int)
Sequence = NewType("Sequence", str)

_LSN: Final = re.compile(r"[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}")
_SEQUENCE: Final = re.compile(r"([0-9A-F]{8})-([0-9A-F]{16})-([0-9]{8})-([0-9]{4})")
MAX_ORDINAL: Final = 99_999_999
MAX_RUN: Final = 9999
_LIVE: Final = "-0000"  # the end of a sequence that nobody replays


def parse_lsn(text: str) -> Lsn:
    """Read Postgres' notation, `16/B374D848`; ValueError for anything else."""
    if not _LSN.fullmatch(text):
        raise ValueError(f"not an LSN: {text!r}")
    high, low = text.split("/")
    return Lsn((int(high, 16) << 32) | int(low, 16))


def format_lsn(lsn: int) -> str:
    """Write Postgres' notation, `16/B374D848`."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """One event's place; compares as the commits do."""

    generation: int
    lsn: Lsn
    ordinal: int
    run: int = 0

    @property
    def sequence(self) -> Sequence:
        """`6743A1F0-00000000016B3748-00000003-0000`: sorts as text like the positions."""
        return Sequence(f"{self.generation:08X}-{self.lsn:016X}-{self.ordinal:08d}-{self.run:04d}")

    @classmethod
    def parse(cls, sequence: str) -> Position:
        """Read a sequence back; ValueError for anything that is not one."""
        match = _SEQUENCE.fullmatch(sequence)
        if match is None:
            raise ValueError(f"not a sequence: {sequence!r}")
        generation, lsn, ordinal, run = match.groups()
        return cls(int(generation, 16), Lsn(int(lsn, 16)), int(ordinal), int(run))


def is_replay(sequence: str) -> bool:
    """Return whether a sequence is that of an event which is replayed: its run is not 0."""
    return not sequence.endswith(_LIVE)


def original(sequence: str) -> str:
    """Return the sequence of the event itself, whichever run repeats it."""
    return sequence[: -len(_LIVE)] + _LIVE
