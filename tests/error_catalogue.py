"""docs/errors.md, written from the code: `python -m tests.error_catalogue` writes it anew."""

from __future__ import annotations

import importlib
import pkgutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from schemas.errors import OdooCdcError

FILE: Final = Path(__file__).parents[1] / "docs" / "errors.md"
PACKAGES: Final = ("schemas", "cdc", "streams", "embedded")
WIDTH: Final = 100
HEAD: Final = """\
# Errors

Every error says what happened and what to do next: `odoo-cdc: MESSAGE`, then `hint: HINT`. The
message often names more than the sentence below: a table, a topic, a route. Exit codes are in
[operations.md](operations.md#exit-codes).
"""
TITLES: Final = {
    1: "Exit 1: the answer is no",
    2: "Exit 2: the command line, the file, or what they ask for is not valid",
    3: "Exit 3: a service is not there",
    4: "Exit 4: stopped to protect data",
}


def errors() -> list[type[OdooCdcError]]:
    """Return every error that is raised, sorted by exit code and name."""
    importlib.import_module("cdc.__main__")  # the one that can be imported as well as run
    for package in map(importlib.import_module, PACKAGES):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found = {each for each in _below(OdooCdcError) if each.__module__ != "schemas.errors"}
    ours = {each for each in found if each.__module__.split(".")[0] in PACKAGES}
    return sorted(ours, key=lambda each: (each.exit_code, each.__name__, each.__module__))


def sentence(error: type[OdooCdcError]) -> str:
    """Return what an error says where it names nothing more."""
    return (error.__doc__ or "").strip().splitlines()[0]


def page() -> str:
    """Return the whole page."""
    lines = [HEAD]
    code = 0
    for error in errors():
        if error.exit_code != code:
            code = error.exit_code
            lines.append(f"## {TITLES[code]}\n")
        program = error.__module__.split(".")[0]
        lines.append(f"### {sentence(error)}\n")
        lines.append(f"{textwrap.fill(error.hint, WIDTH, break_on_hyphens=False)}\n")
        lines.append(f"`{error.__name__}` of `{program}`\n")
    return "\n".join(lines)


def _below(error: type[OdooCdcError]) -> Iterator[type[OdooCdcError]]:
    for each in error.__subclasses__():
        yield each
        yield from _below(each)


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
