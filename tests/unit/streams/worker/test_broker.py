"""What Faust is told of Kafka's security, by librdkafka's names."""

from __future__ import annotations

import pytest
from faust.auth import SASLCredentials

from streams.worker.broker import NotForWorkers, UnknownProtocol, credentials

SASL = {
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": "app",
    "sasl.password": "secret",
}


def test_a_user_presents_itself() -> None:
    found = credentials(SASL)

    assert isinstance(found, SASLCredentials)
    assert (found.username, found.password) == ("app", "secret")


def test_plain_text_needs_nothing() -> None:
    assert credentials({"bootstrap.servers": "kafka:9092"}) is None


@pytest.mark.parametrize(
    "name", ["ssl.ca.pem", "ssl.keystore.location", "enable.ssl.certificate.verification"]
)
def test_law_10_what_workers_cannot_follow_is_refused_not_dropped(name: str) -> None:
    with pytest.raises(NotForWorkers, match=name):
        credentials({**SASL, name: "x"})


def test_a_protocol_that_nobody_speaks_is_refused() -> None:
    with pytest.raises(UnknownProtocol, match="quic"):
        credentials({"security.protocol": "quic"})
