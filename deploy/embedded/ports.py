"""Free ports on loopback."""

from __future__ import annotations

import secrets
import socket

from embedded.errors import EmbeddedError

LOOPBACK = "127.0.0.1"

LOWEST, HIGHEST = 20_000, 32_000
"""Below every system's range for outgoing connections: there, while a service restarts, a client
that keeps trying may be given its very port, connect to itself and so keep the service out."""


def free_ports(count: int) -> list[int]:
    """Find `count` ports that nobody listens on; somebody may take one before it is used."""
    found: list[int] = []
    span = HIGHEST - LOWEST
    first = secrets.randbelow(span)
    for step in range(span):
        if len(found) == count:
            return found
        port = LOWEST + (first + step) % span
        if _is_free(port):
            found.append(port)
    raise EmbeddedError(
        f"no {count} free ports between {LOWEST} and {HIGHEST}", hint="End what holds them."
    )


def accepts(port: int, timeout: float = 1.0) -> bool:
    """Whether somebody on loopback accepts a connection to this port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout):
            return True
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as tried:
        try:
            tried.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
