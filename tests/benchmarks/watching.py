"""What running programs have come to: waits that end when they do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.programs import Program

PATIENCE: Final = 900.0  # seconds
LOOK: Final = 0.02  # seconds between two looks


def came(notes: Path) -> list[tuple[float, Any]]:
    """Return what came to WSO2 so far, with the time."""
    lines = notes.read_bytes().split(b"\n")[:-1]  # the last one may not be complete
    pairs = (line.split(b"\t", 1) for line in lines)
    return [(float(at), json.loads(body)) for at, body in pairs]


def number_came(notes: Path) -> int:
    """Return how many deliveries came to WSO2 so far."""
    return notes.read_bytes().count(b"\n")


def wait(
    condition: Callable[[], bool],
    programs: Sequence[Program],
    often: float = LOOK * 10,
    patience: float = PATIENCE,
) -> None:
    """Wait for something that running programs do; AssertionError where one ends before.

    It is looked at every `often` seconds, `patience` seconds long.
    """
    deadline = time.monotonic() + patience
    while not condition():
        running(programs)
        assert time.monotonic() < deadline, "it did not happen"
        for program in programs:
            program.look()
        time.sleep(often)


def running(programs: Sequence[Program]) -> None:
    """Look whether programs run still; AssertionError with what it said where one has ended."""
    for program in programs:
        assert program.process.poll() is None, f"it ended:\n{program.tail()}"
