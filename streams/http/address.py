"""Where our HTTP services listen: `127.0.0.1:8091`, `:8091`, `[::1]:8091`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from schemas.errors import BadUsage, ServiceUnavailable

_FORM: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\[\]/\s]*)):(?P<port>\d+)"
)
_LAST_PORT: Final = 65535


class NoAddress(BadUsage):
    """That is no address to listen on."""

    hint = "Write host:port, 127.0.0.1:8091 for instance; :8091 listens on every interface."


class AddressTaken(ServiceUnavailable):
    """Another program listens there, or the address is not this host's."""

    hint = (
        "Processes that share sync.yaml need an address each:"
        " `health: {listen: ${HEALTH_LISTEN:-}}` takes it from the environment."
    )


class Address(NamedTuple):
    """A host and a port; host None means every interface, port 0 any free one."""

    host: str | None
    port: int


def parse(text: str) -> Address:
    """Read an address; NoAddress where it is none."""
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > _LAST_PORT:
        raise NoAddress(f"{text!r} is no address to listen on")
    return Address(found["six"] or found["host"] or None, int(found["port"]))
