"""How far a table is read beside the stream, and how fast. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(slots=True)
class Reading:
    """`rows` so far, of about `of` (None: Postgres has no estimate), `rate` of them a second.

    The rate is that of this process, 0 until it is known.
    """

    rows: int = 0
    of: int | None = None
    rate: float = 0.0
    _began: tuple[float, int] | None = field(default=None, compare=False)

    def took(self, rows: int, of: int | None, at: float) -> None:
        """Note so many rows more that were read at a time; monotonic seconds."""
        self.rows += rows
        self.of = None if of is None else max(of, self.rows)
        if self._began is None:
            self._began = at, self.rows
        elif at > self._began[0]:
            self.rate = (self.rows - self._began[1]) / (at - self._began[0])

    @property
    def seconds_left(self) -> float | None:
        """How long it takes at that rate, None where nobody knows."""
        return None if self.of is None or not self.rate else (self.of - self.rows) / self.rate

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; `from_json` reads it back."""
        return {"rows": self.rows, "of": self.of, "rate": round(self.rate, 1)}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(found["rows"], found["of"], found["rate"])
