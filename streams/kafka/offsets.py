"""What Kafka knows of a group's place: checked before consuming, and watched while it runs.

A consumer whose committed offset has expired is set to the first record that is left, and
nobody hears of the gap. So it is looked for before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka import admin as kafka_admin
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from schemas.errors import DataAtRisk
from schemas.kafka_errors import refuse_other_counts
from streams.kafka.clients import (
    CLIENT_LOG,
    NOT_YET,
    Heard,
    client_settings,
    configured,
    consumer,
)

T = TypeVar("T")
_TIMEOUT: Final = 15.0  # seconds for one answer
_SPEC: Any = cast("Any", kafka_admin).OffsetSpec  # re-exported without types
# What a broker says of groups until it has read them, shortly after its start.
_STARTING: Final = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
Part = tuple[str, int]  # topic, partition


class OffsetsExpired(DataAtRisk):
    """Kafka has removed records that the group has not read."""

    hint = (
        "What was removed is not sent. To send everything again, stop capture, remove its folder"
        " below `state:`, drop the slot and run `odoo-cdc setup`. To go on with what is left, set"
        " the group's offsets with Kafka's own tool: kafka-consumer-groups --reset-offsets"
        " --to-earliest."
    )


class OtherTargets(DataAtRisk):
    """Another worker of the group runs with other routes or targets."""

    hint = "Workers of one group need the same file: stop them all, then start them again."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands in one partition; `committed` is None where it never committed."""

    topic: str
    partition: int
    committed: int | None
    start: int  # the first offset that Kafka still has
    end: int  # the one behind the last

    @property
    def lag(self) -> int:
        """How many records are not yet done."""
        at = self.start if self.committed is None else self.committed
        return max(0, self.end - at)

    @property
    def done(self) -> int:
        """The first offset that is not done, of those that Kafka still has."""
        return max(self.start, self.committed or 0)

    @property
    def gap(self) -> str:
        """What is missing, in words; "" for nothing."""
        where = f"{self.topic}[{self.partition}]"
        if self.committed is None:
            return (
                f"{where}: offsets 0 to {self.start - 1} were removed unread" if self.start else ""
            )
        if self.committed < self.start:
            return f"{where}: offsets {self.committed} to {self.start - 1} were removed unread"
        if self.committed > self.end:
            return f"{where}: read up to {self.committed}, but it ends at {self.end}: made anew?"
        return ""


def lag_of(places: Iterable[Place]) -> dict[str, int]:
    """Return how many records of each topic are not yet done."""
    lag: dict[str, int] = {}
    for place in places:
        lag[place.topic] = lag.get(place.topic, 0) + place.lag
    return lag


def refuse_gaps(places: Iterable[Place]) -> None:
    """Raise OffsetsExpired, naming every gap."""
    gaps = [place.gap for place in places if place.gap]
    if gaps:
        raise OffsetsExpired(f"{len(gaps)} gap(s): " + "; ".join(gaps))


