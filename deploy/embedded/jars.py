"""The jars of a service: the coordinates and sums of a lock file, fetched by the `jgo` wheel.

A lock file has a line `group:artifact:kind:version sha256` for every jar. jgo keeps what it
fetches in Maven's own local repository, `~/.m2/repository`.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Protocol

from embedded import folders
from embedded.errors import JarsMissing, NotInstalled

LOCKS = Path(__file__).with_name("locks")
THREADS = 8
ATTEMPTS = 3
REQUEST_TIMEOUT = 60
"""Seconds."""

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
        jgo = importlib.import_module("jgo.maven")
    except ImportError:
        raise NotInstalled("the Python package jgo, which fetches jars, is missing") from None
    maven = jgo.MavenContext(repo_cache=_repository(), timeout=REQUEST_TIMEOUT)

    def fetch(jar: Jar) -> Path:
        project = maven.project(jar.group, jar.artifact)
        return Path(project.at_version(jar.version).artifact(packaging=jar.kind).resolve())

    return fetch


def _repository() -> Path | None:
    """Return a folder for the jars of a user who has no home; None means Maven's own."""
    return None if "M2_REPO" in os.environ or folders.home() else folders.cache() / "maven"


def _verified(jar: Jar, fetch: Fetch) -> Path:
    """Return the jar's file; what failed, or has another sum, is tried again."""
    trouble: Exception | None = None
    for _ in range(ATTEMPTS):
        try:
            path = fetch(jar)
        except Exception as error:  # noqa: BLE001 - jgo and requests have no common class of errors
            trouble = JarsMissing(f"{jar} cannot be fetched: {error}")
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256:
            return path
        path.unlink()
        trouble = JarsMissing(
            f"{jar} is not the file it was: its sum differs from the lock file's"
        )
    raise trouble or JarsMissing
