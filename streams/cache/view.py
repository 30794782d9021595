"""Reads the tables of a partition inside one LMDB transaction."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from typing import Any

import lmdb

from schemas.keys import Chain, DeliveryId, split_delivery_id
from schemas.state import State
from streams.cache.layout import (
    UNCROWNED,
    body_of,
    lane_in,
    lane_key,
    member,
    prefix,
    split_due,
    split_stamped,
    split_timed,
)
from streams.chains.item import Item
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

    def waiting(self, chain: Chain, route: str = "") -> list[DeliveryId]:
        return [i for state, i in self._members(chain, route) if state is State.WAITING]

    def out(self, chain: Chain, route: str) -> list[DeliveryId]:
        return [i for state, i in self._members(chain, route) if state is not State.WAITING]

    def _members(self, chain: Chain, route: str) -> Iterator[tuple[State, DeliveryId]]:
        start = f"{chain}/{route}/" if route else f"{chain}/"
        members = (member(value) for _, value in self.scan("chains", prefix(chain)))
        return (each for each in members if each[1].startswith(start))

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

    def known(self, chain: Chain) -> list[DeliveryId]:
        """Return what items and entries there are of a chain."""
        start = f"{chain}/".encode()
        keys = (key for table in ("items", "ledger") for key, _ in self.scan(table, start))
        return sorted({DeliveryId(key.decode()) for key in keys})

    def targets(self, source: str) -> list[str]:
        """Return the targets that there are items or entries of; each costs one step."""
        found: set[str] = set()
        for table in ("items", "ledger"):
            with self.txn.cursor(db=self.tables[table]) as cursor:
                more = cursor.set_range(f"{source}/".encode())
                while more and (key := bytes(cursor.key()).decode()).startswith(f"{source}/"):
                    target = key.split("/", 2)[1]
                    found.add(target)
                    more = cursor.set_range(f"{source}/{target}0".encode())  # behind its `/`
        return sorted(found)

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

    def uncrowned(self) -> bool:
        """Return whether chains are left to be looked at after a pause."""
        return any(True for _ in self.scan("meta", UNCROWNED))

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
