"""Where services keep their data, and where what is made once is kept for the next start."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from embedded.users import User


def home() -> Path | None:
    """Return the user's home, if there is one that can be written to."""
    with contextlib.suppress(RuntimeError):  # a user by number alone
        found = Path.home()
        if os.access(found, os.W_OK):
            return found
    return None


def cache() -> Path:
    """Return the folder for what can be made again; it exists.

    `$XDG_CACHE_HOME/odoo-cdc` or `~/.cache/odoo-cdc`; for a user without a home a private one
    in the temporary folder.
    """
    candidates = [Path(tempfile.gettempdir()) / f"odoo-cdc-{os.getuid()}"]
    base = os.environ.get("XDG_CACHE_HOME") or ((own := home()) and own / ".cache")
    if base:
        candidates.insert(0, Path(base) / "odoo-cdc")
    for candidate in candidates:
        with contextlib.suppress(OSError):
            candidate.mkdir(mode=0o700, parents=True, exist_ok=True)
            if candidate.stat().st_uid == os.getuid() and os.access(candidate, os.W_OK):
                return candidate
    return Path(tempfile.mkdtemp(prefix="odoo-cdc-cache-"))


def data(name: str, user: User | None = None) -> Path:
    """Make a temporary folder for one service's data, where its user reaches it."""
    places = (tempfile.gettempdir(), "/var/tmp", "/tmp")  # noqa: S108 - mkdtemp's folder is private
    reached = (place for place in places if not user or user.reaches(Path(place)))
    return Path(tempfile.mkdtemp(prefix=f"odoo-cdc-{name}-", dir=next(reached, None))).resolve()


def key(*parts: object) -> str:
    """Name a cached thing after everything that it depends on."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Let one process at a time make the thing of this name."""
    with (cache() / f"{name}.lock").open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder of this name, made by `make` when there is none.

    `make` fills a folder beside it that is renamed when complete: one that is killed leaves
    nothing half made.
    """
    folder = cache() / name
    if folder.is_dir():
        return folder
    with lock(name):
        if not folder.is_dir():
            begun = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=cache()))
            try:
                make(begun)
                begun.rename(folder)
            finally:
                shutil.rmtree(begun, ignore_errors=True)
    return folder
