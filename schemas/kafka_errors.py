"""What Kafka says to both programs, as errors that say what to do. No client is needed for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.errors import BadUsage, DataAtRisk, ServiceUnavailable


class KafkaAway(ServiceUnavailable):
    """Kafka does not answer."""

    hint = (
        "Start Kafka, or correct bootstrap.servers and security.protocol of `kafka:` in sync.yaml;"
        " `odoo-cdc check` shows its own words."
    )


_CERTIFICATE = (
    "Give a certificate that Kafka's truststore knows as ssl.certificate.location, with its"
    " ssl.key.location."
)
_REMEDIES: Final = {  # what librdkafka says -> the operator's next step
    "SASL authentication error": (
        "Correct sasl.username, sasl.password and sasl.mechanism: Kafka knows no such user with"
        " that password. A rotated password is read when a program starts."
    ),
    "certificate verify failed": (
        "Write the CA that signed the brokers' certificates as ssl.ca.location; they must be"
        " valid today, and for the host names in bootstrap.servers and advertised.listeners."
    ),
    "alert bad certificate": _CERTIFICATE,
    "alert certificate": _CERTIFICATE,
    "alert unknown ca": _CERTIFICATE,
    "alert handshake failure": _CERTIFICATE,
    "SSL connection closed by peer": (
        "Kafka does not speak TLS there: correct security.protocol, or the port in"
        " bootstrap.servers."
    ),
    "authorization failed": (
        "Kafka knows us and does not let us do that: docs/security.md lists the rights (ACLs) of"
        " each program."
    ),
}


def away(what: str, words: str) -> KafkaAway:
    """Return the error for `what` Kafka did not do, and why in its client's words."""
    low = words.lower()
    remedies = (remedy for sign, remedy in _REMEDIES.items() if sign.lower() in low)
    return KafkaAway(f"{what}: {words}", hint=next(remedies, ""))


class NoTopic(ServiceUnavailable):
    """A topic is not there."""

    hint = (
        "Run `odoo-cdc setup`: it makes every topic the file needs. Where it is there, this user"
        " has no right to see it: docs/security.md lists the rights (ACLs)."
    )


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
