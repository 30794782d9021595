"""The folder of one worker on this host: a cache per partition, one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import lmdb

from schemas.errors import BadUsage
from schemas.folder import made
from streams.cache.partition import LmdbCache


class InUse(BadUsage):
    """Another worker has this state folder."""

    hint = "Give each worker on a host its own name: `odoo-cdc stream --worker NAME`."


class StateFolder:
    """The folder of one worker: a cache per partition. One process at a time."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        """Lock the folder, made where there is none; InUse where another process has it.

        StateUnusable where it cannot be.
        """
        self._folder = made(folder)
        self._clock = clock
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise InUse(f"{folder} is used by another process") from None

    def open(self, partition: int) -> LmdbCache:
        """Open the cache of a partition; an unusable one is replaced by an empty one."""
        folder = self._folder / f"p{partition:04d}"
        # Whatever is wrong with it: Kafka holds all of it.
        with contextlib.suppress(lmdb.Error, OSError, ValueError, KeyError):
            cache = LmdbCache(folder, partition, self._clock)
            if cache.fresh():
                return cache
            cache.close()
        shutil.rmtree(folder, ignore_errors=True)
        return LmdbCache(folder, partition, self._clock)

    def close(self) -> None:
        """Let another process have the folder."""
        self._lock.close()
