"""What Kafka says to both programs, as errors that say what to do. No client is needed for it."""

from __future__ import annotations

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


class UnequalPartitions(DataAtRisk):
    """Topics differ in their partition count: chains would not meet on one worker."""

    hint = (
        "All topics of a source have the same number of partitions. Drain the queues, then make"
        " the odd ones anew with `odoo-cdc setup`."
    )
