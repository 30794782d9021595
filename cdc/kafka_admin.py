"""Topics as they are in Kafka, and how they become what the file needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ClusterMetadata,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from cdc.kafka import CLIENT_LOG, Heard, client_settings, configured, metadata, said
from cdc.topics import TopicPlan
from schemas.errors import BadUsage, ServiceUnavailable
from schemas.kafka_errors import away

_TIMEOUT: Final = 30.0  # seconds for one answer
_MARGIN: Final = 5.0  # seconds that the client has to say that none came

T = TypeVar("T")


class TopicNotMade(ServiceUnavailable):
    """Kafka did not make a topic."""

    hint = (
        "Kafka's own words say why: replication factor, rights (ACLs) or a policy, for instance."
    )


class PartitionsFixed(BadUsage):
    """A topic has another number of partitions than the file wants."""

    hint = (
        "The partition count of a live installation is not changed: chains would move. Write the"
        " number that the topics have as topics.partitions in sync.yaml."
    )


class Admin:
    """Kafka's administration, for `setup` and `check`."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Connect in the background. Raises BadKafkaSetting."""
        self._heard = Heard()
        mine: dict[str, Any] = {**client_settings(settings), "error_cb": self._heard}
        with configured():
            self._client = AdminClient(mine, logger=CLIENT_LOG)

    def partitions(self) -> dict[str, int]:
        """Return every topic with its partition count. Raises KafkaAway with Kafka's words."""
        return {name: len(topic.partitions) for name, topic in self._known().topics.items()}

    def brokers(self) -> int:
        """Return how many brokers there are. Raises KafkaAway."""
        return len(self._known().brokers)

    def make(self, plans: Sequence[TopicPlan]) -> None:
        """Make topics. Raises TopicNotMade."""
        if not plans:
            return
        made = self._client.create_topics(
            [
                NewTopic(
                    plan.name,
                    num_partitions=plan.partitions,
                    replication_factor=plan.replication,
                    config=dict(plan.settings),
                )
                for plan in plans
            ],
            request_timeout=_TIMEOUT,
        )
        for name, future in made.items():
            try:
                _told(future)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise TopicNotMade(f"{name}: {said(error)}") from error
        _until(lambda: all(self._led(plan.name) for plan in plans))

    def differing(self, plans: Sequence[TopicPlan]) -> list[TopicPlan]:
        """Return the topics whose settings are not those of their plans."""
        resources = {ConfigResource(ResourceType.TOPIC, plan.name): plan for plan in plans}
        if not resources:
            return []
        futures = self._client.describe_configs(list(resources), request_timeout=_TIMEOUT)
        found = []
        for resource, future in futures.items():
            try:
                entries = _told(future)
            except KafkaException as error:
                raise away(resource.name, said(error)) from error
            has = {name: entry.value for name, entry in entries.items()}
            plan = resources[resource]
            if any(has.get(name) != value for name, value in plan.settings.items()):
                found.append(plan)
        return found

    def change(self, plans: Sequence[TopicPlan]) -> None:
        """Give topics the settings of their plans. Raises TopicNotMade."""
        if not plans:
            return
        resources = [
            ConfigResource(
                ResourceType.TOPIC,
                plan.name,
                incremental_configs=[
                    ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                    for name, value in plan.settings.items()
                ],
            )
            for plan in plans
        ]
        changed = self._client.incremental_alter_configs(resources, request_timeout=_TIMEOUT)
        for resource, future in changed.items():
            try:
                _told(future)
            except KafkaException as error:
                raise TopicNotMade(f"{resource.name}: {said(error)}") from error
        _until(lambda: not self.differing(plans))

    def _led(self, topic: str) -> bool:
        """Whether every partition of a topic can be written to."""
        found = self._known().topics.get(topic)
        return found is not None and all(p.leader >= 0 for p in found.partitions.values())

    def _known(self) -> ClusterMetadata:
        return metadata(self._client, self._heard)


def missing(plans: Iterable[TopicPlan], known: Mapping[str, int]) -> list[TopicPlan]:
    """Return the topics that are not there. Raises PartitionsFixed."""
    odd = [
        f"{plan.name} has {known[plan.name]}, not {plan.partitions}"
        for plan in plans
        if known.get(plan.name, plan.partitions) != plan.partitions
    ]
    if odd:
        raise PartitionsFixed(f"partitions: {'; '.join(odd)}")
    return [plan for plan in plans if plan.name not in known]


def _told(answer: Future[T]) -> T:
    """Return what Kafka answers. Raises KafkaException, also where no answer comes."""
    try:
        return answer.result(_TIMEOUT + _MARGIN)
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError.REQUEST_TIMED_OUT, "no answer")) from None


def _until(done: Callable[[], bool]) -> None:
    """Wait until the brokers show what the controller has accepted; not for ever."""
    deadline = time.monotonic() + _TIMEOUT
    while not done() and time.monotonic() < deadline:
        time.sleep(0.05)  # there is no event to wait for
