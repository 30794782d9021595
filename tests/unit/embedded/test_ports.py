from __future__ import annotations

import socket

import pytest

from embedded import ports
from embedded.errors import EmbeddedError
from embedded.ports import LOOPBACK, accepts, free_ports


def test_free_ports_differ_and_can_be_bound() -> None:
    found = free_ports(5)

    assert len(set(found)) == 5
    for port in found:
        with socket.socket() as bound:
            bound.bind((LOOPBACK, port))


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "LOWEST", port)
        monkeypatch.setattr(ports, "HIGHEST", port + 1)

        with pytest.raises(EmbeddedError, match="no 1 free ports"):
            free_ports(1)
        assert accepts(port)


def test_nobody_accepts_at_a_free_port() -> None:
    assert not accepts(free_ports(1)[0])
