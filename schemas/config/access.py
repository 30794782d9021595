"""How one side makes itself known to the other, and whom it trusts: `auth` and `tls`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from schemas.config.section import URL, Section

_AUTH: Final = {
    "basic": ("user", "password"),
    "oauth2": ("token_url", "client_id", "client_secret"),
}
_TOKEN_URL: Final = "token_url"  # noqa: S105 - the name of a key
_ODOO: Final = ("database", "user", "api_key")
_HOST_ALONE: Final = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^/@?#:\[\]\s]+)(:[0-9]{1,5})?/?")
_PEM: Final = ("ca", "cert", "key")
_STORES: Final = ("keystore", "truststore")


def read_auth(section: Section) -> dict[str, Any]:
    """Return nothing, or one way to be known: `basic`, `oauth2` or `bearer`."""
    found: dict[str, Any] = {}
    for way, keys in _AUTH.items():
        inside = section.section(way)
        if inside.is_empty:
            continue
        found[way] = {key: inside.text(key, required=True) for key in keys if key != _TOKEN_URL}
        if _TOKEN_URL in keys:
            found[way][_TOKEN_URL] = inside.url(_TOKEN_URL)
        inside.done()
    if ":" in found.get("basic", {}).get("user", ""):
        section.error(
            "basic.user", "a user's name with a colon cannot be sent (RFC 7617)", "choose another"
        )
    token = section.token("bearer")
    if token:
        found["bearer"] = token
    if len(found) > 1:
        section.error("", f"{' and '.join(found)} exclude each other", "keep one of them")
    section.done()
    return found


def read_pem(section: Section, folder: Path) -> dict[str, str]:
    """Return the files that we read ourselves: `ca`, `cert`, `key`, absolute paths."""
    texts = {key: section.text(key) for key in _PEM}
    if bool(texts["cert"]) != bool(texts["key"]):
        section.error("", "`cert` and `key` belong together", "give both, or neither")
    section.done()
    return {key: str(folder / Path(text).expanduser()) for key, text in texts.items() if text}


def read_stores(section: Section, url: str) -> dict[str, str]:
    """Return the stores that WSO2 reads, with their passwords; paths as WSO2 sees them."""
    found: dict[str, str] = {}
    for store in _STORES:
        word = f"{store}_password"
        texts = {store: section.text(store), word: section.text(word)}
        if bool(texts[store]) != bool(texts[word]):
            section.error("", f"`{store}` and `{word}` belong together", "give both, or neither")
        found |= {key: text for key, text in texts.items() if text}
    if found and url.startswith("http://"):
        section.error("", "the target's url is not https: there is no TLS", "write https://...")
    section.done()
    return found


def read_odoo(section: Section) -> dict[str, str]:
    """Return nothing, or all that a call to Odoo needs."""
    if section.is_empty:
        return {}
    found = {"url": section.url("url")}
    if URL.fullmatch(found["url"]) and not _HOST_ALONE.fullmatch(found["url"]):
        section.error(
            "url",
            "Odoo's RPC is reached by host and port alone",
            "write https://odoo.example.com, or http://host:8069",
        )
    found |= {key: section.text(key, required=True) for key in _ODOO}
    section.done()
    return found
