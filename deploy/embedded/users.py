"""Whom a service runs as, and what that user can reach."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

OVERFLOW = 65534
"""The number of `nobody` nearly everywhere."""


class User(NamedTuple):
    """A user by numbers, without supplementary groups."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether permission bits let this user get to `path` and read it.

        Access control lists are not looked at.
        """
        resolved = path.resolve()
        wanted = stat.S_IROTH | stat.S_IXOTH if resolved.is_dir() else stat.S_IROTH
        return self.gets_to(resolved) and self._may(resolved, wanted)

    def gets_to(self, path: Path) -> bool:
        """Whether permission bits let this user pass every folder above `path`."""
        return all(self._may(folder, stat.S_IXOTH) for folder in path.resolve().parents)

    def owns(self, folder: Path) -> None:
        """Give this user the folder and everything in it."""
        os.chown(folder, self.uid, self.gid)
        for path in folder.rglob("*"):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def _may(self, path: Path, for_others: int) -> bool:
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        wanted = for_others << shift
        return found.st_mode & wanted == wanted


def ordinary() -> User | None:
    """Return the user for a service that refuses to run as root; None when we are not root.

    `nobody`, or some other known user: initdb wants one with a name.
    """
    if os.geteuid():
        return None
    known = [entry for entry in pwd.getpwall() if entry.pw_uid]
    known.sort(key=lambda entry: entry.pw_name != "nobody")
    return User(known[0].pw_uid, known[0].pw_gid) if known else User(OVERFLOW, OVERFLOW)
