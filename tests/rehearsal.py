"""Pages of docs whose commands are typed one after the other, and print what the page shows.

`$ odoo-cdc ...` in a block of `console` is typed; `...` in what it prints stands for what differs
each time. `<!-- word -->` is what happens meanwhile.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from tests.programs import COMMAND, Programs

PATIENCE: Final = 60.0  # seconds until a test gives up; none waits that long
_STEP: Final = re.compile(
    r"^<!-- (\w+) -->$|^```console\n\$ (.*?)\n(.*?)^```", re.DOTALL | re.MULTILINE
)
Typed = Callable[[str], str]


def rehearse(
    page: Path, happens: Mapping[str, Callable[[], None]], typed: Typed, looks: Collection[str]
) -> None:
    """Type a page; commands that only look (`looks`) may be typed again until they show it."""
    steps = _STEP.findall(page.read_text(encoding="utf-8"))
    assert len(steps) > len(happens)
    assert {event for event, _, _ in steps if event} == set(happens)
    for event, command, shown in steps:
        if event:
            happens[event]()
        else:
            _look(typed, command, shown.splitlines(), again=command.split()[1] in looks)


def type_into(programs: Programs, line: str, folder: Path) -> str:
    """Return what a command prints that is typed in a folder."""
    words = shlex.split(line, comments=True)
    assert words.pop(0) == "odoo-cdc"
    done = subprocess.run(
        [*COMMAND, *words, "-c", str(programs.config)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout + done.stderr


def _look(typed: Typed, command: str, shown: list[str], *, again: bool) -> None:
    """Type a command until it prints these lines, in this order; once where it does something."""
    pattern = re.compile(".*?^".join(["", *map(_pattern, shown)]), re.DOTALL | re.MULTILINE)
    deadline = time.monotonic() + PATIENCE
    while not pattern.search(said := typed(command)):
        assert again, f"{command}:\n{said}"
        assert time.monotonic() < deadline, f"{command}:\n{said}"


def _pattern(line: str) -> str:
    """Match a line; how far it is indented follows from how long an age before it is written."""
    words = "[^\n]*?".join(map(re.escape, line.lstrip().split("...")))
    return rf"[^\S\n]*{words}[^\S\n]*$"
