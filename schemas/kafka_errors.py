"""What Kafka says to both programs, as errors that say what to do. No client is needed for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable


class KafkaAway(ServiceUnavailable):
    """Kafka does not answer."""

    hint = "Start Kafka or correct `kafka:` in sync.yaml; `odoo-cdc check` shows its own words."


class NoTopic(ServiceUnavailable):
    """A topic is not there."""

    hint = "Run `odoo-cdc setup`: it makes every topic the file needs."


class BadKafkaSetting(BadUsage):
    """Kafka's client does not know a setting."""

    hint = (
        "`kafka:` in sync.yaml holds librdkafka's own property names and values; its"
        " CONFIGURATION.md lists them all."
    )


class OtherPartitions(DataAtRisk):
    """A topic has another partition count than the file says: chains would move."""

    hint = (
        "A chain's partition follows from the count, so it is not changed while deliveries are"
        " open. Where only sync.yaml was changed, write the former number. Where a partition was"
        " added in Kafka, make the topics anew with the former count, which sends everything"
        " again: stop capture, remove the topics and its folder below `state:`, drop the slot and"
        " run `odoo-cdc setup`."
    )


def refuse_other_counts(topics: Iterable[str], known: Mapping[str, int], wanted: int) -> None:
    """Raise NoTopic for one that is not `known`, OtherPartitions for one without `wanted`."""
    odd = []
    for topic in sorted(topics):
        count = known.get(topic, 0)
        if not count:
            raise NoTopic(f"Kafka has no topic {topic}")
        if count != wanted:
            odd.append(f"{topic}: {count}")
    if odd:
        raise OtherPartitions(f"topics.partitions is {wanted}, but Kafka has {', '.join(odd)}")
