"""The headers with which WSO2 makes itself known: to the intake, and to targets. Pure.

Basic and bearer are headers that a sequence sets. For OAuth 2 the endpoint fetches its tokens
itself: `endpoints`.
"""

from __future__ import annotations

from typing import Final

from schemas.config import Config
from streams.flow import vault as secrets
from streams.flow.artifact import Artifact, NotGenerated, attribute
from streams.flow.vault import Secret
from streams.wso2.credentials import basic

_SEQUENCE: Final = """\
<!-- Generated from {what} of sync.yaml{warning}. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="{name}">
{inside}
</sequence>
"""
_NOTHING: Final = """\
<!-- Generated from sync.yaml, which has no {what}: nothing to add. -->
<sequence xmlns="http://ws.apache.org/ns/synapse" name="{name}"/>
"""
_WARNING: Final = ": this file holds a secret"
_SWITCH: Final = """\
    <switch source="$ctx:cdc_target">
{cases}
    </switch>"""
_CASE: Final = """\
        <case regex="{target}">
            {header}
        </case>"""


def to_intake(config: Config, *, vault: bool) -> Artifact:
    """Return the sequence that lets acknowledgements in."""
    name, token = "CdcAckAuthorization", secrets.of_acks(config)
    if token is None:
        return Artifact(_NOTHING.format(name=name, what="acks.token"))
    return _sequence(name, "acks.token", "    " + _bearer(token, vault=vault), vault=vault)


def to_targets(config: Config, *, vault: bool) -> Artifact:
    """Return the sequence that adds the header of the target that a delivery goes to."""
    name, what = "CdcTargetAuthorization", "targets with basic or bearer"
    cases = []
    for target, settings in sorted(config.targets.items()):
        secret = secrets.of_auth(settings)
        if secret is None or "oauth2" in settings.auth:
            continue
        if "bearer" in settings.auth:
            header = _bearer(secret, vault=vault)
        else:
            header = _basic(settings.auth["basic"]["user"], secret, vault=vault)
        cases.append(_CASE.format(target=target, header=header))
    if not cases:
        return Artifact(_NOTHING.format(name=name, what=what))
    return _sequence(name, what, _SWITCH.format(cases="\n".join(cases)), vault=vault)


def _sequence(name: str, what: str, inside: str, *, vault: bool) -> Artifact:
    warning = "" if vault else _WARNING
    text = _SEQUENCE.format(name=name, what=what, warning=warning, inside=inside)
    return Artifact(text, secret=not vault)


def _bearer(secret: Secret, *, vault: bool) -> str:
    if vault:
        return _property("expression", f"concat('Bearer ', {secret.lookup})")
    return _property("value", f"Bearer {secret.text}")


def _basic(user: str, secret: Secret, *, vault: bool) -> str:
    if vault:
        pair = f"concat({_literal(f'{user}:', secret.where)}, {secret.lookup})"
        return _property("expression", f"concat('Basic ', base64Encode({pair}))")
    return _property("value", basic(user, secret.text))


def _property(kind: str, text: str) -> str:
    return f'<property name="Authorization" {kind}="{attribute(text)}" scope="transport"/>'


def _literal(text: str, where: str) -> str:
    """Write a text in XPath 1.0, which knows quotes of both kinds and no way to escape them."""
    for quote in "'\"":
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise NotGenerated(f"the user beside {where} holds quotes of both kinds", hint="Use one kind.")
