"""One partition's cache: a copy of two topics, with the offsets that it covers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import lmdb

from schemas.keys import Chain, DeliveryId
from streams.cache.layout import FORMAT, TABLES, Row
from streams.cache.view import LmdbView
from streams.cache.writer import Writer
from streams.chains.item import Item
from streams.chains.ledger import Entry, seconds, times_in
from streams.chains.pause import Pause
from streams.partitions.ports import Chunk, Lanes, Skip, StateTopic, Stored

_FIRST_MAP: Final = 16 * 2**20  # bytes; doubled when it is full
_STALE: Final = 6 * 3600.0  # seconds; well below delete.retention.ms: tombstones are gone after it
_TOGETHER: Final = 250  # records in one change: LMDB keeps the memory of the largest for ever
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class LmdbCache:
    """The cache of one partition."""

    def __init__(
        self, folder: Path, partition: int, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the files in `folder`, made where there are none; lmdb.Error where unusable."""
        folder.mkdir(parents=True, exist_ok=True)
        self.partition = partition
        self._clock = clock
        self._env = lmdb.open(
            str(folder), map_size=_FIRST_MAP, max_dbs=len(TABLES), sync=False, metasync=False
        )
        self._env.reader_check()  # a killed reader would keep pages from being used again
        self._tables: dict[str, Any] = {name: self._env.open_db(name.encode()) for name in TABLES}

    def fresh(self) -> bool:
        """Return whether the files are of this format and boot, and not too old to be mended."""
        with self.view() as view:
            mark, seen = view.get("meta", b"mark"), view.get("meta", b"seen")
        age = self._clock() - float(seen or b"-inf")
        return mark == _mark() and abs(age) < _STALE

    @contextmanager
    def view(self) -> Iterator[LmdbView]:
        """Read what is committed. Do not wait for anything inside."""
        with self._env.begin() as txn:
            yield LmdbView(txn, self._tables)

    def edit(self) -> LmdbEdit:
        """Open the one change there can be at a time."""
        return LmdbEdit(self._env, self._tables, self._clock)

    def offset(self, topic: StateTopic) -> int:
        """Return the offset up to which the cache covers a topic."""
        with self.view() as view:
            return int(view.get("meta", _offset_key(topic)) or b"0")

    def load(self, topic: StateTopic, chunk: Chunk) -> None:
        """Take over what was read from a topic, by and by.

        Until all of it is there the offset stays behind: the same records come again then.
        """
        for first in range(0, len(chunk.records), _TOGETHER):
            self._load(topic, chunk.records[first : first + _TOGETHER])
        self.edit().commit({topic: chunk.next})

    def _load(self, topic: StateTopic, records: Sequence[Stored]) -> None:
        edit = self.edit()
        try:
            for record in records:
                edit.load(topic, record)
        except BaseException:  # raised on; nothing of it stays
            edit.abort()
            raise
        edit.commit({})

    def clear(self) -> None:
        """Forget everything, the offsets too."""
        with self._env.begin(write=True) as txn:
            for table in self._tables.values():
                txn.drop(table, delete=False)

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many items there are by target and state."""
        with self.view() as view:
            rows = list(view.scan("meta", b"count/"))
        named = ((key.decode().split("/"), int(value)) for key, value in rows)
        return {(target, state): number for (_, target, state), number in named if number}

    def close(self) -> None:
        """Close the files; what is committed stays."""
        self.edit().commit({})  # tells how fresh it is
        self._env.close()


class LmdbEdit:
    """A change of a partition's cache: all of it or nothing; grows the map where it must."""

    def __init__(
        self, env: lmdb.Environment, tables: dict[str, Any], clock: Callable[[], float]
    ) -> None:
        """Begin; there must be no other change open."""
        self._env = env
        self._tables = tables
        self._clock = clock
        self._done: list[Callable[[Writer], None]] = []
        self._rows = self._begin()

    def item(self, delivery_id: DeliveryId) -> Item | None:
        """Return what is on its way."""
        return self._rows.item(delivery_id)

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        """Return what the ledger knows."""
        return self._rows.entry(delivery_id)

    def waiting(self, chain: Chain, route: str = "") -> list[DeliveryId]:
        """Return the waiting ones of one chain and route."""
        return self._rows.waiting(chain, route)

    def out(self, chain: Chain, route: str) -> list[DeliveryId]:
        """Return those of one chain and route that are sent, or whose word is awaited."""
        return self._rows.out(chain, route)

    def leader(self, chain: Chain) -> DeliveryId | None:
        """Return the one that goes next or is in flight."""
        return self._rows.leader(chain)

    def pauses(self) -> list[Pause]:
        """Return what is paused."""
        return self._rows.pauses()

    def replays(self) -> list[bytes]:
        """Return the records of the replays under way."""
        return self._rows.replays()

    def known(self, chain: Chain) -> list[DeliveryId]:
        """Return what items and entries there are of a chain."""
        return self._rows.known(chain)

    def targets(self, source: str) -> list[str]:
        """Return the targets that there are items or entries of."""
        return self._rows.targets(source)

    def newer(self, delivery_id: DeliveryId) -> Iterator[Entry]:
        """Give what the ledger knows of newer ones of its chain and route, in order."""
        return self._rows.newer(delivery_id)

    def ids(self, start: str, after: str, limit: int) -> list[DeliveryId]:
        """Return what is on its way and begins so, in the order of ids, behind `after`."""
        return self._rows.ids(start, after, limit)

    def due(self, now: float, limit: int, skip: Skip, lanes: Lanes) -> list[DeliveryId]:
        """Return what is due in some lanes, the longest first."""
        return self._rows.due(now, limit, skip, lanes)

    def next_due(self, skip: Skip, lanes: Lanes) -> float | None:
        """Return when something is due next in some lanes."""
        return self._rows.next_due(skip, lanes)

    def oldest(self) -> float | None:
        """Return since when the oldest item is not final."""
        return self._rows.oldest()

    def expired(self, before: float) -> bool:
        """Return whether there is anything to expire."""
        return self._rows.expired(before)

    def keep(self, item: Item) -> None:
        """Write an item."""
        row, value = Row.of(item), item.to_json()
        self._do(lambda rows: rows.keep(row, value))

    def forget(self, delivery_id: DeliveryId) -> None:
        """Drop an item."""
        self._do(lambda rows: rows.forget(delivery_id))

    def record(self, entry: Entry) -> None:
        """Write a ledger entry."""
        self._record(entry.id, entry.times, entry.to_json())

    def erase(self, delivery_id: DeliveryId) -> None:
        """Drop a ledger entry."""
        self._do(lambda rows: rows.unrecord(delivery_id))

    def pause(self, key: str, pause: Pause | None) -> None:
        """Write a pause; None ends it."""
        self._do(lambda rows: rows.pause(key, pause))

    def replay(self, name: str, value: bytes | None) -> None:
        """Write the record of a replay; None ends it."""
        self._do(lambda rows: rows.replay(name, value))

    def uncrowned(self) -> bool:
        """Return whether chains are left to be looked at after a pause."""
        return self._rows.uncrowned()

    def crown(self, limit: int) -> None:
        """Look at the first ones of some chains, about `limit` items."""
        self._do(lambda rows: rows.crown(limit))

    def expire(self, before: float, limit: int) -> None:
        """Drop ledger entries that nothing happened to since `before`."""
        self._do(lambda rows: rows.expire(before, limit))

    def load(self, topic: StateTopic, record: Stored) -> None:
        """Take over a record as it was read from its topic."""
        key, value = record.key.decode(), record.value
        delivery_id = DeliveryId(key)
        match topic, value:
            case StateTopic.PAUSES, _:
                self.pause(key, None if value is None else Pause.from_json(value))
            case StateTopic.REPLAYS, _:
                self.replay(key, value)
            case StateTopic.RETRIES, None:
                self.forget(delivery_id)
            case StateTopic.RETRIES, bytes():
                row = Row.read(delivery_id, value)
                self._do(lambda rows: rows.keep(row, value))
            case StateTopic.LEDGER, None:
                self._do(lambda rows: rows.unrecord(delivery_id))
            case StateTopic.LEDGER, bytes():
                self._record(delivery_id, times_in(value), value)
            case _:
                raise ValueError(f"the cache is no copy of {topic}")

    def commit(self, offsets: dict[StateTopic, int]) -> None:
        """Make it so, with the offsets behind what was written."""
        meta = {_offset_key(topic): str(offset).encode() for topic, offset in offsets.items()}
        meta[b"mark"] = _mark()
        meta[b"seen"] = str(self._clock()).encode()
        for key, value in meta.items():
            self._do(partial(_put_meta, key, value))
        while True:
            try:
                self._rows.txn.commit()
            except lmdb.MapFullError:
                self._grow()
            else:
                return

    def abort(self) -> None:
        """Leave everything as it was."""
        with suppress(lmdb.Error):  # ended already
            self._rows.txn.abort()

    def _record(self, delivery_id: DeliveryId, times: Mapping[str, str], value: bytes) -> None:
        latest = max(times.values(), default="")
        at = seconds(latest) if latest else self._clock()
        self._do(lambda rows: rows.record(delivery_id, at, value))

    def _do(self, change: Callable[[Writer], None]) -> None:
        try:
            change(self._rows)
        except lmdb.MapFullError:
            self._done.append(change)
            self._grow()
        else:
            self._done.append(change)

    def _grow(self) -> None:
        """Begin again with a larger map; a transaction that met the end of its map is spoilt."""
        while True:
            self.abort()
            self._env.set_mapsize(2 * self._env.info()["map_size"])
            self._rows = self._begin()
            try:
                for change in self._done:
                    change(self._rows)
            except lmdb.MapFullError:
                continue
            return

    def _begin(self) -> Writer:
        return Writer(self._env.begin(write=True), self._tables, self._clock)


def _put_meta(key: bytes, value: bytes, rows: Writer) -> None:
    rows.put("meta", key, value)


def _offset_key(topic: StateTopic) -> bytes:
    return f"offset/{topic.value}".encode()


def _mark() -> bytes:
    boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
    return f"{FORMAT} {boot}".encode()
