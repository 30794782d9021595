"""Where the lines of a shadow run go: a file, or a topic of its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable
from schemas.keys import partition_of
from streams.kafka.records import Record, WriteRecords
from streams.shadow_run.lines import Line


class NotItsFile(BadUsage):
    """The file holds something that this shadow run did not write."""

    hint = "Name another with --file: a shadow run begins with a file that is empty or not there."


class FileChanged(DataAtRisk):
    """The file of the shadow run is shorter than what was written to it."""

    hint = (
        "Put it back as it was. To begin anew, remove the shadow run's folder below `state:` and"
        " the file."
    )


class FileInUse(BadUsage):
    """Another process writes to the file."""

    hint = "End the other shadow run, or give this one a --name and a --file of its own."


class FileNotWritten(ServiceUnavailable):
    """The file of the shadow run cannot be written."""

    hint = (
        "Make room on the disk, or give the right to write there, and start it again: it goes on"
        " where it stopped."
    )


class FileOutput:
    """Appends lines to a file; one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, made where there is none. FileInUse, FileNotWritten."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            _sync_folder(path.parent)
        except OSError as error:
            raise FileNotWritten(f"{path}: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise FileInUse(f"{path} is used by another process") from None
        self._path = path

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return os.fstat(self._file.fileno()).st_size

    def cut(self, length: int | None) -> None:
        """Take away what stands behind `length` bytes, None for a file that begins.

        Raises NotItsFile, FileChanged.
        """
        there = self.length
        if length is None:
            if not there:
                return
            raise NotItsFile(f"{self._path} has {there} bytes that are not of this shadow run")
        if there < length:
            raise FileChanged(f"{self._path} has {there} bytes, {length} were written")
        os.ftruncate(self._file.fileno(), length)

    async def write(self, lines: Sequence[Line]) -> None:
        """Write lines, and return when the disk has them. FileNotWritten."""
        if not lines:
            return
        left = memoryview(b"".join(b"%s\n" % line.text for line in lines))
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise FileNotWritten(f"{self._path}: {error.strerror}") from error

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()


class TopicOutput:
    """Writes lines to a topic, keyed by their chain: at least once, the same bytes each time."""

    def __init__(self, topic: str, partitions: int, write: WriteRecords) -> None:
        self._topic = topic
        self._partitions = partitions
        self._write = write

    async def write(self, lines: Sequence[Line]) -> None:
        """Write lines, and return when Kafka has them. NotWritten."""
        await self._write(
            [
                Record(
                    self._topic,
                    partition_of(line.chain, self._partitions),
                    line.chain.encode(),
                    line.text,
                )
                for line in lines
            ]
        )


def _sync_folder(folder: Path) -> None:
    """Let a power cut not take the file's name away."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
