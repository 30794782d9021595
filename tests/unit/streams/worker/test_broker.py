"""What Faust is told of Kafka's security, by librdkafka's names."""

from __future__ import annotations

import ssl

import pytest
from faust.auth import SASLCredentials, SSLCredentials

from schemas.kafka_errors import BadKafkaSetting
from streams.worker.broker import credentials
from tests.fix_certificates import Authority, Pair

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


def of_pair(pair: Pair, authority: Authority, *, as_text: bool) -> dict[str, str]:
    given = {"ca": authority.ca, "certificate": pair.cert, "key": pair.key}
    if as_text:
        return {f"ssl.{what}.pem": path.read_text() for what, path in given.items()}
    return {f"ssl.{what}.location": str(path) for what, path in given.items()}


@pytest.mark.parametrize("as_text", [False, True], ids=["files", "texts"])
def test_certificates_are_read_from_files_and_from_texts(
    authority: Authority, *, as_text: bool
) -> None:
    pair = authority.issue("worker", password="of the key")
    settings = of_pair(pair, authority, as_text=as_text) | {"ssl.key.password": "of the key"}

    found = credentials({"security.protocol": "SSL", **settings})

    assert isinstance(found, SSLCredentials)
    assert found.context.check_hostname
    assert found.context.verify_mode is ssl.CERT_REQUIRED
    (trusted,) = found.context.get_ca_certs()
    assert trusted["subject"]


def test_a_host_name_goes_unchecked_only_where_that_is_asked_for(authority: Authority) -> None:
    settings = {"security.protocol": "SSL", "ssl.ca.location": str(authority.ca)}

    found = credentials({**settings, "ssl.endpoint.identification.algorithm": "none"})

    assert isinstance(found, SSLCredentials)
    assert not found.context.check_hostname
    assert found.context.verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("password", ["", "wrong"], ids=["no password", "a wrong password"])
def test_law_10_a_key_that_cannot_be_opened_is_an_error_and_no_question(
    authority: Authority, password: str
) -> None:
    pair = authority.issue("locked", password="of the key")
    settings = of_pair(pair, authority, as_text=False) | {"ssl.key.password": password}

    with pytest.raises(BadKafkaSetting, match="ssl"):
        credentials({"security.protocol": "SSL", **settings})
