"""The tables of `docs/faults.md`; `by` is what writes one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "faults.md"
END: Final = "<!-- end -->"


@dataclass(frozen=True)
class Table:
    """One of them: its name in the page, and its columns of numbers."""

    name: str
    columns: Sequence[str]
    by: str = "make test-long"
    words: Sequence[str] = ()
    """Columns behind the numbers."""

    def write(self, lines: Sequence[str]) -> None:
        """Replace its lines; each is a row."""
        begin = f"<!-- {self.name}: written by {self.by} -->\n\n"
        head, found, rest = PAGE.read_text(encoding="utf-8").partition(begin)
        assert found, f"{PAGE.name} has no table of the {self.name}"
        tail = rest.partition(END)[2]
        columns = f"| fault | {' | '.join([*self.columns, *self.words])} |"
        rule = f"|---|{'--:|' * len(self.columns)}{'---|' * len(self.words)}"
        table = "\n".join([columns, rule, *lines, END])
        PAGE.write_text(f"{head}{begin}{table}{tail}", encoding="utf-8")
