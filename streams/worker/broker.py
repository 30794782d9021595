"""What Faust is told: of Kafka, by librdkafka's names as users write them, and of itself."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from schemas.errors import BadUsage

_KNOWN: Final = frozenset({"plaintext", "ssl", "sasl_ssl", "sasl_plaintext"})
_SECURE: Final = ("ssl.", "sasl.", "enable.ssl.")
_FOLLOWED: Final = frozenset(
    {
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.key.password",
        "sasl.mechanism",
        "sasl.mechanisms",
        "sasl.username",
        "sasl.password",
    }
)


class UnknownProtocol(BadUsage):
    """`kafka: security.protocol` is none that the worker speaks."""

    hint = "Write one of plaintext, ssl, sasl_plaintext, sasl_ssl."


class NotForWorkers(BadUsage):
    """`kafka:` has settings that capture would follow and the workers' consumer cannot."""

    hint = (
        "Of TLS and SASL the workers know ssl.ca.location, ssl.certificate.location,"
        " ssl.key.location, ssl.key.password, sasl.mechanism, sasl.username and sasl.password."
    )


def urls(settings: Mapping[str, str]) -> list[str]:
    """Return the addresses in Faust's notation."""
    return [f"kafka://{host.strip()}" for host in settings["bootstrap.servers"].split(",")]


def credentials(settings: Mapping[str, str]) -> CredentialsT | None:
    """Return how the worker presents itself; None for plain text without a user."""
    protocol = settings.get("security.protocol", "plaintext").lower()
    if protocol not in _KNOWN:
        raise UnknownProtocol(f'kafka: security.protocol "{protocol}" is not known')
    strange = [name for name in settings if name.startswith(_SECURE) and name not in _FOLLOWED]
    if strange:
        raise NotForWorkers(f"kafka: {', '.join(sorted(strange))}")
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


def settings(kafka: Mapping[str, str], worker: str) -> dict[str, Any]:
    """Return what Faust is told beside brokers and credentials; every figure was measured."""
    session = int(kafka.get("session.timeout.ms", "10000")) / 1000
    heartbeat = int(kafka.get("heartbeat.interval.ms", "3000")) / 1000
    return {
        "processing_guarantee": "at_least_once",
        "store": "memory://",
        "autodiscover": False,
        "web_enabled": False,
        "topic_disable_leader": True,
        "topic_allow_declare": False,  # `setup` makes topics, workers never do
        "stream_wait_empty": True,  # stop and rebalance wait for the batch in work
        "stream_buffer_maxsize": 4096,
        "stream_recovery_delay": 0,
        "broker_commit_interval": 0.5,  # capture paces the first load by it
        "broker_commit_every": 2000,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": min(heartbeat, session / 3),
        "broker_request_timeout": max(20.0, 2 * session),  # must exceed the session's
        "broker_max_poll_interval": 300.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 30_000,
        "consumer_group_instance_id": worker,
        "worker_redirect_stdouts": False,
    }
