"""The jars of a service: the coordinates and sums of a lock file, fetched by the `jgo` wheel.

A lock file has a line `group:artifact:kind:version sha256` for every jar. jgo keeps what it
fetches in Maven's own local repository, `~/.m2/repository`.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from embedded import folders
from embedded.errors import JarsMissing, NotInstalled

LOCKS = Path(__file__).with_name("locks")
THREADS = 8

Progress = Callable[[int, int], None]
"""Called with the number of jars at hand and of all, from one thread at a time."""


class Jar(NamedTuple):
    """One line of a lock file."""

    group: str
    artifact: str
    kind: str
    version: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> Jar:
        """Read `group:artifact:kind:version sha256`."""
        coordinates, sha256 = line.split()
        group, artifact, kind, version = coordinates.split(":")
        return cls(group, artifact, kind, version, sha256)

    def __str__(self) -> str:
        """Name it as Maven does."""
        return f"{self.group}:{self.artifact}:{self.version}"


class Fetch(Protocol):
    """Finds a jar in the local repository, or fetches it."""

    def __call__(self, jar: Jar) -> Path:
        """Return the jar's file."""


def locked(name: str) -> list[Jar]:
    """Read the lock file of this name, `kafka-4.4.0` for instance."""
    text = (LOCKS / f"{name}.lock").read_text(encoding="ascii")
    return [Jar.parse(line) for line in text.splitlines()]


def resolve(name: str, progress: Progress | None = None) -> list[Path]:
    """Return the jars of a lock file, in its order, each with the sum that stands there.

    Raises JarsMissing, NotInstalled.
    """
    jars = locked(name)
    fetch = _fetcher()
    with folders.lock("jars"), ThreadPoolExecutor(THREADS) as threads:
        found: list[Path] = []
        for path in threads.map(lambda jar: _verified(jar, fetch), jars):
            found.append(path)
            if progress:
                progress(len(found), len(jars))
        return found


def _fetcher() -> Fetch:
    try:
        maven = importlib.import_module("jgo.maven").MavenContext()
    except ImportError:
        raise NotInstalled("the Python package jgo, which fetches jars, is missing") from None

    def fetch(jar: Jar) -> Path:
        project = maven.project(jar.group, jar.artifact)
        return Path(project.at_version(jar.version).artifact(packaging=jar.kind).resolve())

    return fetch


def _verified(jar: Jar, fetch: Fetch) -> Path:
    """Return the jar's file; one with another sum, half written perhaps, is fetched once more."""
    for last in (False, True):
        try:
            path = fetch(jar)
        except Exception as error:  # jgo and requests have no common class of errors
            raise JarsMissing(f"{jar} cannot be fetched: {error}") from error
        if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
            return path
        if not last:
            path.unlink()
    raise JarsMissing(f"{jar} is not the file it was: its sum differs from the lock file's")
