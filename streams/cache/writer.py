"""Writes the tables of a partition inside one LMDB transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import lmdb

from schemas.keys import Chain, DeliveryId, split_delivery_id
from streams.cache.layout import (
    UNCROWNED,
    Row,
    due_key,
    prefix,
    split_due,
    split_stamped,
    stamped,
    timed,
)
from streams.cache.view import LmdbView
from streams.chains.item import target_of
from streams.chains.pause import Pause


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

        Chains where deliveries of a route stand beside others may get another first one; `crown`
        looks at them by and by. Which one may go is judged when it is its turn, in any case.
        """
        if pause is None:
            self.delete("pauses", key.encode())
        else:
            self.put("pauses", key.encode(), pause.to_json())
        kind, _, name = key.partition("/")
        if kind == "route":
            self.put("meta", UNCROWNED + name.encode())

    def replay(self, name: str, value: bytes | None) -> None:
        """Write the record of a replay, or end it."""
        if value is None:
            self.delete("replays", name.encode())
        else:
            self.put("replays", name.encode(), value)

    def crown(self, limit: int) -> None:
        """Look at the first ones of some chains, about `limit` items, after `pause` of a route."""
        for mark, after in list(self.scan("meta", UNCROWNED))[:1]:
            route, mixed, seen = mark[len(UNCROWNED) :], list[Chain](), 0
            for chain, routes in self._chains(after):
                seen += len(routes)
                if 0 < routes.count(route) < len(routes):
                    mixed.append(chain)
                if seen >= limit:
                    self.put("meta", mark, prefix(chain) + b"\xff")  # behind all of it
                    break
            else:
                self.delete("meta", mark)
            for chain in mixed:
                self._crown(chain)

    def _chains(self, after: bytes) -> Iterator[tuple[Chain, list[bytes]]]:
        """Give the chains behind a key, with the routes of their items."""
        members = ((key[: key.index(0)], value) for key, value in self.scan("chains", b"", after))
        for chain, some in groupby(members, key=itemgetter(0)):
            yield Chain(chain.decode()), [value.rsplit(b"/", 2)[1] for _, value in some]

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
            since = min(head.since, self._clock())
            at = due_key(since, head.id, deadline=False, draft=head.draft)
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
