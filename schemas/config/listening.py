"""Where our services listen, and who may talk to them."""

from __future__ import annotations

import re
from typing import Final

from schemas.config.section import Section

_LISTEN: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]/\s]*)):(?P<port>[0-9]{1,5})"
)
_LISTEN_HELP: Final = "write host:port, 127.0.0.1:8091 for instance"
_LAST_PORT: Final = 65535
_LOOPBACK: Final = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|::1")


def read_listen(section: Section, default: str) -> str:
    """Return an address to listen on; "" is nowhere."""
    text = section.text("listen", default).strip()
    match = _LISTEN.fullmatch(text)
    if text and (match is None or int(match["port"]) > _LAST_PORT):
        section.error("listen", f'"{text}" is no address to listen on', _LISTEN_HELP)
        return ""
    return text


def want_token(section: Section, listen: str, token: str) -> None:
    """Note where other hosts can talk to a service, and it asks for no token."""
    match = _LISTEN.fullmatch(listen)
    if match is None or token:
        return
    if not _LOOPBACK.fullmatch(match["six"] or match["host"] or ""):
        section.error(
            "listen",
            f'"{listen}" can be reached from other hosts, and there is no token',
            f"set {section.at('token')}, or listen on 127.0.0.1",
        )
