"""How far a shadow run has come: written with care, since no topic holds it."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import lmdb

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable

_FORMAT: Final = 1
_FIRST_MAP: Final = 16 * 2**20  # bytes; doubled when it is full
_STANDING: Final = b"standing"
_LOCK: Final = "in-use"  # LMDB has a lock of its own
Part = tuple[str, int]  # topic, partition


class RunInUse(BadUsage):
    """Another shadow run has this folder."""

    hint = "Give each shadow run its own name: `odoo-cdc shadow-run --name NAME`."


class FolderUnusable(ServiceUnavailable):
    """The folder of the shadow run cannot be read or written."""

    hint = (
        "Make room on the disk, or give the right to write there, and start it again: it goes on"
        " where it stopped. A folder that is damaged is removed together with the output, to begin"
        " anew."
    )


class OtherFormat(DataAtRisk):
    """The folder of the shadow run was written by another version."""

    hint = "Let that version go on with it, or remove the folder and the output to begin anew."


@dataclass(frozen=True, slots=True)
class Standing:
    """What an output covers: `length` in bytes, `offsets` of what is to be taken next.

    `topics` is what Kafka itself calls each topic: another one once it was made anew.
    """

    output: str
    length: int = 0
    offsets: Mapping[Part, int] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Write it."""
        places = [[*part, offset] for part, offset in sorted(self.offsets.items())]
        said = {"format": _FORMAT, "output": self.output, "length": self.length}
        return json.dumps({**said, "offsets": places, "topics": dict(self.topics)}).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Self:
        """Read it. OtherFormat."""
        said = json.loads(value)
        if said["format"] != _FORMAT:
            raise OtherFormat(f"its format is {said['format']}, not {_FORMAT}")
        offsets = {(topic, partition): at for topic, partition, at in said["offsets"]}
        return cls(said["output"], said["length"], offsets, said["topics"])


class Covered:
    """The folder of one shadow run; one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, made where there is none. RunInUse, FolderUnusable."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / _LOCK).open("w")
        except OSError as error:
            raise FolderUnusable(f"{folder}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise RunInUse(f"{folder} is used by another process") from None
        try:
            self._env = lmdb.open(str(folder), map_size=_FIRST_MAP, max_dbs=2)
            self._meta: Any = self._env.open_db(b"meta")
            self._latest: Any = self._env.open_db(b"latest")
        except lmdb.Error as error:
            self._lock.close()
            raise FolderUnusable(f"{folder}: {error}") from error

    def standing(self) -> Standing | None:
        """Return how far it came; None where it never was. OtherFormat."""
        with self._env.begin() as txn:
            found = txn.get(_STANDING, db=self._meta)
        return None if found is None else Standing.from_json(found)

    def latest(self, record: tuple[str, int]) -> str:
        """Return the sequence of a record's latest event, "" for none."""
        with self._env.begin() as txn:
            found = txn.get(_key(record), db=self._latest)
        return "" if found is None else bytes(found).decode()

    def commit(self, standing: Standing, latest: Mapping[tuple[str, int], str]) -> None:
        """Write both, all or nothing; the disk has it afterwards. FolderUnusable."""
        while True:
            try:
                with self._env.begin(write=True) as txn:
                    for record, sequence in latest.items():
                        txn.put(_key(record), sequence.encode(), db=self._latest)
                    txn.put(_STANDING, standing.to_json(), db=self._meta)
            except lmdb.MapFullError:
                self._env.set_mapsize(2 * self._env.info()["map_size"])
            except lmdb.Error as error:
                raise FolderUnusable(f"{self._env.path()}: {error}") from error
            else:
                return

    def close(self) -> None:
        """Let another process have the folder."""
        self._env.close()
        self._lock.close()


def _key(record: tuple[str, int]) -> bytes:
    return f"{record[0]}/{record[1]}".encode()
