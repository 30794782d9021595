"""Figures of several runs, for people and for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

_HEAD: Final = ("", "median", "low", "high", "runs", "unit", "budget")


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity; `budget` says what was hoped for, "" where nothing was."""

    name: str
    unit: str
    values: tuple[float, ...]
    budget: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it with every run."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": median(self.values),
            "low": min(self.values),
            "high": max(self.values),
            "runs": list(self.values),
            "budget": self.budget,
        }

    def cells(self) -> tuple[str, ...]:
        """Return its line of the table."""
        shown = (_short(f(self.values)) for f in (median, min, max))
        return (self.name, *shown, str(len(self.values)), self.unit, self.budget)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures for people."""
    rows = [_HEAD, *(figure.cells() for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    return "\n".join(_line(row, widths) for row in rows)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *cells = row
    texts = [name.ljust(widths[0])]
    texts += [
        cell.rjust(width) if at < 4 else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths[1:], strict=True))
    ]
    return "  ".join(texts).rstrip()


def _short(value: float) -> str:
    """Write three digits at least, no more than are meant."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
