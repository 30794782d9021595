"""What the events of a source come to, and that each follows on the one before it.

- Of one id (record and position) all copies are the same bytes, and no record has two at one LSN.
- In its partition a record's events come in the order of their positions, the first copies.
- `before` is the last `after`, wherever both carry a value; an event tells something.
- A document is held as it came, and only what the file has selected ever since: what a file left
  out for a while is unknown until the record's next event.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from confluent_kafka import Consumer, Message, TopicPartition

from schemas.avro import SchemaBook
from schemas.event import Document, Event, Mode
from schemas.position import Position
from schemas.topics import Topics
from tests.stateful.shop import Tree, tree_in

Whose = tuple[str, int]
PARTITIONS: Final = 2
_TIMEOUT: Final = 30.0  # seconds for what Kafka has


@dataclass(frozen=True, slots=True)
class Held:
    """A record's last document, as far as it is known still."""

    document: Document
    tree: Tree

    def only(self, tree: Tree) -> Held:
        """Leave out what another tree reads otherwise, or not at all."""
        kept = {name: below for name, below in self.tree.items() if tree.get(name) == below}
        return Held({name: self.document[name] for name in ("id", *kept)}, kept)


@dataclass(slots=True)
class Told:
    """Counts what came."""

    events: int = 0
    again: int = 0
    recovered: int = 0


@dataclass(slots=True)
class Folded:
    """The fold. AssertionError where an event does not follow on what is held."""

    held: dict[Whose, Held] = field(default_factory=dict)
    told: Told = field(default_factory=Told)
    loading: set[str] = field(default_factory=set)
    """Models whose existing records may not have been published yet, or are not held any more."""
    forgotten: bool = False
    """Whether nobody knows any more what was published before."""
    _seen: dict[tuple[Whose, int, int], bytes] = field(default_factory=dict)
    _last: dict[Whose, Position] = field(default_factory=dict)

    def take(self, event: Event, value: bytes) -> None:
        """Take the next record of a topic."""
        whose, at = (event.model, event.id), event.position
        place = (whose, at.generation, at.lsn)
        first = self._seen.setdefault(place, value)
        assert first == value, f"two events of {whose} at one position: {at}"
        if first is not value:
            self.told.again += 1
            return
        last = self._last.get(whose)
        assert last is None or last < at, f"{whose}: {at} came behind {last}"
        self._last[whose] = at
        self.told.events += 1
        self._follow(whose, event)

    def only(self, trees: Mapping[str, Tree]) -> None:
        """Forget what these do not select: it may change, and nobody would be told."""
        self.held = {
            whose: each.only(trees[whose[0]])
            for whose, each in self.held.items()
            if whose[0] in trees
        }

    def of(self, model: str) -> dict[int, Held]:
        """Return what is held of a model."""
        return {row: each for (name, row), each in sorted(self.held.items()) if name == model}

    def _follow(self, whose: Whose, event: Event) -> None:
        tree, held = tree_in(event.shape), self.held.get(whose)
        before, after = (_plain(each, tree) for each in (event.before, event.after))
        if event.before_known and event.mode is not Mode.SNAPSHOT:
            assert before != after, f"{whose}: an event that tells nothing"
            self._compare(whose, held, before, tree)
        elif event.mode is Mode.SNAPSHOT and held is not None and after is not None:
            kept = held.only(tree)
            known = {name: after[name] for name in kept.document}
            assert kept.document == known, f"{whose}: the load is not what was published"
        else:
            unknown = self.forgotten or event.model in self.loading
            assert event.mode is Mode.SNAPSHOT or unknown, f"{whose}: before is not known"
        self.told.recovered += event.mode is Mode.RECOVER
        if after is None:
            self.held.pop(whose, None)
        else:
            self.held[whose] = Held(after, tree)

    def _compare(
        self, whose: Whose, held: Held | None, before: Document | None, tree: Tree
    ) -> None:
        if held is None:
            assert before is None or whose[0] in self.loading, f"{whose}: nothing came before"
            return
        assert before is not None, f"{whose}: it was held"
        kept = held.only(tree).document
        assert kept == {name: before[name] for name in kept}, f"{whose}: before is not what was"


def _plain(document: Document | None, tree: Tree) -> Document | None:
    """Leave out what no path has asked for: the external id."""
    return document and {name: document[name] for name in ("id", *tree)}


class Listener:
    """Reads the topics of a source from where it was, as often as it is asked."""

    def __init__(self, servers: str, source: str) -> None:
        self._topics, self._book = Topics(source), SchemaBook()
        self._at: dict[tuple[str, int], int] = {}
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": source,
                "enable.auto.commit": False,
                "fetch.wait.max.ms": 10,  # whatever else is asked waits behind a fetch
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def listen(self, models: Iterable[str]) -> Iterator[tuple[Event, bytes]]:
        """Yield what has come since of some models, each partition in its order."""
        for message in self._read([self._topics.schemas]):
            if value := message.value():
                self._book.add(value)
        for message in self._read(map(self._topics.events, sorted(models))):
            value = bytes(message.value() or b"")
            yield self._book.decode(value), value

    def _read(self, topics: Iterable[str]) -> Iterator[Message]:
        ends = dict(self._ends(topics))
        begins = [TopicPartition(*where, self._at.get(where, 0)) for where in ends]
        self._consumer.assign(begins)
        deadline = time.monotonic() + _TIMEOUT
        while ends:
            assert time.monotonic() < deadline, f"nothing more came of {sorted(ends)}"
            for message in self._consumer.consume(100, 0.02):
                error = message.error()
                assert error is None, error
                where = message.topic() or "", message.partition() or 0
                yield message
                self._at[where] = (message.offset() or 0) + 1
                if self._at[where] >= ends.get(where, 0):
                    ends.pop(where, None)
        self._consumer.unassign()

    def _ends(self, topics: Iterable[str]) -> Iterator[tuple[tuple[str, int], int]]:
        for topic in topics:
            for partition in range(PARTITIONS):
                place = TopicPartition(topic, partition)
                _, end = self._consumer.get_watermark_offsets(place, _TIMEOUT)
                if end > self._at.get((topic, partition), 0):
                    yield (topic, partition), end
