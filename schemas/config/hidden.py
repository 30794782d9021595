"""Which values of sync.yaml are secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from schemas.config.model import Config
from schemas.masking import learn

_OF_KAFKA: Final = ("sasl.password", "ssl.key.password", "ssl.key.pem")
_IN_AUTH: Final = ("password", "client_secret", "bearer")
_OF_STORES: Final = ("keystore_password", "truststore_password")


def learn_secrets(config: Config) -> None:
    """Hide every secret of a configuration from here on, wherever text leaves the process."""
    for where, text in secrets_of(config):
        learn(where, text)


def secrets_of(config: Config) -> Iterator[tuple[str, str]]:
    """Give (where it stands, the secret) for each, empty ones too."""
    yield "source.dsn", password_of(config.source.dsn)
    yield "source.mask_key", config.source.mask_key
    yield "source.odoo.api_key", config.source.odoo.get("api_key", "")
    for key in _OF_KAFKA:
        yield f"kafka.{key}", config.kafka.get(key, "")
    yield from _of_auth("wso2.auth", config.wso2.auth)
    yield "acks.token", config.acks.token
    urls = {"wso2.url": config.wso2.url, "acks.url": config.acks.url}
    urls["source.odoo.url"] = config.source.odoo.get("url", "")
    for name, target in config.targets.items():
        urls[f"targets.{name}.url"] = target.url
        yield from _of_auth(f"targets.{name}.auth", target.auth)
        for key in _OF_STORES:
            yield f"targets.{name}.tls.{key}", target.tls.get(key, "")
    for where, url in urls.items():
        yield where, password_of(url)


def _of_auth(where: str, auth: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for way, given in auth.items():
        inside = given if isinstance(given, dict) else {way: given}
        for key in _IN_AUTH:
            yield f"{where}.{way}.{key}", str(inside.get(key, ""))


def password_of(address: str) -> str:
    """Return the password in a URL, also one of Postgres; "" where there is none."""
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets of no IPv6 address
        return ""
    given = dict(parse_qsl(parts.query)) if parts.scheme.startswith("postgres") else {}
    return given.get("password", "") or unquote(parts.password or "")
