"""The value of an event's record: marker, fingerprint, and the datum as `schemas.avro` has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cdc.engine.encode import ABSENT, PRESENT, plain_text, timestamp, zigzag
from cdc.engine.plan import Root
from cdc.engine.row import guards_of
from cdc.pgoutput.values import iso_time
from schemas.event import Mode

_TRUE: Final = b"\x01"
_FALSE: Final = b"\x00"


class Stamp(NamedTuple):
    """When and why; `lsn` and `time` (microseconds since 2000-01-01) of the commit or mark.

    `routes` and `targets` are the names of those that it is for, None for all.
    """

    lsn: int
    time: int
    transaction: int | None = None
    mode: Mode = Mode.STREAM
    routes: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    before_known: bool = True


class Images(NamedTuple):
    """What an event shows of a document; `stored` is the root's row, for its guards."""

    before: bytes | None
    after: bytes | None
    stored: bytes | None
    writers: Iterable[int | None] = ()


class Writer:
    """Writes the events of one stamp."""

    def __init__(self, generation: bytes, stamp: Stamp, largest: int) -> None:
        """Know all that is the same in each of them; `largest` is in bytes."""
        self._largest = largest
        self._position = generation + zigzag(stamp.lsn)
        self._mode = plain_text(stamp.mode.encode())
        time = plain_text(iso_time(stamp.time).encode())
        known = _TRUE if stamp.before_known else _FALSE
        self._origin = time + number(stamp.transaction) + known
        self._for = _names(stamp.routes) + _names(stamp.targets)

    def write(self, head: bytes, root: Root, row: int, ordinal: int, images: Images) -> bytes:
        """Return one event; one that Kafka would not take goes without its images."""
        value = self._datum(head, root, row, ordinal, images)
        if len(value) <= self._largest:
            return value
        empty = images._replace(before=None, after=None)
        return self._datum(head, root, row, ordinal, empty, len(value))

    def _datum(
        self,
        head: bytes,
        root: Root,
        row: int,
        ordinal: int,
        images: Images,
        oversize: int | None = None,
    ) -> bytes:
        before, after, stored, writers = images
        date, uid = _guards(root, stored)
        return b"".join(
            [
                head,
                self._position,
                zigzag(ordinal),
                self._mode,
                zigzag(row),
                self._origin,
                ABSENT if before is None else PRESENT + before,
                ABSENT if after is None else PRESENT + after,
                ABSENT if date is None else timestamp(date),
                number(uid),
                _users(writers),
                number(oversize),
                self._for,
            ]
        )


def number(value: int | None) -> bytes:
    """Return a number that may be null."""
    return ABSENT if value is None else PRESENT + zigzag(value)


def _names(names: Sequence[str] | None) -> bytes:
    """Return an array of strings that may be null."""
    if names is None:
        return ABSENT
    if not names:
        return PRESENT + ABSENT
    texts = (plain_text(name.encode()) for name in names)
    return b"".join([PRESENT, zigzag(len(names)), *texts, ABSENT])


def _users(writers: Iterable[int | None]) -> bytes:
    """Return the array of who wrote, nobody knows who first."""
    users = sorted(writers, key=lambda one: -1 if one is None else one)
    if not users:
        return ABSENT
    return b"".join([zigzag(len(users)), *map(number, users), ABSENT])


def _guards(root: Root, stored: bytes | None) -> tuple[bytes | None, int | None]:
    if stored is None:
        return None, None
    guards = guards_of(stored)
    date = guards[root.write_date] if root.write_date >= 0 else None
    uid = guards[root.write_uid] if root.write_uid >= 0 else None
    return date, None if uid is None else int(uid)
