"""What a partition holds, as the explorer keeps it: small, and equal where it means the same.

Items and ledger entries are kept as the bytes that stand in Kafka, but for what no rule looks at:
reasons, codes and times of steps. Each is a number here; 0 is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.delivery import Delivery
from schemas.keys import Chain, DeliveryId
from schemas.state import State
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.partitions.ports import Lanes, Skip, StateTopic


class Held(NamedTuple):
    """Items and entries, a number for each delivery."""

    items: tuple[int, ...]
    entries: tuple[int, ...]


_BLANK = {"why": "", "code": "", "http_status": None}
_STEPS = ("queued", "accepted", "dead", "rejected", "unclear")  # that rules look at


class Archive:
    """Gives items and entries their numbers, and reads them back."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.slots = {DeliveryId(d.id): slot for slot, d in enumerate(deliveries)}
        self._numbers: dict[bytes, int] = {b"": 0}
        self._seen: dict[tuple[StateTopic, bytes], int] = {}
        self._items: dict[int, Item] = {}
        self._entries: dict[int, Entry] = {}

    def number(self, topic: StateTopic, value: bytes | None) -> int:
        """Return the number of a record's value."""
        if value is None:
            return 0
        known = self._seen.get((topic, value))
        if known is None:
            fields = json.loads(value) | _BLANK
            if topic is StateTopic.LEDGER:
                fields["times"] = {
                    step: at for step, at in fields["times"].items() if step in _STEPS
                }
            text = json.dumps(fields, sort_keys=True).encode()
            known = self._numbers.setdefault(text, len(self._numbers))
            if topic is StateTopic.RETRIES:
                self._items[known] = Item.from_json(text)
            else:
                self._entries[known] = Entry.from_json(text)
            self._seen[topic, value] = known
        return known

    def item(self, number: int) -> Item:
        """Return the item of a number."""
        return self._items[number]

    def of(self, item: Item) -> int:
        """Return the number of an item."""
        return self.number(StateTopic.RETRIES, item.to_json())

    def entry(self, number: int) -> Entry:
        """Return the entry of a number."""
        return self._entries[number]

    def edit(self, held: Held) -> MemoryEdit:
        """Open a change of what is held."""
        items = {i: self._items[n] for i, n in self._each(held.items)}
        entries = {i: self._entries[n] for i, n in self._each(held.entries)}
        return MemoryEdit(items, entries)

    def held(self, edit: MemoryEdit) -> Held:
        """Return what a change has come to."""
        items, entries = [0] * len(self.slots), [0] * len(self.slots)
        for delivery_id, item in edit.items.items():
            items[self.slots[delivery_id]] = self.of(item)
        for delivery_id, entry in edit.entries.items():
            number = self.number(StateTopic.LEDGER, entry.to_json())
            entries[self.slots[delivery_id]] = number
        return Held(tuple(items), tuple(entries))

    def _each(self, numbers: tuple[int, ...]) -> list[tuple[DeliveryId, int]]:
        return [(i, n) for i, n in zip(self.slots, numbers, strict=True) if n]


class MemoryEdit:
    """A partition's cache in plain dictionaries."""

    def __init__(self, items: dict[DeliveryId, Item], entries: dict[DeliveryId, Entry]) -> None:
        self.items = items
        self.entries = entries

    def item(self, delivery_id: DeliveryId) -> Item | None:
        return self.items.get(delivery_id)

    def entry(self, delivery_id: DeliveryId) -> Entry | None:
        return self.entries.get(delivery_id)

    def waiting(self, chain: Chain, route: str = "") -> list[DeliveryId]:
        return [
            item.id
            for item in self._chain(chain)
            if item.state is State.WAITING and route in ("", item.route)
        ]

    def out(self, chain: Chain, route: str) -> list[DeliveryId]:
        return [
            item.id
            for item in self._chain(chain)
            if item.state is not State.WAITING and route == item.route
        ]

    def leader(self, chain: Chain) -> DeliveryId | None:
        items = self._chain(chain)
        active = [item for item in items if item.active]
        return next((item.id for item in active or items), None)

    def newer(self, delivery_id: DeliveryId) -> Iterator[Entry]:
        line = delivery_id.rpartition("/")[0]
        for other in sorted(self.entries):
            if other > delivery_id and other.rpartition("/")[0] == line:
                yield self.entries[other]

    def due(self, now: float, limit: int, skip: Skip, lanes: Lanes) -> list[DeliveryId]:
        raise NotImplementedError("the explorer asks `moves`")

    def next_due(self, skip: Skip, lanes: Lanes) -> float | None:
        raise NotImplementedError("the explorer asks `moves`")

    def oldest(self) -> float | None:
        return min((item.since for item in self.items.values()), default=None)

    def expired(self, before: float) -> bool:
        return False

    def ids(self, start: str, after: str, limit: int) -> list[DeliveryId]:
        raise NotImplementedError("the explorer gives no commands")

    def keep(self, item: Item) -> None:
        self.items[item.id] = item

    def forget(self, delivery_id: DeliveryId) -> None:
        self.items.pop(delivery_id, None)

    def record(self, entry: Entry) -> None:
        self.entries[entry.id] = entry

    def uncrowned(self) -> bool:
        return False

    def crown(self, limit: int) -> None:
        """Nothing is paused."""

    def expire(self, before: float, limit: int) -> None:
        """Nothing expires."""

    def commit(self, offsets: dict[StateTopic, int]) -> None:
        """Nothing is kept beside the dictionaries."""

    def abort(self) -> None:
        """Nothing is kept beside the dictionaries."""

    def _chain(self, chain: Chain) -> list[Item]:
        return sorted((i for i in self.items.values() if i.chain == chain), key=lambda i: i.place)
