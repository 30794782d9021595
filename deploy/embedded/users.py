"""Whom a service runs as, and what that user can reach."""

from __future__ import annotations

import os
import pwd
import stat
from pathlib import Path
from typing import NamedTuple

OVERFLOW = 65534
"""The number of `nobody` where nobody has that name."""


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
    """Return the user for a service that refuses to run as root; None when we are not root."""
    if os.geteuid():
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return User(OVERFLOW, OVERFLOW)
    return User(nobody.pw_uid, nobody.pw_gid)
