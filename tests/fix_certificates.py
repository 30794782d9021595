"""Certificates for tests: a CA of their own, good ones, and such as nobody should take."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import trustme

HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Pair:
    """A certificate with its key, PEM files; `both` holds the two, as a broker wants them."""

    cert: Path
    key: Path
    both: Path


class Authority:
    """A CA; `ca` is its certificate, a PEM file."""

    def __init__(self, folder: Path) -> None:
        import trustme  # noqa: PLC0415 - unit tests that need no certificate load nothing of it

        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca: trustme.CA = trustme.CA(key_type=trustme.KeyType.RSA)
        self.ca = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca)

    def issue(
        self,
        name: str,
        *hosts: str,
        begins: float = -60,
        days: float = 30,
        password: str = "",
    ) -> Pair:
        """Sign a certificate for `name`; it `begins` and ends so many `days` from today."""
        from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415 - see above

        now = datetime.now(UTC)
        made = self._ca.issue_cert(
            *(hosts or HERE),
            common_name=name,
            not_before=now + timedelta(days=begins),
            not_after=now + timedelta(days=days),
        )
        # PKCS#8, which all of Kafka, librdkafka and Python read.
        key = pem.load_pem_private_key(made.private_key_pem.bytes(), None).private_bytes(
            pem.Encoding.PEM,
            pem.PrivateFormat.PKCS8,
            pem.BestAvailableEncryption(password.encode()) if password else pem.NoEncryption(),
        )
        cert = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        pair = Pair(*(self._folder / f"{name}.{kind}" for kind in ("crt", "key", "pem")))
        pair.cert.write_bytes(cert)
        pair.key.write_bytes(key)
        pair.both.write_bytes(key + cert)
        return pair

    def stores(self, pair: Pair, password: str) -> tuple[Path, Path]:
        """Return a pair as a key store and this CA as a trust store, both PKCS #12."""
        from cryptography import x509  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives import serialization as pem  # noqa: PLC0415
        from cryptography.hazmat.primitives.serialization import pkcs12  # noqa: PLC0415

        locked = pem.BestAvailableEncryption(password.encode())
        ca = x509.load_pem_x509_certificate(self.ca.read_bytes())
        own = x509.load_pem_x509_certificate(pair.cert.read_bytes())
        key = pem.load_pem_private_key(pair.key.read_bytes(), None)
        assert isinstance(key, pkcs12.PKCS12PrivateKeyTypes)
        keys, trusted = (
            self._folder / f"{pair.cert.stem}.{kind}.p12" for kind in ("keys", "trust")
        )
        keys.write_bytes(pkcs12.serialize_key_and_certificates(b"own", key, own, None, locked))
        trusted.write_bytes(
            pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(ca, b"ca")], locked)
        )
        return keys, trusted

    def server(self, pair: Pair, *, clients: bool = False) -> ssl.SSLContext:
        """Return what a server listens with; `clients` must show a certificate of this CA."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.cert, pair.key)
        if clients:
            context.load_verify_locations(self.ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA that everybody trusts."""
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another CA, with the same names."""
    return Authority(tmp_path_factory.mktemp("stranger"))
