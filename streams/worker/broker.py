"""What Faust is told: of Kafka, by librdkafka's names as users write them, and of itself."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from schemas.from_files import current
from schemas.kafka_errors import BadKafkaSetting

_HOST: Final = "ssl.endpoint.identification.algorithm"


def urls(settings: Mapping[str, str]) -> list[str]:
    """Return the addresses in Faust's notation."""
    return [f"kafka://{host.strip()}" for host in settings["bootstrap.servers"].split(",")]


def credentials(settings: Mapping[str, str]) -> CredentialsT | None:
    """Return how the worker presents itself; None for plain text without a user.

    `settings` are such as `schemas.config` lets through. Raises BadKafkaSetting where
    certificates cannot be used.
    """
    protocol = settings.get("security.protocol", "plaintext").lower()
    context = _context(settings) if protocol.endswith("ssl") else None
    if protocol.startswith("sasl"):
        return SASLCredentials(
            username=current(settings["sasl.username"], at_once=True),
            password=current(settings["sasl.password"], at_once=True),
            mechanism=settings.get("sasl.mechanism") or settings.get("sasl.mechanisms"),
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def _context(settings: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = _trusting(settings)
        context.check_hostname = settings.get(_HOST, "https") != "none"
        with ExitStack() as files:
            certificate = _file(settings, "certificate", files)
            if certificate:
                password = current(settings.get("ssl.key.password", ""), at_once=True)
                # A function, or OpenSSL would ask a terminal for the password that is not given.
                context.load_cert_chain(
                    certificate, _file(settings, "key", files), lambda: password
                )
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise BadKafkaSetting(f"kafka: ssl.*: {error}") from error
    return context


def _trusting(settings: Mapping[str, str]) -> ssl.SSLContext:
    """Trust whom the settings name; whom the system trusts where nothing is said."""
    place = settings.get("ssl.ca.location")
    if place and Path(place).is_dir():
        return ssl.create_default_context(capath=place)
    text = current(settings.get("ssl.ca.pem", ""), at_once=True)
    return ssl.create_default_context(cafile=place, cadata=text or None)


def _file(settings: Mapping[str, str], what: str, files: ExitStack) -> str | None:
    """Return the path of a certificate or key; one given as text is in a file until `files` end.

    `ssl` reads both from files only.
    """
    text = current(settings.get(f"ssl.{what}.pem", ""), at_once=True)
    if not text:
        return settings.get(f"ssl.{what}.location")
    folder = Path(files.enter_context(TemporaryDirectory()))  # its owner's only
    file = folder / f"{what}.pem"
    file.write_text(text + "\n", encoding="utf-8")
    return str(file)


def undisputed(kafka: Mapping[str, str]) -> float:
    """Return for how many seconds nobody else gets a worker's partitions, whatever it does.

    Its last sign of life may be one interval old when it falls silent.
    """
    return _session(kafka) - _heartbeat(kafka)


def _session(kafka: Mapping[str, str]) -> float:
    return int(kafka.get("session.timeout.ms", "10000")) / 1000


def _heartbeat(kafka: Mapping[str, str]) -> float:
    return min(int(kafka.get("heartbeat.interval.ms", "3000")) / 1000, _session(kafka) / 3)


def settings(kafka: Mapping[str, str], worker: str) -> dict[str, Any]:
    """Return what Faust is told beside brokers and credentials; every figure was measured."""
    session, heartbeat = _session(kafka), _heartbeat(kafka)
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
        "broker_heartbeat_interval": heartbeat,
        "broker_request_timeout": max(20.0, 2 * session),  # must exceed the session's
        "broker_max_poll_interval": 300.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": 30_000,
        "consumer_group_instance_id": worker,
        "worker_redirect_stdouts": False,
    }
