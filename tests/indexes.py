"""An index in memory, and what topics say, given by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from streams.chains.dead_letter import Letter
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.index.records import Kind, Read
from streams.index.store import Index

PARTITION = 0


@dataclass
class Fed:
    """An index that reads every record at once; each topic counts its own offsets."""

    index: Index = field(default_factory=lambda: Index(":memory:"))
    ends: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))

    def read(self, kind: Kind, key: str, value: bytes | None, written: float = 0.0) -> None:
        """Let a topic gain a record."""
        at = self.ends[kind]
        self.ends[kind] += 1
        record = Read(at, written, key.encode(), value)
        self.index.take(kind, kind.value, PARTITION, [record], (at + 1, "one"))

    def entry(self, entry: Entry, written: float = 0.0) -> None:
        """Let the ledger say something."""
        self.read(Kind.LEDGER, entry.id, entry.to_json(), written)

    def item(self, item: Item) -> None:
        """Let something be on its way."""
        self.read(Kind.RETRIES, item.id, item.to_json())

    def letter(self, letter: Letter) -> None:
        """Let something be given up."""
        self.read(Kind.DEAD, letter.entry.chain, letter.to_json())