class GroupOffsets:
    """Asks Kafka about one group; blocking, for one thread at a time."""

    def __init__(self, settings: Mapping[str, str], group: str) -> None:
        self._heard = Heard()
        mine = {**client_settings(settings), "error_cb": self._heard}
        with configured():
            self._admin = AdminClient(mine, logger=CLIENT_LOG)
        self._consumer: Consumer = consumer(settings, self._heard, group)
        self._group = group

    def close(self) -> None:
        """Let go of the connections."""
        self._consumer.close()

    def refuse_other_partitions(self, topics: Iterable[str], wanted: int) -> None:
        """Raise NoTopic, OtherPartitions where a topic has not as many; KafkaAway.

        Asks for these topics alone: a worker looks every few seconds, a cluster may have many.
        """
        asked = sorted(set(topics))
        futures = self._admin.describe_topics(TopicCollection(asked), request_timeout=_TIMEOUT)
        known: dict[str, int] = {}
        for topic, future in futures.items():
            try:
                known[topic] = len(future.result(_TIMEOUT + 5).partitions)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._heard.away(self._admin, error) from error
        refuse_other_counts(asked, known, wanted)

    def topics(self, start: str) -> dict[str, int]:
        """Return the topics whose names begin so, with their numbers of partitions.

        Asks for all that the cluster has, and that this user may see. Raises KafkaAway.
        """
        try:
            found = self._admin.list_topics(timeout=_TIMEOUT).topics
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error
        return {
            name: len(topic.partitions)
            for name, topic in sorted(found.items())
            if name.startswith(start) and topic.error is None
        }

    def places(self, parts: Iterable[Part]) -> list[Place]:
        """Return where the group stands in each of these partitions."""
        wanted = [TopicPartition(topic, partition) for topic, partition in parts]
        if not wanted:
            return []
        try:
            committed = _patiently(
                lambda: self._consumer.committed(wanted, timeout=_TIMEOUT), _STARTING
            )
            starts = self._offsets(wanted, _SPEC.earliest())
            ends = self._offsets(wanted, _SPEC.latest())
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error
        found = []
        for tp in committed:
            part = (tp.topic, tp.partition)
            at = tp.offset if tp.offset >= 0 else None
            found.append(Place(*part, committed=at, start=starts[part], end=ends[part]))
        return found

    def bounds(self, parts: Iterable[Part]) -> dict[Part, tuple[int, int]]:
        """Return the first offset that Kafka still has of each, and the one behind the last."""
        wanted = [TopicPartition(topic, partition) for topic, partition in parts]
        try:
            starts = self._offsets(wanted, _SPEC.earliest())
            ends = self._offsets(wanted, _SPEC.latest())
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error
        return {part: (start, ends[part]) for part, start in starts.items()}

    def ids(self, topics: Iterable[str]) -> dict[str, str]:
        """Return what Kafka itself calls each topic: another one once it was made anew."""
        futures = self._admin.describe_topics(
            TopicCollection(sorted(topics)), request_timeout=_TIMEOUT
        )
        try:
            return {name: str(f.result(_TIMEOUT + 5).topic_id) for name, f in futures.items()}
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error

    def _offsets(self, wanted: list[TopicPartition], spec: Any) -> dict[Part, int]:
        def ask() -> dict[Part, int]:
            futures = self._admin.list_offsets(
                dict.fromkeys(wanted, spec), request_timeout=_TIMEOUT
            )
            return {
                (tp.topic, tp.partition): _known(future.result(timeout=_TIMEOUT).offset)
                for tp, future in futures.items()
            }

        return _patiently(ask, NOT_YET)

    def retention(self, topics: Iterable[str]) -> dict[str, float]:
        """Return how many seconds each topic keeps its records; not those that keep all."""
        resources = [ConfigResource(ResourceType.TOPIC, topic) for topic in topics]
        if not resources:
            return {}
        try:
            futures = self._admin.describe_configs(resources, request_timeout=_TIMEOUT)
            found = {
                resource.name: int(future.result(timeout=_TIMEOUT)["retention.ms"].value)
                for resource, future in futures.items()
            }
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error
        return {topic: kept / 1000 for topic, kept in found.items() if kept >= 0}

    def workers(self) -> dict[str, list[int]]:
        """Return the members of the group by name, with the partitions that each has."""
        return {
            name: sorted({partition for _, partition in parts})
            for name, parts in sorted(self._members())
        }

    def refuse_other_workers(self, topics: frozenset[str], *, worker: str, wait: float) -> None:
        """Raise OtherTargets while a member of the group reads other topics than these.

        Whoever owns a partition of one topic owns it of all. A member that has just died is
        listed until its session ends, so a difference counts when it stands for `wait` seconds.
        """
        deadline = time.monotonic() + wait
        while (odd := self._odd_member(topics, worker)) is not None:
            name, reads = odd
            if time.monotonic() > deadline:
                extra = ", ".join(sorted(reads - topics)) or "nothing more"
                missing = ", ".join(sorted(topics - reads)) or "nothing"
                raise OtherTargets(
                    f"worker {name} of group {self._group} reads {extra} and lacks {missing}"
                )
            time.sleep(0.5)  # there is no event to wait for

    def _odd_member(self, topics: frozenset[str], worker: str) -> tuple[str, set[str]] | None:
        for name, parts in self._members():
            reads = {topic for topic, _ in parts}
            if name != worker and reads and reads != topics:
                return name, reads
        return None

    def _members(self) -> list[tuple[str, list[Part]]]:
        found = []
        for member in self._described():
            assigned = member.assignment.topic_partitions if member.assignment else []
            parts = [(tp.topic, tp.partition) for tp in assigned]
            found.append((member.group_instance_id or member.client_id, parts))
        return found

    def _described(self) -> list[Any]:
        """Return the members of the group as Kafka describes them. Raises KafkaAway."""

        def ask() -> list[Any]:
            future = self._admin.describe_consumer_groups([self._group])[self._group]
            return list(future.result(timeout=_TIMEOUT).members)

        try:
            return _patiently(ask, _STARTING)
        except KafkaException as error:
            raise self._heard.away(self._admin, error) from error


def _known(offset: int) -> int:
    """Return an offset. Raises KafkaException where there is none."""
    if offset < 0:  # the client's word, without an error, as a broker goes away (OFFSET_INVALID)
        raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE, "no offset"))
    return offset


def _patiently(ask: Callable[[], T], passing: Container[int]) -> T:
    """Ask until the answer is none of those that pass: there is no event to wait for."""
    deadline = time.monotonic() + _TIMEOUT
    while True:
        try:
            return ask()
        except KafkaException as error:
            if error.args[0].code() not in passing or time.monotonic() > deadline:
                raise
        time.sleep(0.05)  # likewise
