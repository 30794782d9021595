"""What programs say at `/metrics`, and counters that go on over the lives of a program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_SAMPLE: Final = re.compile(
    r'^odoo_cdc_(?:stream|target)_(\w+?)(?:\{\w+="([^"]*)".*\})? (\S+)$', re.MULTILINE
)

Samples = dict[tuple[str, str], float]
"""(name, value of the first label or "") -> sum over all other labels."""


def sums(text: str) -> Samples:
    """Sum a Prometheus text up over all labels but the first."""
    found: Samples = {}
    for name, label, value in _SAMPLE.findall(text):
        found[name, label] = found.get((name, label), 0.0) + float(value)
    return found


@dataclass(slots=True)
class Lasting:
    """Counters of a program that begin at zero with each of its lives, and go on here."""

    life: int = 0
    now: Mapping[tuple[str, str], float] = field(default_factory=dict)
    before: Samples = field(default_factory=dict)

    def note(self, life: int, samples: Mapping[tuple[str, str], float]) -> None:
        """Take what the process of this number says; nothing where it does not answer."""
        if not samples:
            return
        if life != self.life:
            for name, value in self.now.items():
                self.before[name] = self.before.get(name, 0.0) + value
        self.life, self.now = life, samples

    def total(self, name: str, label: str = "") -> int:
        """Return what a counter has come to over all lives."""
        return int(self.before.get((name, label), 0.0) + self.now.get((name, label), 0.0))
