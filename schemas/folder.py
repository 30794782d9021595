"""The folder of `state:`: ours to write, and on a disk of this host."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.errors import BadUsage
from schemas.finding import Finding

_MOUNTS: Final = Path("/proc/self/mounts")
_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "fuse.sshfs"}
)


_NOT_OURS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR})


class StateUnusable(BadUsage):
    """The folder of `state:` is not ours to write."""

    hint = (
        "Let `state:` name a folder on a local disk that the user of the program owns,"
        " `/var/lib/odoo-cdc` for instance. Where systemd starts it, `ReadWritePaths=` must have"
        " it too."
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where the state is or will be: the nearest folder that is there, and what it is."""

    nearest: Path
    is_folder: bool
    writable: bool
    file_system: str  # "" where it is not known


def made(folder: Path) -> Path:
    """Return a folder below `state:`, made where there is none, or raise StateUnusable."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _NOT_OURS:
            raise
        raise StateUnusable(f"{folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StateUnusable(f"{folder} may not be written to")
    return folder


def look(state: Path) -> Place:
    """Look at the disk."""
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    writable = os.access(there, os.W_OK | os.X_OK)
    return Place(there, there.is_dir(), writable, file_system(there.resolve(), _mounts()))


def findings(state: Path, place: Place) -> Iterator[Finding]:
    """Say why the shadow and what waits could not be kept in `state`. Pure."""
    if not place.is_folder:
        yield _error(f"{place.nearest} is no folder", "name a folder")
    elif not place.writable:
        remedy = "name another folder, or change its owner"
        yield _error(f"{place.nearest} may not be written to", remedy)
    if place.file_system in _NETWORK:
        yield _error(
            f"{state} is on a network file system ({place.file_system}): the shadow could be"
            " damaged there",
            "name a folder on a local disk; there is nothing to share, each host has its own",
        )


def file_system(folder: Path, mounts: Iterable[str]) -> str:
    """Return the type of the file system that holds a folder, "" where it is not known.

    `mounts` are lines of /proc/self/mounts (proc(5)): device, mount point, type, options ...
    """
    best, found = -1, ""
    for line in mounts:
        _, point, kind, *_ = line.split(" ")
        place = Path(point.encode().decode("unicode_escape"))  # a blank is written as \040
        if folder.is_relative_to(place) and len(place.parts) >= best:
            best, found = len(place.parts), kind
    return found


def _mounts() -> list[str]:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return []


def _error(message: str, remedy: str) -> Finding:
    return Finding("error", "state", None, message, remedy)
