"""Finds the file, brings it up to date, and does without it where that cannot be."""

from __future__ import annotations

import fcntl
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import ServiceUnavailable
from streams.index.store import Index, Unfit

_NAME: Final = "index.sqlite"
Fill = Callable[[Index], None]  # reads on; Anew where what it has is of other topics
Say = Callable[[str], None]


class Anew(Exception):
    """What the file knows is of topics that there are no more."""


class IndexDamaged(ServiceUnavailable):
    """The index is damaged."""

    hint = "Ask again: it is made anew from what Kafka holds."


@contextmanager
def opened(folder: Path, fill: Fill, say: Say) -> Iterator[Index]:
    """Give the index in a folder, filled; one that is thrown away where the folder is of no use.

    Raises IndexDamaged where what was there cannot be read: the next one makes it anew.

    Commands that look at the same time take turns in filling it. `say` tells people what takes
    its time.
    """
    try:
        index = _filled(folder, fill, say)
    except (OSError, sqlite3.Error) as error:
        say(f"{folder} cannot be used ({error}): all is read from Kafka, which takes longer")
    else:
        try:
            yield index
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            _remove(folder)
            raise IndexDamaged(f"{folder / _NAME} was damaged: {error}") from error
        finally:
            index.close()
        return
    with tempfile.TemporaryDirectory(prefix="odoo-cdc-") as other:
        index = Index(str(Path(other) / _NAME))
        try:
            fill(index)
            yield index
        finally:
            index.close()


def _filled(folder: Path, fill: Fill, say: Say) -> Index:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        _wait(lock.fileno(), say)  # until it is closed
        path = folder / _NAME
        try:
            return _open(path, fill)
        except (Anew, Unfit, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.OperationalError):  # the disk, not the file
                raise
            say(f"{path} is made anew: {error}")
            _remove(folder)
            return _open(path, fill)


def _remove(folder: Path) -> None:
    for each in folder.glob(f"{_NAME}*"):
        each.unlink()


def _open(path: Path, fill: Fill) -> Index:
    index = Index(str(path))
    try:
        fill(index)
    except BaseException:  # raised on; who opens it again finds what is durable
        index.close()
        raise
    return index


def _wait(lock: int, say: Say) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another command is reading what Kafka has gained; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)
