"""The table of `docs/sizes.md`, which the long tests write, a line each."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "sizes.md"
_HEAD: Final = "|---|--:|--:|--:|\n"
_END: Final = "<!-- end -->"


def put(what: str, *cells: str) -> None:
    """Write a line, in the place of the one about the same thing."""
    head, found, rest = PAGE.read_text(encoding="utf-8").partition(_HEAD)
    assert found, f"{PAGE.name} has no table"
    table, found, tail = rest.partition(_END)
    assert found, f"{PAGE.name}: the table has no end"
    lines = dict(line.split(" | ", 1) for line in table.splitlines())
    lines[f"| {what}"] = f"{' | '.join(cells)} |"
    text = "".join(f"{name} | {line}\n" for name, line in lines.items())
    PAGE.write_text(f"{head}{_HEAD}{text}{_END}{tail}", encoding="utf-8")
