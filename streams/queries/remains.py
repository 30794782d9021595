"""Where Kafka holds records of one record of Odoo's, and which ones they are. Pure.

Topics that there are count, not those that the file names: what it names no longer, a target or
a model, has left its records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from schemas.arguments import Person
from schemas.keys import chain_of, partition_of
from schemas.topics import Topics

Part = tuple[str, int]  # topic, partition
IsMine = Callable[[bytes, bytes | None], bool]  # of a key and a value
_SLASHES: Final = 3  # in a chain


@dataclass(frozen=True, slots=True)
class Remains:
    """Knows the records of a source that are about one record of Odoo's."""

    source: str
    person: Person

    def everywhere(self, there: Mapping[str, int]) -> dict[Part, IsMine]:
        """Return where they may stand; `there` are the source's topics, with their partitions.

        Only where age alone cleans: in a compacted topic a tombstone hides what was before.
        """
        topics = Topics(self.source)
        queues = topics.deliveries("")
        found: dict[Part, IsMine] = {}
        for topic, count in there.items():
            if topic == topics.events(self.person.model):
                found |= self.events(count)
            elif topic.startswith(queues):
                found |= self.queue(topic.removeprefix(queues), count)
            elif topic == topics.dead:
                found |= dict.fromkeys(((topic, n) for n in range(count)), self._beside)
            elif topic == topics.responses:
                found |= dict.fromkeys(((topic, n) for n in range(count)), self._words)
        return found

    def events(self, count: int) -> dict[Part, IsMine]:
        """Return where its events stand in their topic of so many partitions."""
        key = str(self.person.record).encode()
        topic = Topics(self.source).events(self.person.model)
        return {(topic, partition_of(key, count)): lambda found, _: found == key}

    def queue(self, target: str, count: int) -> dict[Part, IsMine]:
        """Return where its deliveries stand in a target's send queue of so many partitions."""
        key = chain_of(self.source, target, self.person.model, self.person.record).encode()
        topic = Topics(self.source).deliveries(target)
        return {(topic, partition_of(key, count)): lambda found, _: found == key}

    def _beside(self, key: bytes, _: bytes | None) -> bool:
        """Say whether a key is a chain of it, of whichever target."""
        start, end = f"{self.source}/".encode(), self._end.encode()
        return key.startswith(start) and key.endswith(end) and key.count(b"/") == _SLASHES

    def _words(self, key: bytes, value: bytes | None) -> bool:
        """Say whether words are on it: targets choose the key, and many stand in one record."""
        return self._beside(key, value) or f"{self._end}/".encode() in (value or b"")

    @property
    def _end(self) -> str:
        return f"/{self.person.model}/{self.person.record}"
