"""The frames of a stream that was never sent, byte for byte as Postgres 15 to 18 send them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, Final, cast

from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.progress import Progress
from cdc.stream import Stream
from schemas.avro import SchemaBook
from schemas.event import Event
from tests.engine import PLAN, engine

TIME: Final = 848_656_800_000_000  # microseconds since 2000-01-01
LSN: Final = 0x1_0000_2000
XID: Final = 7
_TEXT: Final = 25  # the oid of the type


def wal(message: bytes, lsn: int = LSN) -> bytes:
    """Put a message into a frame."""
    return b"w" + pack(">QQq", lsn, lsn, TIME) + message


def begin(lsn: int = LSN) -> bytes:
    return wal(b"B" + pack(">QqI", lsn, TIME, XID), lsn - 0x100)


def commit(lsn: int = LSN, time: int = TIME) -> bytes:
    return wal(b"C" + pack(">BQQq", 0, lsn, lsn + 8, time), lsn + 8)


def keepalive(lsn: int) -> bytes:
    return b"k" + pack(">QqB", lsn, TIME, 0)


def type_() -> bytes:
    return wal(b"Y" + pack(">I", 70_000) + b"public\0mood\0")


def origin() -> bytes:
    return wal(b"O" + pack(">Q", LSN) + b"elsewhere\0")


def message(prefix: bytes = b"somebody", content: bytes = b"else's") -> bytes:
    return wal(b"M" + pack(">BQ", 1, LSN) + prefix + b"\0" + pack(">I", len(content)) + content)


def truncate(*oids: int) -> bytes:
    return wal(pack(f">cIB{len(oids)}I", b"T", len(oids), 0, *oids))


def relation(table: str, extra: Sequence[str] = ()) -> bytes:
    """Announce a table of the small shop; `extra` are columns behind, which nothing selects."""
    plan = PLAN.by_name[table]
    oid = 1 + list(PLAN.by_name).index(table)
    keys = {"id"} if "id" in plan.read else set(plan.read)
    said = b"R" + pack(">I", oid) + b"public\0" + table.encode() + b"\0d"
    said += pack(">H", len(plan.read) + len(extra))
    for name in (*plan.read, *extra):
        said += bytes([name in keys]) + name.encode() + b"\0" + pack(">Ii", _TEXT, -1)
    return wal(said)


class Played:
    """Takes what is published."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        self.values.append(value)

    def flush(self) -> None:
        """It has them."""


@dataclass
class World:
    """A stream whose tables are loaded, over a Kafka that is a list."""

    stream: Stream
    kafka: Played
    book: SchemaBook

    def hear(self, *frames: bytes) -> None:
        """Take frames in."""
        for frame in frames:
            self.stream.handle(frame)

    def events(self) -> list[Event]:
        """Return what was published: whatever can be published can be read."""
        return [self.book.decode(value) for value in self.kafka.values]


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Give one; its tables were announced once, as `relation` does it."""
    with engine(folder) as tried:
        tried.shadow.note(PROGRESS, {"lsn": 1, **Progress().to_json()})
        kafka = Played()
        topics = {root.rank: Topic(root.shape.model, 4) for root in PLAN.roots}
        epoch = Epoch(kafka, tried.shadow, topics)
        stream = Stream(PLAN, tried.relations, tried.fold, tried.events, epoch)
        stream.readiness.backfill = cast("Any", SimpleNamespace(published=lambda *_: None))
        stream.marks = cast("Any", SimpleNamespace(take=lambda _: None))
        stream.readiness.refresh()
        yield World(stream, kafka, tried.book)
