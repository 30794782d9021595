"""Brings the index up to date: reads what its topics have gained, and forgets what they lost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from schemas.config import Config
from schemas.topics import Topics
from streams.index.opening import Anew, opened
from streams.index.records import Kind, Read
from streams.index.store import Index
from streams.kafka.offsets import GroupOffsets
from streams.kafka.scan import Found, Part, Reach, scan

_TOGETHER: Final = 5000  # records in one write
_LARGE: Final = 16 * 1024 * 1024  # bytes in one write, about
_STALE: Final = 20 * 3600.0  # seconds; `setup` lets Kafka keep tombstones for a day at least
_MANY: Final = 20_000  # records that people are told of


@contextmanager
def catalogue(config: Config, offsets: GroupOffsets) -> Iterator[Index]:
    """Give the index of a source as of now; blocking. Raises KafkaAway.

    It stands below `state:` on the host where it is asked for. Where it cannot, it is made for
    this one time.
    """
    filling = _Filling(config, offsets)
    with opened(config.state / "index", filling.fill, _say) as index:
        yield index


class _Filling:
    """Reads on where the index stands."""

    def __init__(self, config: Config, offsets: GroupOffsets) -> None:
        topics = Topics(config.source.name)
        self._settings = config.kafka
        self._offsets = offsets
        self._kinds = {
            topics.ledger: Kind.LEDGER,
            topics.retries: Kind.RETRIES,
            topics.dead: Kind.DEAD,
            topics.responses: Kind.RESPONSES,
        }
        self._parts = [(t, p) for t in self._kinds for p in range(config.topics.partitions)]

    def fill(self, index: Index) -> None:
        """Read what was gained since, forget what was lost; Anew where topics were made anew."""
        now = time.time()
        if now - (index.seen() or now) > _STALE:
            raise Anew("nobody has looked for a day")
        ids, bounds = self._offsets.ids(self._kinds), self._offsets.bounds(self._parts)
        starts: dict[Part, int] = {}
        for part in self._parts:
            (first, end), (at, name) = bounds[part], index.reach(*part)
            if at > end or name not in ("", ids[part[0]]):
                raise Anew(f"{part[0]} was made anew")
            if first > 0 and at > 0:
                index.age(self._kinds[part[0]], part[1], first)
            if end > max(at, first):
                starts[part] = at
        if starts:
            left = sum(bounds[part][1] - max(at, bounds[part][0]) for part, at in starts.items())
            self._read(index, starts, ids, _Bar(left))
        index.see(now)

    def _read(self, index: Index, starts: dict[Part, int], ids: dict[str, str], bar: _Bar) -> None:
        waiting: dict[Part, list[Found]] = {}
        number = size = 0
        for records, reach in scan(self._settings, starts):
            for found in records:
                waiting.setdefault((found.topic, found.partition), []).append(found)
            number += len(records)
            size += sum(len(found.value or b"") for found in records)
            if number >= _TOGETHER or size >= _LARGE:
                self._write(index, waiting, reach, ids)
                bar.show(number)
                waiting, number, size = {}, 0, 0
        self._write(index, waiting, reach, ids)
        bar.end()

    def _write(
        self, index: Index, waiting: dict[Part, list[Found]], reach: Reach, ids: dict[str, str]
    ) -> None:
        for part, found in waiting.items():
            reads = [Read(each.offset, each.written, each.key, each.value) for each in found]
            to = (reach.at[part], ids[part[0]])
            index.take(self._kinds[part[0]], *part, reads, to)


class _Bar:
    """How far it is, on a terminal's standard error, where it takes long."""

    def __init__(self, records: int) -> None:
        self._records = records
        self._done = 0
        self._shown = records > _MANY and sys.stderr.isatty()

    def show(self, more: int) -> None:
        self._done += more
        if self._shown:
            share = min(1.0, self._done / self._records)
            sys.stderr.write(f"\r\033[Kreading what Kafka holds: {share:.0%}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
