"""What happens where, counted from outside: from Postgres, Kafka, our programs and the webshop."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, LiteralString, Self, cast

import psycopg
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from embedded.demo.branch import routes
from embedded.demo.branch.routes import BRANCH
from embedded.demo.metrics import Lasting, sums
from embedded.demo.questions import SOURCE, TARGET
from embedded.demo.stage import Stage
from embedded.demo.tail import Tail
from embedded.errors import NotStarted
from schemas.topics import Topics

MODELS: Final = ("product.template", "res.partner", "sale.order", *routes.MODELS)
PARTITIONS: Final = range(4)

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
_KEPT: Final = "SELECT count(*) FROM ir_model_data WHERE module = 'demo'"


@dataclass(slots=True)
class Side:
    """One target.

    `waiting` are deliveries that are not final, as the worker says; None while it is away, and
    `last_waiting` is then what it said last. `taken` changed what the target holds, `duplicates`
    it had before. `retries`, `superseded`, and of the branch `taken` and `duplicates`, go on over
    kills of who counts them. `latency` is as the webshop says it: milliseconds, None where
    nothing came.
    """

    deliveries: int = 0
    taken: int = 0
    acknowledgements: int = 0
    dead: int = 0
    duplicates: int = 0
    retries: int = 0
    superseded: int = 0
    waiting: int | None = None
    last_waiting: int | None = None
    latency: dict[str, float | None] = field(default_factory=dict)


@dataclass(slots=True)
class Figures:
    """One look; None and 0 where nobody answered.

    `unread` are the records that the worker has not finished, in all topics that it reads; `kept`
    are the records of the branch that bear a key.
    """

    behind: int | None = None  # bytes of WAL that capture has not confirmed
    events: int = 0
    unread: int | None = None
    kept: int = 0
    webshop: Side = field(default_factory=Side)
    branch: Side = field(default_factory=Side)
    shop: dict[str, Any] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way any more."""
        return (self.unread, self.webshop.waiting, self.branch.waiting) == (0, 0, 0)


class Looker:
    """Looks at everything; what does not answer is left out."""

    def __init__(self, stage: Stage) -> None:
        """Look at this stage; connects when asked."""
        topics = Topics(SOURCE)
        self._stage = stage
        self._group = topics.group
        self._events = [topics.events(model) for model in MODELS]
        self._deliveries = {name: topics.deliveries(name) for name in (TARGET, BRANCH)}
        self._responses = topics.responses
        self._worker = Lasting()
        self._service = Lasting()
        self._waiting: dict[str, int] = {}
        # What librdkafka has to say of a broker that ends is nobody's concern here.
        silent = logging.getLogger("embedded.demo.kafka")
        silent.propagate = False
        silent.addHandler(logging.NullHandler())
        self._kafka = AdminClient({"bootstrap.servers": stage.kafka.bootstrap}, logger=silent)
        self.tail = Tail(stage.kafka.bootstrap, topics, PARTITIONS)

    def __enter__(self) -> Self:
        """Look as long as this lasts."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        self.tail.close()

    def look(self) -> Figures:
        """Return the figures as they stand."""
        found = Figures(behind=self._ask(_BEHIND))
        with contextlib.suppress(KafkaException):  # away for a moment: the figures of before stand
            self._count(found)
        self.tail.read()
        worker = sums(self._stage.stream.ask("metrics"))
        self._worker.note(self._stage.stream.pid, worker)
        self._service.note(self._stage.target.pid, sums(self._stage.target.ask("metrics")))
        # A worker that has just lost or not yet opened its partitions sees nothing wait.
        whole = worker.get(("partitions", "")) == len(PARTITIONS)
        for name, side in ((TARGET, found.webshop), (BRANCH, found.branch)):
            self._follow(name, side, worker if whole else None)
        self._of_the_targets(found)
        return found

    def position(self) -> int:
        """Return where the WAL ends."""
        return self._ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::int8") or 0

    def confirmed(self) -> int:
        """Return up to where capture has confirmed the WAL."""
        return self._ask(_CONFIRMED) or 0

    def _follow(self, name: str, side: Side, worker: dict[tuple[str, str], float] | None) -> None:
        """Fill in what Kafka and the worker say of a target."""
        if worker is not None:
            side.waiting = self._waiting[name] = int(worker.get(("waiting", name), 0))
        side.last_waiting = self._waiting.get(name)
        side.retries = self._worker.total("retries_total", name)
        side.superseded = self._worker.total("superseded_total", name)
        side.acknowledgements = self.tail.acknowledgements(name)
        side.dead = self.tail.dead(name)

    def _of_the_targets(self, found: Figures) -> None:
        """Fill in what the targets say of themselves."""
        with contextlib.suppress(NotStarted):  # it has ended: it says nothing more
            found.shop = self._stage.webshop.summary()
        found.webshop.taken = found.shop.get("accepted", 0)
        found.webshop.duplicates = found.shop.get("duplicates", 0)
        found.webshop.latency = found.shop.get("latency_ms", {})
        found.branch.taken = self._service.total("answers_total", "delivered")
        found.branch.duplicates = self._service.total("answers_total", "stale")
        found.branch.latency = self.tail.latency(BRANCH)
        found.kept = self._ask(_KEPT, self._stage.branch.dsn) or 0

    def _ask(self, query: LiteralString, dsn: str = "") -> int | None:
        with (
            contextlib.suppress(psycopg.Error),  # away for a moment
            psycopg.connect(dsn or self._stage.dsn) as connection,
        ):
            row = connection.execute(query).fetchone()
            return row[0] if row else None
        return None

    def _count(self, found: Figures) -> None:
        ends = self._ends()
        read = self._read()
        found.events = sum(ends[topic] for topic in self._events)
        found.webshop.deliveries = ends[self._deliveries[TARGET]]
        found.branch.deliveries = ends[self._deliveries[BRANCH]]
        found.unread = sum(end - read.get(topic, 0) for topic, end in ends.items())

    def _ends(self) -> dict[str, int]:
        """Return how many records each topic ever got that the worker reads."""
        names = [*self._events, *self._deliveries.values(), self._responses]
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
