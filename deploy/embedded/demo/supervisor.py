"""Starts our programs again when they end, as a service manager would."""

from __future__ import annotations

from typing import Final

from embedded.demo.errors import ProgramEnded
from embedded.demo.programs import Program

MOST: Final = 5
"""Restarts of one program until it is given up."""


def tend(*programs: Program) -> list[str]:
    """Start again what has ended; return the names. Raises ProgramEnded, NotStarted."""
    started = []
    for program in programs:
        if program.running:
            continue
        if program.restarts >= MOST:
            raise ProgramEnded(
                f"{program.name} has ended for the {MOST + 1}th time:\n{program.tail()}"
            )
        program.restarts += 1
        program.launch()
        started.append(program.name)
    return started
