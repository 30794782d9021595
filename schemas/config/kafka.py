"""`kafka:` of sync.yaml: librdkafka's own properties, as far as all programs can follow them.

Of TLS and SASL the workers' consumer, which is another client, knows less than librdkafka: what
it could not follow is refused here, so that `check` says it, with its line, and no program starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from schemas.config.section import Section
from schemas.fields import nearest

_OURS: Final = {  # what odoo-cdc sets, and what depends on it
    "group.id": "all workers of a source are one group",
    "enable.auto.commit": "an offset is committed once its deliveries are safe",
    "enable.auto.offset.store": "an offset is committed once its deliveries are safe",
    "enable.idempotence": "Kafka must neither lose nor repeat what is published",
    "partitioner": "every topic must have a chain on the same partition",
    "acks": "Postgres forgets only what every replica has",
    "transactional.id": "nothing is written in transactions",
}
PROTOCOL: Final = "security.protocol"
_PROTOCOLS: Final = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
_SECURE: Final = ("ssl.", "sasl.", "enable.ssl.", "enable.sasl.", "https.")
_FILES: Final = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location")
_TLS: Final = (
    *_FILES,
    "ssl.ca.pem",
    "ssl.certificate.pem",
    "ssl.key.pem",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
)
_MECHANISM: Final = "sasl.mechanism"
_MECHANISMS: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_SASL: Final = (_MECHANISM, "sasl.mechanisms", "sasl.username", "sasl.password")
_KNOWN: Final = (*_TLS, *_SASL)
_HOST: Final = "ssl.endpoint.identification.algorithm"
_MISTYPED: Final = 0.9  # below it a key is one of librdkafka's own
_HOSTS: Final = ("https", "none")


def read_kafka(section: Section, folder: Path) -> dict[str, str]:
    """Return the properties; relative paths of certificates start at `folder`."""
    servers = section.text("bootstrap.servers", required=True)
    foreign = section.foreign(_SECURE, _KNOWN)
    settings = {"bootstrap.servers": servers, **section.properties(_OURS)}
    for key in _FILES:
        if key in settings:
            settings[key] = str(folder / Path(settings[key]).expanduser())
    for key in foreign:
        near = nearest(key, list(_KNOWN), least=_MISTYPED)
        remedy = f'did you mean "{near}"?' if near else f"they know {', '.join(_KNOWN)}"
        section.error(key, "the workers cannot follow it", remedy)
    _check_security(section, settings)
    return settings


def _check_security(section: Section, settings: dict[str, str]) -> None:
    protocol = settings.get(PROTOCOL, _PROTOCOLS[0]).lower()
    if protocol not in _PROTOCOLS:
        section.error(PROTOCOL, f'"{protocol}" is not known', f"write {_any(_PROTOCOLS)}")
        return
    _check_tls(section, settings, used=protocol.endswith("ssl"))
    _check_sasl(section, settings, used=protocol.startswith("sasl"))


def _check_tls(section: Section, settings: dict[str, str], *, used: bool) -> None:
    given = [key for key in _TLS if key in settings]
    if not used:
        _note_unused(section, given, "ssl or sasl_ssl")
        return
    for what in ("ca", "certificate", "key"):
        both = [f"ssl.{what}.{form}" for form in ("location", "pem")]
        if all(key in settings for key in both):
            section.error(both[1], f"{_any(both)}, not both", "keep one of them")
    certificate, key = (
        any(f"ssl.{what}.{form}" in settings for form in ("location", "pem"))
        for what in ("certificate", "key")
    )
    if certificate != key:
        where = next(k for k in given if k.startswith(("ssl.certificate.", "ssl.key.")))
        section.error(where, "a certificate and its key belong together", "give both, or neither")
    checked = settings.get(_HOST, _HOSTS[0])
    if checked not in _HOSTS:
        section.error(_HOST, f'"{checked}" is not known', f"write {_any(_HOSTS)}")
    elif checked == "none":
        section.warning(
            _HOST,
            "whoever has a certificate of the same CA can pose as Kafka",
            "leave it out, and give the brokers certificates with their own names",
        )


def _check_sasl(section: Section, settings: dict[str, str], *, used: bool) -> None:
    given = [key for key in _SASL if key in settings]
    if not used:
        _note_unused(section, given, "sasl_ssl")
        return
    names = [key for key in given if key.startswith(_MECHANISM)]
    mechanism = settings[names[0]] if names else ""
    if mechanism not in _MECHANISMS:
        where = names[0] if names else _MECHANISM
        message = f'"{mechanism}" is not known to the workers' if names else "missing"
        section.error(where, message, f"write {_any(_MECHANISMS)}")
    for key in ("sasl.username", "sasl.password"):
        if not settings.get(key):
            section.error(key, "missing", "give it a value")


def _note_unused(section: Section, keys: Sequence[str], protocol: str) -> None:
    for key in keys:
        section.warning(key, "it has no effect", f"write {PROTOCOL}: {protocol}")


def _any(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
