"""librdkafka's property names, as users write them, told to Faust."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from schemas.errors import BadUsage

_KNOWN: Final = frozenset({"plaintext", "ssl", "sasl_ssl", "sasl_plaintext"})


class UnknownProtocol(BadUsage):
    """`kafka: security.protocol` is none that the worker speaks."""

    hint = "Write one of plaintext, ssl, sasl_plaintext, sasl_ssl."


def urls(settings: Mapping[str, str]) -> list[str]:
    """Return the addresses in Faust's notation."""
    return [f"kafka://{host.strip()}" for host in settings["bootstrap.servers"].split(",")]


def credentials(settings: Mapping[str, str]) -> CredentialsT | None:
    """Return how the worker presents itself; None for plain text without a user."""
    protocol = settings.get("security.protocol", "plaintext").lower()
    if protocol not in _KNOWN:
        raise UnknownProtocol(f'kafka: security.protocol "{protocol}" is not known')
    if protocol == "plaintext":
        return None
    context = _context(settings) if protocol.endswith("ssl") else None
    if protocol == "ssl":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.get("sasl.username"),
        password=settings.get("sasl.password"),
        mechanism=settings.get("sasl.mechanism") or settings.get("sasl.mechanisms"),
        ssl_context=context,
    )


def _context(settings: Mapping[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.get("ssl.ca.location"))
    if certificate := settings.get("ssl.certificate.location"):
        context.load_cert_chain(
            certificate,
            settings.get("ssl.key.location"),
            settings.get("ssl.key.password"),
        )
    return context
