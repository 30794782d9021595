"""What the steps of one write change in one partition, and the order it must be written in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from schemas.keys import DeliveryId
from streams.chains.changes import Bury, Change, Erase, Forget, Keep, Record
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.chains.pause import Pause
from streams.partitions.ports import Edit, StateTopic, Write


@dataclass(slots=True)
class Changeset:
    """What the steps of one write change in one partition."""

    partition: int
    edit: Edit
    kept: dict[DeliveryId, Item] = field(default_factory=dict)
    forgotten: dict[DeliveryId, None] = field(default_factory=dict)
    entries: dict[DeliveryId, Entry] = field(default_factory=dict)
    letters: list[Bury] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    paused: dict[str, Pause | None] = field(default_factory=dict)
    replays: dict[str, bytes | None] = field(default_factory=dict)
    erased: dict[DeliveryId, None] = field(default_factory=dict)
    unwritten: set[DeliveryId] = field(default_factory=set)  # items Kafka never heard of

    def apply(self, changes: Iterable[Change]) -> None:
        """Make changes; the steps after see them."""
        for change in changes:
            self.changes.append(change)
            match change:
                case Keep(item=item):
                    self._keep(item)
                case Forget(id=delivery_id):
                    self._forget(delivery_id)
                case Record(entry=entry):
                    self.edit.record(entry)
                    self.entries[entry.id] = entry
                    self.erased.pop(entry.id, None)
                case Bury():
                    self.letters.append(change)
                case Erase(id=delivery_id):
                    self._erase(delivery_id)
                case _:
                    assert_never(change)

    def _keep(self, item: Item) -> None:
        # What this write lets go of stands in Kafka until its tombstone does.
        known = item.id in self.kept or item.id in self.forgotten
        if not known and self.edit.item(item.id) is None:
            self.unwritten.add(item.id)
        self.edit.keep(item)
        self.kept[item.id] = item
        self.forgotten.pop(item.id, None)

    def _forget(self, delivery_id: DeliveryId) -> None:
        self.edit.forget(delivery_id)
        self.kept.pop(delivery_id, None)
        if delivery_id not in self.unwritten:
            self.forgotten[delivery_id] = None

    def _erase(self, delivery_id: DeliveryId) -> None:
        if self.edit.item(delivery_id) is not None:
            self._forget(delivery_id)
        self.edit.erase(delivery_id)
        self.entries.pop(delivery_id, None)
        self.erased[delivery_id] = None

    def pause(self, key: str, pause: Pause | None) -> None:
        """Pause something, or end that; the steps after see it."""
        self.edit.pause(key, pause)
        self.paused[key] = pause

    def replay(self, name: str, value: bytes | None) -> None:
        """Write the record of a replay, or end it; the steps after see it."""
        self.edit.replay(name, value)
        self.replays[name] = value

    def phases(self) -> tuple[list[Write], ...]:
        """Return what to write, in four parts; each must be durable before the next.

        What holds on to a delivery goes before what lets go of it: the dead letter before the
        ledger says dead, and both before the item is forgotten; a newer item before the
        tombstone of the one it supersedes. What the ledger says of deliveries that never were
        items goes before the items: else a crash between the two could leave a newer one of the
        chain waiting, and the older, forgotten, would be sent after it.
        """
        letters = [
            Write(
                StateTopic.DEAD, self.partition, b.letter.entry.chain.encode(), b.letter.to_json()
            )
            for b in self.letters
        ]
        items = [
            self._write(StateTopic.RETRIES, i, item.to_json()) for i, item in self.kept.items()
        ]
        settled: list[Write] = []
        said: list[Write] = []
        for i, entry in self.entries.items():
            never_kept = entry.final and i not in self.kept and i not in self.forgotten
            (settled if never_kept else said).append(
                self._write(StateTopic.LEDGER, i, entry.to_json())
            )
        gone = [self._write(StateTopic.RETRIES, i, None) for i in self.forgotten]
        gone += [self._write(StateTopic.LEDGER, i, None) for i in self.erased]
        pauses = [
            Write(StateTopic.PAUSES, self.partition, key.encode(), _json(pause))
            for key, pause in self.paused.items()
        ]
        replays = [
            Write(StateTopic.REPLAYS, self.partition, name.encode(), value)
            for name, value in self.replays.items()
        ]
        return [*pauses, *replays, *letters], settled, [*items, *said], gone

    def _write(self, topic: StateTopic, delivery_id: DeliveryId, value: bytes | None) -> Write:
        return Write(topic, self.partition, delivery_id.encode(), value)


def _json(pause: Pause | None) -> bytes | None:
    return None if pause is None else pause.to_json()
