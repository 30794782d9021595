"""The folder of `state:`: ours to write, and on a disk of this host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from schemas.finding import Finding

_MOUNTS: Final = Path("/proc/self/mounts")
_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "fuse.sshfs"}
)


def findings(state: Path) -> Iterator[Finding]:
    """Say why the shadow and what waits could not be kept in `state`."""
    there = next(folder for folder in (state, *state.parents) if folder.exists())
    if not there.is_dir():
        yield _error(f"{there} is no folder", "name a folder")
    elif not os.access(there, os.W_OK | os.X_OK):
        yield _error(f"{there} may not be written to", "name another folder, or change its owner")
    kind = file_system(there.resolve(), _mounts())
    if kind in _NETWORK:
        yield _error(
            f"{state} is on a network file system ({kind}): the shadow could be damaged there",
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
