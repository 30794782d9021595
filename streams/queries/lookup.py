"""What the topics say about deliveries, for people who ask: no group, no worker, no cache."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from schemas import delivery as deliveries
from schemas.arguments import Subject
from schemas.avro import NotAnEvent, SchemaBook, UnknownSchema
from schemas.config import Config
from schemas.delivery import Delivery, NotADelivery
from schemas.event import Event
from schemas.keys import partition_of
from schemas.position import original
from schemas.topics import Topics
from streams.chains.pause import Pause
from streams.index.store import Index
from streams.kafka.offsets import GroupOffsets, Place
from streams.kafka.scan import Found, Part, offset_at, scan, written
from streams.kafka.schema_reader import SchemaReader
from streams.queries.catalogue import catalogue
from streams.queries.remains import IsMine
from streams.replays.job import Job
from streams.sending import holds
from streams.sending.holds import Hold

_FAR: Final = 20_000  # events that are looked through for one


@dataclass(slots=True)
class Lookup:
    """Reads the topics of a source; every method blocks, KafkaAway where Kafka is away."""

    config: Config
    topics: Topics = field(init=False)
    partitions: int = field(init=False)
    _offsets: GroupOffsets = field(init=False)

    def __post_init__(self) -> None:
        """Look at the topics; NoTopic where `setup` has not made them, OtherPartitions."""
        self.topics = Topics(self.config.source.name)
        self._offsets = GroupOffsets(self.config.kafka, self.topics.group)
        self.partitions = self.config.topics.partitions
        self._offsets.refuse_other_partitions([*self.queues, *self._kept], self.partitions)

    def close(self) -> None:
        """Let go of the connections."""
        self._offsets.close()

    @property
    def queues(self) -> dict[str, str]:
        """The send queues: topic -> target."""
        return {self.topics.deliveries(target): target for target in sorted(self.config.targets)}

    @property
    def consumed(self) -> list[str]:
        """The topics that workers read as a group."""
        events = {self.topics.events(route.model) for route in self.config.routes}
        return [*sorted(events), *self.queues, self.topics.responses, self.topics.commands]

    @property
    def _kept(self) -> tuple[str, ...]:
        topics = self.topics
        return (
            *(topics.ledger, topics.retries, topics.dead, topics.responses),
            *(topics.holds, topics.pauses, topics.replays, topics.commands),
        )

    def partition(self, chain: str) -> int:
        """Return the partition that owns a chain."""
        return partition_of(chain, self.partitions)

    def places(self, topics: Iterable[str]) -> list[Place]:
        """Return where the workers' group stands in each partition of these topics."""
        return self._offsets.places((t, p) for t in topics for p in range(self.partitions))

    def resting(self, subject: Subject) -> int:
        """Count what rests in a send queue: only that of a target that is paused does."""
        mine = [queue for queue, target in self.queues.items() if target == subject.name]
        return sum(place.lag for place in self.places(mine if subject.kind == "target" else []))

    def oldest(self, places: Iterable[Place]) -> dict[Part, float]:
        """Return when the oldest record of each partition that is not done was written."""
        starts = {(p.topic, p.partition): max(p.start, p.end - p.lag) for p in places if p.lag}
        return written(self.config.kafka, starts)

    def retention(self, topics: Iterable[str]) -> dict[str, float]:
        """Return how many seconds each topic keeps its records; not those that keep all."""
        return self._offsets.retention(topics)

    def workers(self) -> dict[str, list[int]]:
        """Return the workers by name, with the partitions that each has."""
        return self._offsets.workers()

    def holds(self) -> dict[str, list[Hold]]:
        """Return what each worker of the group has learnt to hold back."""
        return {worker: holds.from_json(value) for worker, value in self._words().items()}

    def files(self) -> dict[str, str]:
        """Return the fingerprint of the file that each worker of the group goes by."""
        found = {worker: holds.file_of(value) for worker, value in self._words().items()}
        return {worker: name for worker, name in sorted(found.items()) if name}

    def _words(self) -> dict[str, bytes]:
        """Return what each worker of the group has said last of itself."""
        working, said = self.workers(), {}
        for found in self._all(self.topics.holds, None):
            if found.value is not None and found.key.decode() in working:
                said[found.key.decode()] = found.value
        return said

    def pauses(self) -> list[Pause]:
        """Return what operators have paused, the oldest record of each."""
        found: dict[tuple[int, str], Pause] = {}
        for record in self._all(self.topics.pauses, None):
            place = record.partition, record.key.decode()
            if record.value is None:
                found.pop(place, None)
            else:
                found[place] = Pause.from_json(record.value)
        pauses = sorted(found.values(), key=lambda pause: pause.since, reverse=True)
        return list({pause.key: pause for pause in pauses}.values())

    def replays(self) -> list[Job]:
        """Return the replays under way, in each partition that has a part of one."""
        found: dict[tuple[int, bytes], Job] = {}
        for record in self._all(self.topics.replays, None):
            if record.value is None:
                found.pop((record.partition, record.key), None)
            else:
                found[record.partition, record.key] = Job.from_json(record.value)
        return list(found.values())

    @contextmanager
    def catalogue(self) -> Iterator[Index]:
        """Give what is known of every delivery, as of now."""
        with catalogue(self.config, self._offsets) as index:
            yield index

    def queued(self, places: Iterable[Place]) -> Iterator[tuple[Found, Delivery]]:
        """Give the deliveries that no worker has taken yet; `places` are of send queues."""
        starts = {(p.topic, p.partition): p.end - p.lag for p in places if p.lag}
        for found in self._scan(starts):
            try:
                yield found, deliveries.decode(found.value or b"")
            except NotADelivery:  # its worker reports it when it comes there
                continue

    def there(self) -> dict[str, int]:
        """Return the topics of the source that there are, with their numbers of partitions."""
        return self._offsets.topics(f"{self.config.source.name}.")

    def those(self, parts: Mapping[Part, IsMine], *, undone: bool = False) -> Iterator[Found]:
        """Give the records that are wanted of some partitions.

        Where `undone`, only those behind what the workers have done for good.
        """
        starts = dict.fromkeys(parts, 0)
        if undone:
            places = self._offsets.places(parts)
            starts = {(p.topic, p.partition): p.done for p in places if p.lag}
        for found in self._scan(starts):
            is_mine = parts[found.topic, found.partition]
            if found.value is not None and is_mine(found.key, found.value):
                yield found

    def done(self, parts: Iterable[Part]) -> dict[Part, int]:
        """Return the offsets that the workers have done for good, and do not read again."""
        places = self._offsets.places(parts)
        return {(p.topic, p.partition): p.done for p in places}

    def event(self, model: str, record: int, sequence: str, since: float) -> Found | None:
        """Return a record's event of that sequence, looked for among those since a time.

        The sequence of a replay is that of the event which it repeats. None where Kafka has
        dropped it, or where no route of the file reads the model.
        """
        if all(route.model != model for route in self.config.routes):
            return None
        part = (self.topics.events(model), partition_of(str(record), self.partitions))
        book = self.schemas()
        for count, found in enumerate(
            self._scan({part: offset_at(self.config.kafka, part, since)})
        ):
            if count > _FAR:
                break
            try:
                event = book.decode(found.value or b"")
            except (NotAnEvent, UnknownSchema):  # not the one that is looked for
                continue
            if event.id == record and event.position.sequence == original(sequence):
                return found
        return None

    def schemas(self) -> SchemaBook:
        """Return the schemas of all events that there are."""
        reader = SchemaReader(self.config.kafka, self.topics.schemas, SchemaBook())
        reader.fill()
        return reader.book

    def events(self, model: str, last: int, book: SchemaBook) -> list[Event]:
        """Return the latest events of a model that `book` can read, in the order of commits."""
        topic = self.topics.events(model)
        self._offsets.refuse_other_partitions([topic], self.partitions)
        ends = {(p.topic, p.partition): p.end for p in self.places([topic])}
        events: list[Event] = []
        for found in self._scan({part: max(0, end - last) for part, end in ends.items()}):
            with suppress(NotAnEvent, UnknownSchema):  # its worker reports it
                events.append(book.decode(found.value or b""))
        return sorted(events, key=lambda event: event.position.sequence)[-last:]

    def delivery(self, target: str, chain: str, order: int) -> tuple[Found, Delivery] | None:
        """Return what stands in a send queue at an offset; None where Kafka has dropped it."""
        part = (self.topics.deliveries(target), self.partition(chain))
        for found in self._scan({part: order}):
            if found.offset == order:
                return found, deliveries.decode(found.value or b"")
            break
        return None

    def _all(self, topic: str, partitions: Iterable[int] | None) -> Iterator[Found]:
        chosen = range(self.partitions) if partitions is None else partitions
        return self._scan({(topic, partition): 0 for partition in sorted(set(chosen))})

    def _scan(self, starts: dict[Part, int]) -> Iterator[Found]:
        for found, _ in scan(self.config.kafka, starts):
            yield from found
