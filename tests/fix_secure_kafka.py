"""A broker with TLS, client certificates, users and rights, beside its open address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.waiting import LONG

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from tests.fix_certificates import Authority, Pair

USER: Final = "app"
PASSWORDS: Final = {USER: "app/s:@cret=1%", "nobody": "nobody-s-secret"}  # of PLAIN and SCRAM
SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
RIGHTS: Final = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": f"User:ANONYMOUS;User:{USER};User:client",
}
_SECURITY: Final = "org.apache.kafka.common.security"


@dataclass(frozen=True)
class SecureKafka:
    """The broker, and what a client of each kind writes under `kafka:`."""

    broker: Kafka
    authority: Authority
    client: Pair

    def open_address(self) -> dict[str, str]:
        """Return settings of the super user's address, without any security."""
        return {"bootstrap.servers": self.broker.bootstrap}

    def tls(self, ca: Path | None = None) -> dict[str, str]:
        """Return settings for TLS."""
        return {
            "bootstrap.servers": self.broker.address("TLS"),
            "security.protocol": "SSL",
            "ssl.ca.location": str(ca or self.authority.ca),
        }

    def mutual(self, pair: Pair | None) -> dict[str, str]:
        """Return settings for the address that wants a certificate."""
        settings = self.tls() | {"bootstrap.servers": self.broker.address("MUTUAL")}
        if pair is None:
            return settings
        return settings | {
            "ssl.certificate.location": str(pair.cert),
            "ssl.key.location": str(pair.key),
        }

    def sasl(self, mechanism: str, user: str = USER, password: str = "") -> dict[str, str]:
        """Return settings for a user."""
        return self.tls() | {
            "bootstrap.servers": self.broker.address("USERS"),
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": mechanism,
            "sasl.username": user,
            "sasl.password": password or PASSWORDS[user],
        }

    def set_password(self, user: str, password: str) -> None:
        """Make a user of SCRAM, or give it another password."""
        from confluent_kafka import admin  # noqa: PLC0415 - unit tests load nothing of it

        client = admin.AdminClient(self.open_address())
        names = (admin.ScramMechanism.SCRAM_SHA_256, admin.ScramMechanism.SCRAM_SHA_512)
        for name in names:
            info = admin.ScramCredentialInfo(name, 4096)
            wanted = admin.UserScramCredentialUpsertion(user, info, password.encode())
            for future in client.alter_user_scram_credentials([wanted]).values():
                future.result(LONG)


@pytest.fixture(scope="session")
def secure_kafka(authority: Authority) -> Iterator[SecureKafka]:
    """One broker for the session."""
    from embedded.kafka import Kafka, Listener  # noqa: PLC0415 - unit tests load nothing of it

    own = authority.issue("broker")
    stores = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(own.both),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.ca),
        "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]*).*$/$1/",
    }
    quoted = "".join(f' user_{name}="{password}"' for name, password in PASSWORDS.items())
    plain = f"{_SECURITY}.plain.PlainLoginModule required{quoted};"
    scram = f"{_SECURITY}.scram.ScramLoginModule required;"
    users = {
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *SCRAM)),
        "plain.sasl.jaas.config": plain,
        **{f"{each.lower()}.sasl.jaas.config": scram for each in SCRAM},
    }
    listeners = [
        Listener("TLS", "SSL", stores),
        Listener("MUTUAL", "SSL", stores | {"ssl.client.auth": "required"}),
        Listener("USERS", "SASL_SSL", stores | users),
    ]
    with Kafka.start(settings=RIGHTS, listeners=listeners) as broker:
        made = SecureKafka(broker, authority, authority.issue("client"))
        for user, password in PASSWORDS.items():
            made.set_password(user, password)
        yield made
