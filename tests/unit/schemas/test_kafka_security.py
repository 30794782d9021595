"""TLS and SASL in `kafka:`: what not all programs could follow is said before any starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from schemas.config import Config, ConfigError, load
from tests.programs import sync_yaml

ROUTES = "routes: [{name: a, model: m, targets: [shop], fields: [name]}]"
SCRAM = {
    "security.protocol": "SASL_SSL",
    "sasl.mechanism": "SCRAM-SHA-512",
    "sasl.username": "app",
    "sasl.password": "of the app",
}


def read(folder: Path, kafka: Mapping[str, object]) -> Config:
    text = sync_yaml(source="odoo_a", dsn="x", kafka="a:1", targets=["shop"], routes=ROUTES)
    file = folder / "sync.yaml"
    lines = "".join(f"  {name}: {value}\n" for name, value in kafka.items())
    kept = [line for line in text.splitlines() if not line.startswith("kafka:")]
    kept.insert(1, f"kafka:\n  bootstrap.servers: a:1\n{lines}")
    file.write_text("\n".join(kept), encoding="utf-8")
    return load(file, {})


@pytest.mark.parametrize(
    ("kafka", "where", "said", "remedy"),
    [
        ({"security.protocol": "quic"}, "security.protocol", "quic", "sasl_ssl"),
        (
            {"security.protocol": "ssl", "ssl.keystore.location": "x"},
            "ssl.keystore.location",
            "workers cannot follow",
            "ssl.key.pem",
        ),
        (
            {"security.protocol": "ssl", "enable.ssl.certificate.verification": "false"},
            "enable.ssl.certificate.verification",
            "workers cannot follow",
            "ssl.ca.location",
        ),
        (
            {"security.protocol": "ssl", "ssl.certificate.location": "x"},
            "ssl.certificate.location",
            "belong together",
            "both",
        ),
        (
            {"security.protocol": "ssl", "ssl.key.pem": "x"},
            "ssl.key.pem",
            "belong together",
            "both",
        ),
        (
            {"security.protocol": "ssl", "ssl.ca.pem": "x", "ssl.ca.location": "x"},
            "ssl.ca.pem",
            "not both",
            "one of them",
        ),
        (
            {"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "http"},
            "ssl.endpoint.identification.algorithm",
            '"http"',
            "https or none",
        ),
        (SCRAM | {"sasl.mechanism": "GSSAPI"}, "sasl.mechanism", '"GSSAPI"', "SCRAM-SHA-256"),
        (
            {k: v for k, v in SCRAM.items() if k != "sasl.mechanism"},
            "sasl.mechanism",
            "missing",
            "PLAIN",
        ),
        (SCRAM | {"sasl.password": '""'}, "sasl.password", "missing", "value"),
        (
            {k: v for k, v in SCRAM.items() if k != "sasl.username"},
            "sasl.username",
            "missing",
            "value",
        ),
    ],
    ids=[
        "an unknown protocol",
        "a key store",
        "no verification",
        "a certificate without key",
        "a key without certificate",
        "two CAs",
        "an unknown way to look at names",
        "an unknown mechanism",
        "no mechanism",
        "an empty password",
        "no user",
    ],
)
def test_law_10_what_cannot_be_followed_is_refused_with_its_line_and_a_remedy(
    tmp_path: Path, kafka: dict[str, str], where: str, said: str, remedy: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, kafka)

    (finding,) = refused.value.findings
    lines = (tmp_path / "sync.yaml").read_text().splitlines()
    assert finding.where == f"kafka.{where}"
    assert finding.line is not None
    wanted = where if where in kafka else "kafka"
    assert lines[finding.line - 1].strip().startswith(wanted)
    assert said in finding.message
    assert remedy in finding.remedy


def test_certificates_stand_beside_the_file(tmp_path: Path) -> None:
    config = read(tmp_path, SCRAM | {"ssl.ca.location": "certs/ca.pem"})

    assert config.kafka["ssl.ca.location"] == str(tmp_path / "certs" / "ca.pem")
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("kafka", "where"),
    [
        ({"sasl.username": "app", "sasl.password": "x"}, "sasl.username"),
        ({"ssl.ca.location": "x", "security.protocol": "plaintext"}, "ssl.ca.location"),
        (
            {"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"},
            "ssl.endpoint.identification.algorithm",
        ),
    ],
    ids=["a user without sasl", "a CA without TLS", "any host name"],
)
def test_what_protects_less_than_it_seems_is_warned_of(
    tmp_path: Path, kafka: dict[str, str], where: str
) -> None:
    found = read(tmp_path, kafka).warnings

    assert f"kafka.{where}" in [each.where for each in found]
    assert all(each.line and each.remedy for each in found)
