"""Secrets that WSO2 needs: as they are, or by their names in its Secure Vault. Pure.

Where an artifact only names them it can be kept with other sources and deployed by anybody. What
the names stand for is then said to the server, in `[secrets]` of its `deployment.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import escape

from schemas.config import Config, Target
from streams.flow.artifact import NotGenerated

NAMESPACE: Final = "http://org.wso2.securevault/configuration"
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f\ufffe\uffff]*")  # what XML can hold, in one line
_HINT: Final = (
    "Choose another, or leave secrets to WSO2's Secure Vault: `odoo-cdc wso2 generate --vault`."
)


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret: `where` it stands in sync.yaml, and its `alias` in the vault."""

    where: str
    alias: str
    text: str = field(repr=False)

    @property
    def lookup(self) -> str:
        """Return the XPath that asks the vault."""
        return f"wso2:vault-lookup('{self.alias}')"


def of_acks(config: Config) -> Secret | None:
    """Return what lets acknowledgements in, if anything is asked for."""
    token = config.acks.token
    return Secret("acks.token", "odoo_cdc_acks_token", token) if token else None


def of_auth(target: Target) -> Secret | None:
    """Return what makes WSO2 known to a target, if it says who it is."""
    match target.auth:
        case {"basic": {"password": text}}:
            return _of(target, "auth.basic", "password", text)
        case {"bearer": text}:
            return _of(target, "auth", "bearer", text)
        case {"oauth2": {"client_secret": text}}:
            return _of(target, "auth.oauth2", "client_secret", text)
        case _:
            return None


def of_store(target: Target, store: str) -> Secret | None:
    """Return the password of a `keystore` or `truststore`, if the target has one."""
    key = f"{store}_password"
    return _of(target, "tls", key, target.tls[key]) if key in target.tls else None


def secrets_of(config: Config, *, to_kafka: bool) -> Iterator[Secret]:
    """Give every secret that the artifacts use; acknowledgements `to_kafka` need none."""
    found = [] if to_kafka else [of_acks(config)]
    for _, target in sorted(config.targets.items()):
        found += [of_auth(target), of_store(target, "keystore"), of_store(target, "truststore")]
    yield from (secret for secret in found if secret is not None)


def in_text(secret: Secret, *, vault: bool) -> str:
    """Write a secret as the text of an element in which WSO2 evaluates `{...}`."""
    return f"{{{secret.lookup}}}" if vault else evaluated(secret.where, secret.text)


def evaluated(where: str, text: str) -> str:
    """Write what stands under a key as the text of an element in which WSO2 evaluates `{...}`."""
    if text.startswith("{") and text.endswith("}"):
        raise NotGenerated(
            f"{where} stands in braces, which WSO2 would take for an expression", hint=_HINT
        )
    return plain(where, text)


def plain(where: str, text: str) -> str:
    """Write what stands under a key as the text of an element."""
    if not _PLAIN.fullmatch(text):
        raise NotGenerated(f"{where} holds characters that XML cannot", hint=_HINT)
    return escape(text)


def _of(target: Target, section: str, key: str, text: Any) -> Secret:
    # The key first: keys are few and known, names of targets may end like one.
    where = f"targets.{target.name}.{section}.{key}"
    return Secret(where, f"odoo_cdc_{key}_of_{target.name}", str(text))
