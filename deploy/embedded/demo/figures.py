"""What happens where, counted from outside: from Postgres, Kafka, the worker and the webshop."""

from __future__ import annotations

import contextlib
import logging
import re
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString, cast

import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from embedded.demo.questions import SOURCE, TARGET
from embedded.demo.stage import Stage
from embedded.errors import NotStarted
from schemas.topics import Topics

MODELS: Final = ("product.template", "res.partner", "sale.order")
PARTITIONS: Final = range(4)

_SAMPLE: Final = re.compile(r"^odoo_cdc_stream_(\w+?)(?:\{.*\})? (\S+)$", re.MULTILINE)
_LATEST: Final[OffsetSpec] = cast("Any", OffsetSpec).latest()  # which has no types
_PATIENCE: Final = 5.0  # seconds for one answer of Kafka's

_BEHIND: Final = (
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), confirmed_flush_lsn)::int8"
    " FROM pg_replication_slots WHERE database = current_database()"
)
_CONFIRMED: Final = (
    "SELECT pg_wal_lsn_diff(confirmed_flush_lsn, '0/0')::int8"
    " FROM pg_replication_slots WHERE database = current_database()"
)


@dataclass(slots=True)
class Figures:
    """One look; None and 0 where nobody answered.

    `unread` are the records that the worker has not finished, in all topics that it reads.
    `waiting` are deliveries that are not final, as the worker says; None while it is away, and
    `last_waiting` is then what it said last. `retries` and `superseded` go on over its kills.
    """

    behind: int | None = None  # bytes of WAL that capture has not confirmed
    events: int = 0
    deliveries: int = 0
    acknowledgements: int = 0
    dead: int = 0
    unread: int | None = None
    waiting: int | None = None
    last_waiting: int | None = None
    retries: int = 0
    superseded: int = 0
    shop: dict[str, Any] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way any more."""
        return (self.unread, self.waiting) == (0, 0)


@dataclass(slots=True)
class Lasting:
    """Counters of a program that begin at zero with each of its lives, and go on here."""

    life: int = 0
    now: dict[str, float] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)

    def note(self, life: int, samples: dict[str, float]) -> None:
        """Take what the process of this number says."""
        if life != self.life:
            names = self.before.keys() | self.now.keys()
            self.before = {
                name: self.before.get(name, 0.0) + self.now.get(name, 0.0) for name in names
            }
        self.life, self.now = life, samples

    def total(self, name: str) -> int:
        """Return what a counter has come to over all lives."""
        return int(self.before.get(name, 0.0) + self.now.get(name, 0.0))


class Looker:
    """Looks at everything; what does not answer is left out."""

    def __init__(self, stage: Stage) -> None:
        """Look at this stage; connects when asked."""
        topics = Topics(SOURCE)
        self._stage = stage
        self._group = topics.group
        self._events = [topics.events(model) for model in MODELS]
        self._deliveries = topics.deliveries(TARGET)
        self._responses = topics.responses
        self._dead = topics.dead
        self._worker = Lasting()
        self._waiting: int | None = None
        # What librdkafka has to say of a broker that ends is nobody's concern here.
        silent = logging.getLogger("embedded.demo.kafka")
        silent.propagate = False
        silent.addHandler(logging.NullHandler())
        self._kafka = AdminClient({"bootstrap.servers": stage.kafka.bootstrap}, logger=silent)

    def look(self) -> Figures:
        """Return the figures as they stand."""
        found = Figures(behind=self._ask(_BEHIND))
        with contextlib.suppress(KafkaException):
            self._count(found)
        life = self._stage.stream.pid
        samples = sums(self._stage.stream.ask("metrics"))
        if samples:
            self._worker.note(life, samples)
            # A worker that has just lost or not yet opened its partitions sees nothing wait.
            if samples.get("partitions") == len(PARTITIONS):
                found.waiting = self._waiting = int(samples.get("waiting", 0))
        found.last_waiting = self._waiting
        found.retries = self._worker.total("retries_total")
        found.superseded = self._worker.total("superseded_total")
        with contextlib.suppress(NotStarted):
            found.shop = self._stage.webshop.summary()
        return found

    def position(self) -> int:
        """Return where the WAL ends."""
        return self._ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8") or 0

    def confirmed(self) -> int:
        """Return up to where capture has confirmed the WAL."""
        return self._ask(_CONFIRMED) or 0

    def _ask(self, query: LiteralString) -> int | None:
        with contextlib.suppress(psycopg.Error), psycopg.connect(self._stage.dsn) as connection:
            row = connection.execute(query).fetchone()
            return row[0] if row else None
        return None

    def _count(self, found: Figures) -> None:
        ends = self._ends()
        read = self._read()
        found.events = sum(ends[topic] for topic in self._events)
        found.deliveries = ends[self._deliveries]
        found.acknowledgements = ends[self._responses]
        found.dead = ends[self._dead]
        topics = (*self._events, self._deliveries, self._responses)
        found.unread = sum(ends[topic] - read.get(topic, 0) for topic in topics)

    def _ends(self) -> dict[str, int]:
        """Return how many records each topic ever got."""
        names = [*self._events, self._deliveries, self._responses, self._dead]
        asked = {
            TopicPartition(name, partition): _LATEST for name in names for partition in PARTITIONS
        }
        ends = dict.fromkeys(names, 0)
        for place, answer in self._kafka.list_offsets(asked).items():
            ends[place.topic] += answer.result(_PATIENCE).offset
        return ends

    def _read(self) -> dict[str, int]:
        """Return how many records of each topic the worker has finished."""
        asked = [ConsumerGroupTopicPartitions(self._group)]
        (answer,) = self._kafka.list_consumer_group_offsets(asked).values()
        read: dict[str, int] = {}
        for place in answer.result(_PATIENCE).topic_partitions:
            read[place.topic] = read.get(place.topic, 0) + max(0, place.offset)
        return read


def sums(text: str) -> dict[str, float]:
    """Sum a Prometheus text up, over all labels."""
    sums: dict[str, float] = {}
    for name, value in _SAMPLE.findall(text):
        sums[name] = sums.get(name, 0.0) + float(value)
    return sums
