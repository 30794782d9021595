"""The pages of a mapped file, given back before they look like memory that we need.

LMDB reads its file through a mapping: every page that was ever looked at counts as resident
until the kernel wants it back. Letting go of them (madvise(2), MADV_DONTNEED on a shared mapping)
loses nothing: they stay in the page cache, and the next look finds them there.
"""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path
from typing import Final

LIMIT: Final = 48 * 1024 * 1024  # bytes of mapped files, our libraries among them
_STATM: Final = Path("/proc/self/statm")
_MAPS: Final = Path("/proc/self/maps")
_DONTNEED: Final = 4
_LINE: Final = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \S+ +(.+)$", re.MULTILINE)


class Mapped:
    """One mapped file; where the system does not tell of its mappings, nothing is done."""

    def __init__(self, file: Path, limit: int = LIMIT) -> None:
        """Watch a file that is mapped, or will be."""
        self._file = str(file.resolve())
        self._limit = limit
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._known = _STATM.exists() and _MAPS.exists()

    def trim(self) -> None:
        """Let go of the file's pages where those of all mapped files are above the limit."""
        if self._known and resident() * self._page > self._limit:
            libc = ctypes.CDLL(None)
            for begin, end, file in _LINE.findall(_MAPS.read_text(errors="replace")):
                if file == self._file:
                    at, size = int(begin, 16), int(end, 16) - int(begin, 16)
                    libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(size), _DONTNEED)


def resident() -> int:
    """Return how many pages of mapped files are resident (proc(5), statm: shared)."""
    return int(_STATM.read_text(encoding="ascii").split()[2])
