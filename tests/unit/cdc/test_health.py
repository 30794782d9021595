from __future__ import annotations

import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from cdc.health import Health, HealthAddressTaken, NoHealthAddress


class Told:
    reason = ""


@pytest.fixture
def health() -> Iterator[Health]:
    with Health("127.0.0.1:0", lambda: Told.reason, lambda: "a_total 1\n") as service:
        yield service


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_process_that_lives_is_healthy(health: Health) -> None:
    assert get(health.port, "/healthz") == (200, '{"status": "ok"}')


def test_what_is_missing_is_said_with_503(health: Health, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get(health.port, "/readyz") == (200, '{"ready": true, "reasons": []}')

    monkeypatch.setattr(Told, "reason", "not connected to Postgres")

    status, body = get(health.port, "/readyz")
    assert status == 503
    assert "not connected to Postgres" in body


def test_metrics_are_given_as_they_are(health: Health) -> None:
    assert get(health.port, "/metrics?x=1") == (200, "a_total 1\n")


def test_other_paths_name_the_known_ones(health: Health) -> None:
    status, body = get(health.port, "/")
    assert status == 404
    assert "/readyz" in body


def test_a_client_that_goes_away_stops_nothing(health: Health) -> None:
    with socket.create_connection(("127.0.0.1", health.port)) as client:
        client.sendall(b"GET /metrics HT")

    assert get(health.port, "/healthz")[0] == 200


def test_an_empty_address_listens_nowhere() -> None:
    with Health("", str, str) as service:
        assert service.port == 0


def test_an_address_in_use_is_said_with_the_way_out(health: Health) -> None:
    other = Health(f"127.0.0.1:{health.port}", str, str)

    with pytest.raises(HealthAddressTaken, match="in use") as raised, other:
        pass

    assert "HEALTH_LISTEN" in raised.value.hint


@pytest.mark.parametrize("text", ["8092", "host", "a b:1", "[::1"], ids=str)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(NoHealthAddress):
        Health(text, str, str)
