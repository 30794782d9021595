"""Kafka: there, with every topic as the file wants it."""

from __future__ import annotations

from typing import Protocol

from cdc.kafka_admin import PartitionsFixed, missing
from cdc.topics import TopicPlan, wanted
from schemas.config import Config
from schemas.finding import Finding


class Topics(Protocol):
    """What is asked of Kafka."""

    def partitions(self) -> dict[str, int]:
        """Return every topic with its partition count."""

    def brokers(self) -> int:
        """Return how many brokers there are."""

    def differing(self, plans: list[TopicPlan]) -> list[TopicPlan]:
        """Return the topics whose settings are not those of their plans."""


def findings(config: Config, admin: Topics) -> list[Finding]:
    """Compare the topics with the file. Raises KafkaAway with Kafka's own words."""
    plans = wanted(config)
    known = admin.partitions()
    found: list[Finding] = []
    brokers = admin.brokers()
    if config.topics.replication > brokers:
        message = f"{config.topics.replication} replicas are wanted; Kafka has {brokers} broker(s)"
        remedy = f"write {brokers}, or start more brokers"
        found.append(Finding("error", "topics.replication", None, message, remedy))
    try:
        lacking = missing(plans, known)
    except PartitionsFixed as error:
        return [*found, Finding("error", "topics.partitions", None, str(error), error.hint)]
    if lacking:
        names = ", ".join(plan.name for plan in lacking)
        message = f"Kafka has no topic {names}"
        found.append(Finding("warning", "topics", None, message, "run `odoo-cdc setup`"))
    differing = admin.differing([plan for plan in plans if plan.name in known])
    if differing:
        names = ", ".join(plan.name for plan in differing)
        message = f"other settings than the file wants: {names}"
        found.append(Finding("warning", "topics", None, message, "run `odoo-cdc setup`"))
    return found
