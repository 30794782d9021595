"""Reads and writes the tables of a partition inside one LMDB transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

import lmdb

from schemas.keys import Chain, DeliveryId, split_delivery_id
from schemas.state import State
from streams.cache.layout import (
    Row,
    body_of,
    due_key,
    lane_in,
    lane_key,
    member,
    prefix,
    split_due,
    split_stamped,
    split_timed,
    stamped,
    timed,
)
from streams.chains.item import Item, target_of
from streams.chains.ledger import Entry
from streams.chains.pause import Pause
from streams.partitions.ports import Lane, Lanes, Skip


class LmdbView:
    """What a partition holds, as of one transaction."""

    def __init__(self, txn: lmdb.Transaction, tables: dict[str, Any]) -> None:
        """Read with a transaction that the caller ends."""
        self.txn = txn
        self.tables = tables

    def item(self, delivery_id: DeliveryId) -> Item | None:
        value = self.get("items", delivery_id.encode())
        return None if value is None else Item.from_json(body_of(value))

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        value = self.get("ledger", delivery_id.encode())
        return None if value is None else Entry.from_json(split_stamped(value)[1])

    def waiting(self, chain: Chain, route: str) -> list[DeliveryId]:
        start = f"{chain}/{route}/"
        members = (member(value) for _, value in self.scan("chains", prefix(chain)))
        return [i for state, i in members if state is State.WAITING and i.startswith(start)]

    def leader(self, chain: Chain) -> DeliveryId | None:
        """Return the one that goes next or is in flight.

        What waits of a paused route is passed where there is another: that need not wait for it.
        """
        paused = self._paused_routes()
        if paused and (other := self._leader_but(chain, paused)) is not None:
            return other
        for _, value in self.scan("active", prefix(chain)):
            return DeliveryId(value.decode())
        for _, value in self.scan("chains", prefix(chain)):
            return member(value)[1]
        return None

    def pauses(self) -> list[Pause]:
        """Return what is paused."""
        return [Pause.from_json(value) for _, value in self.scan("pauses")]

    def replays(self) -> list[bytes]:
        """Return the records of the replays under way."""
        return [value for _, value in self.scan("replays")]

    def _paused_routes(self) -> frozenset[str]:
        """Return the routes of which nothing goes; one that drains does."""
        found = (Pause.from_json(value) for _, value in self.scan("pauses", b"route/"))
        return frozenset(pause.subject.name for pause in found if not pause.draining)

    def _leader_but(self, chain: Chain, paused: frozenset[str]) -> DeliveryId | None:
        first: DeliveryId | None = None
        for key, value in self.scan("chains", prefix(chain)):
            state, delivery_id = member(value)
            if state is State.WAITING and split_delivery_id(delivery_id)[1] in paused:
                continue
            if self.get("active", key) is not None:
                return delivery_id
            first = first or delivery_id
        return first

    def newer(self, delivery_id: DeliveryId) -> Iterator[Entry]:
        """Give what the ledger knows of newer ones of its chain and route, in order."""
        chain, route, _ = split_delivery_id(delivery_id)
        after = delivery_id.encode()
        for key, value in self.scan("ledger", f"{chain}/{route}/".encode(), after):
            if key > after:
                yield Entry.from_json(split_stamped(value)[1])

    def ids(self, start: str, after: str, limit: int) -> list[DeliveryId]:
        """Return what is on its way and begins so, in the order of ids, behind `after`."""
        found: list[DeliveryId] = []
        for key, _ in self.scan("items", start.encode(), after.encode()):
            if len(found) >= limit:
                break
            if (name := key.decode()) > after:
                found.append(DeliveryId(name))
        return found

    def due(self, now: float, limit: int, skip: Skip, lanes: Lanes) -> list[DeliveryId]:
        """Return what is due in some lanes, the longest first, but what `skip` says."""
        found: list[DeliveryId] = []
        for at, delivery_id in merge(*(self._walk(lane) for lane in self._lanes(lanes))):
            if at > now or len(found) >= limit:
                break
            if not skip(delivery_id):
                found.append(delivery_id)
        return found

    def next_due(self, skip: Skip, lanes: Lanes) -> float | None:
        """Return when something is due next in some lanes, but what `skip` says."""
        for at, delivery_id in merge(*(self._walk(lane) for lane in self._lanes(lanes))):
            if not skip(delivery_id):
                return at
        return None

    def _lanes(self, wanted: Lanes) -> list[Lane]:
        """Return those of some lanes that anything stands in; each costs one step."""
        found: list[Lane] = []
        with self.txn.cursor(db=self.tables["due"]) as cursor:
            more = cursor.first()
            while more:
                lane = lane_in(bytes(cursor.key()))
                if wanted(lane):
                    found.append(lane)
                more = cursor.set_range(lane_key(lane)[:-1] + b"\1")
        return found

    def _walk(self, lane: Lane) -> Iterator[tuple[float, DeliveryId]]:
        for key, _ in self.scan("due", lane_key(lane)):
            yield split_due(key)

    def oldest(self) -> float | None:
        """Return since when the oldest item is not final."""
        for key, _ in self.scan("since"):
            return split_timed(key)[0]
        return None

    def expired(self, before: float) -> bool:
        """Return whether the ledger has entries that nothing happened to since `before`."""
        return any(True for _ in self.touched(before, 1))

    def touched(self, before: float, limit: int) -> Iterator[DeliveryId]:
        for count, (key, _) in enumerate(self.scan("touched")):
            at, delivery_id = split_timed(key)
            if count >= limit or at >= before:
                return
            yield delivery_id

    def get(self, table: str, key: bytes) -> bytes | None:
        value = self.txn.get(key, db=self.tables[table])
        return None if value is None else bytes(value)

    def scan(
        self, table: str, start: bytes = b"", first: bytes = b""
    ) -> Iterator[tuple[bytes, bytes]]:
        """Give what begins with `start`, from the key `first` on."""
        with self.txn.cursor(db=self.tables[table]) as cursor:
            if not cursor.set_range(max(start, first)):
                return
            for found, value in cursor:
                key = bytes(found)
                if not key.startswith(start):
                    return
                yield key, bytes(value)


class Writer(LmdbView):
    """Keeps the indexes of a partition in step with its items."""

    def __init__(
        self, txn: lmdb.Transaction, tables: dict[str, Any], clock: Callable[[], float]
    ) -> None:
        """Write with a transaction that the caller ends; `clock` tells UTC seconds."""
        super().__init__(txn, tables)
        self._clock = clock

    def put(self, table: str, key: bytes, value: bytes = b"") -> None:
        self.txn.put(key, value, db=self.tables[table])

    def delete(self, table: str, key: bytes) -> None:
        self.txn.delete(key, db=self.tables[table])

    def keep(self, row: Row, value: bytes) -> None:
        self._unindex(row.id)
        self.put("items", row.id.encode(), row.header + value)
        self.put("chains", row.chain_key, row.chain_value)
        self.put("since", timed(row.since, row.id))
        if row.active:
            self.put("active", row.chain_key, row.id.encode())
        if row.due_key is not None:
            self.put("due", row.due_key)
        self._count(row, 1)
        self._crown(split_delivery_id(row.id)[0])

    def forget(self, delivery_id: DeliveryId) -> None:
        self._unindex(delivery_id)
        self._crown(split_delivery_id(delivery_id)[0])

    def record(self, delivery_id: DeliveryId, at: float, value: bytes) -> None:
        self.unrecord(delivery_id)
        self.put("ledger", delivery_id.encode(), stamped(at, value))
        self.put("touched", timed(at, delivery_id))

    def unrecord(self, delivery_id: DeliveryId) -> None:
        old = self.get("ledger", delivery_id.encode())
        if old is not None:
            self.delete("touched", timed(split_stamped(old)[0], delivery_id))
            self.delete("ledger", delivery_id.encode())

    def pause(self, key: str, pause: Pause | None) -> None:
        """Write a pause, or end it.

        Chains where deliveries of a route stand beside others may get another first one. That of
        the others stays what it is, so that a pause of very many takes no time.
        """
        if pause is None:
            self.delete("pauses", key.encode())
        else:
            self.put("pauses", key.encode(), pause.to_json())
        kind, _, name = key.partition("/")
        if kind == "route":
            for chain in list(self._mixed(name.encode())):
                self._crown(chain)

    def replay(self, name: str, value: bytes | None) -> None:
        """Write the record of a replay, or end it."""
        if value is None:
            self.delete("replays", name.encode())
        else:
            self.put("replays", name.encode(), value)

    def _mixed(self, route: bytes) -> Iterator[Chain]:
        """Give the chains that have items of a route and of others."""
        members = ((key[: key.index(0)], value) for key, value in self.scan("chains"))
        for chain, some in groupby(members, key=itemgetter(0)):
            mine = {value.rsplit(b"/", 2)[1] == route for _, value in some}
            if len(mine) > 1:
                yield Chain(chain.decode())

    def expire(self, before: float, limit: int) -> None:
        for delivery_id in list(self.touched(before, limit)):
            self.unrecord(delivery_id)

    def _unindex(self, delivery_id: DeliveryId) -> None:
        old = self.get("items", delivery_id.encode())
        if old is None:
            return
        row = Row.parse(delivery_id, old)
        self.delete("items", delivery_id.encode())
        self.delete("chains", row.chain_key)
        self.delete("active", row.chain_key)
        self.delete("since", timed(row.since, row.id))
        if row.due_key is not None:
            self.delete("due", row.due_key)
        self._count(row, -1)
        chain = split_delivery_id(delivery_id)[0]
        if self._crowned(chain) == delivery_id:
            self._crown(chain)

    def _crown(self, chain: Chain) -> None:
        """Make the first of a chain due at once where nothing of it is active.

        It is due by its age, but not later than by this clock: that of the worker which saw it
        first may have been ahead.
        """
        key = chain.encode()
        head = self._head(chain)
        if self._crowned(chain) == (head.id if head else None):
            return
        old = self.get("heads", key)
        if old is not None:
            self.delete("due", old)
            self.delete("heads", key)
        if head is not None:
            at = due_key(min(head.since, self._clock()), head.id, deadline=False)
            self.put("heads", key, at)
            self.put("due", at)

    def _crowned(self, chain: Chain) -> DeliveryId | None:
        key = self.get("heads", chain.encode())
        return None if key is None else split_due(key)[1]

    def _head(self, chain: Chain) -> Row | None:
        first = self.leader(chain)
        value = None if first is None else self.get("items", first.encode())
        if first is None or value is None:
            return None
        row = Row.parse(first, value)
        return None if row.active else row

    def _count(self, row: Row, by: int) -> None:
        key = f"count/{target_of(row.id)}/{row.state.value}".encode()
        number = int(self.get("meta", key) or b"0") + by
        self.put("meta", key, str(number).encode())
