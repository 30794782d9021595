"""TLS towards targets: whom WSO2 trusts there, and the certificate that it shows. Pure.

No artifact, but a part of the server's own configuration: the integrator reads it where
`sender.ssl_profile.file_path` says, Apache Synapse as a parameter of its HTTPS sender.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from schemas.config import Config, Target
from streams.flow import vault as secrets
from streams.flow.artifact import Artifact, NotGenerated

PATH: Final = "conf/CdcTlsProfiles.xml"
_HTTPS: Final = 443

_FILE: Final = """\
<!-- Generated from tls of the targets of sync.yaml{warning}. -->
<parameter name="customSSLProfiles" xmlns:svns="{namespace}">
{profiles}
</parameter>
"""
_PROFILE: Final = """\
    <profile>
        <servers>{server}</servers>{stores}
    </profile>"""
_STORE: Final = """
        <{element}>
            <Location>{file}</Location>
            <Type>{kind}</Type>
            {passwords}
        </{element}>"""


def generate(config: Config, *, vault: bool) -> Artifact | None:
    """Return the profiles, one for each server (host:port), or None where no target has any.

    Raises NotGenerated where two targets on one server want different ones.
    """
    found: dict[str, tuple[str, Target]] = {}
    for name, target in sorted(config.targets.items()):
        if not target.url.startswith("https://"):
            continue
        server = _server(name, target.url)
        if target.tls and _is_address(server):
            # The engine asks what the address is called, and looks for a profile of that name.
            raise NotGenerated(
                f"targets.{name}.url names its server by an address, and has `tls`",
                hint="Write the server's name: WSO2 finds what is for it by that.",
            )
        other, before = found.setdefault(server, (name, target))
        if before.tls != target.tls:
            raise NotGenerated(
                f"the targets {other} and {name} are one server, {server}, with different `tls`",
                hint="WSO2 has one profile for each host and port: give both the same `tls`.",
            )
    profiles = [
        _PROFILE.format(server=escape(server), stores=_stores(target, vault=vault))
        for server, (_, target) in sorted(found.items())
        if target.tls
    ]
    if not profiles:
        return None
    warning = "" if vault else ": this file holds secrets"
    namespace, inside = secrets.NAMESPACE, "\n".join(profiles)
    text = _FILE.format(warning=warning, namespace=namespace, profiles=inside)
    return Artifact(text, secret=not vault)


def _server(name: str, url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS
    except ValueError as error:
        raise NotGenerated(f"targets.{name}.url: {error}") from error
    return f"{parts.hostname}:{port}"


def _is_address(server: str) -> bool:
    try:
        ip_address(server.rpartition(":")[0])
    except ValueError:
        return False
    return True


def _stores(target: Target, *, vault: bool) -> str:
    return _store(target, "keystore", "KeyStore", vault=vault) + _store(
        target, "truststore", "TrustStore", vault=vault
    )


def _store(target: Target, key: str, element: str, *, vault: bool) -> str:
    secret = secrets.of_store(target, key)
    if secret is None:
        return ""
    # A key in a PKCS #12 store has the password of the store.
    words = ["Password", "KeyPassword"] if key == "keystore" else ["Password"]
    if vault:
        passwords = [f'<{w} svns:secretAlias="{secret.alias}">password</{w}>' for w in words]
    else:
        passwords = [
            f"<{word}>{secrets.plain(secret.where, secret.text)}</{word}>" for word in words
        ]
    file = target.tls[key]
    kind = "PKCS12" if file.lower().endswith((".p12", ".pfx")) else "JKS"
    return _STORE.format(
        element=element,
        file=secrets.plain(f"targets.{target.name}.tls.{key}", file),
        kind=kind,
        passwords="\n            ".join(passwords),
    )
