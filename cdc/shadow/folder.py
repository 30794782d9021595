"""The shadow's folder: whether there is one, and who has it: one process, until it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO, Final

from schemas.folder import made

_NAME: Final = "lock"
FILE: Final = "data.mdb"


def has_shadow(folder: Path) -> bool:
    """Say whether a shadow was begun there."""
    return (folder / FILE).exists()


class Lock:
    """An flock(2) on a file in the folder; the kernel lets go of it when a process dies."""

    def __init__(self, folder: Path) -> None:
        """Take nothing yet; the folder is made where there is none."""
        self.folder = folder
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take it; False where another process has it. Taking it twice is fine.

        Raises StateUnusable.
        """
        made(self.folder)
        if self._file is None or not self._is_there(self._file):
            self.close()
            self._file = (self.folder / _NAME).open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        # The folder may have been removed in between: then the lock is of a file that is gone.
        return self._is_there(self._file) or self.take()

    def close(self) -> None:
        """Let go of it, if it was taken."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_there(self, file: IO[str]) -> bool:
        try:
            there = (self.folder / _NAME).stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(file.fileno()))
