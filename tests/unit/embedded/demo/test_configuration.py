"""The demo's sync.yaml is one that our own reader takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedded.demo.configuration import write
from embedded.demo.programs import HEALTH
from embedded.demo.questions import QUESTIONS, SOURCE, TARGET
from schemas.config import load

PLACES = {
    "dsn": "host=127.0.0.1 port=1 dbname=odoo user=postgres",
    "kafka": "127.0.0.1:2",
    "wso2": "http://127.0.0.1:3/cdc/v1/messages",
    "acks": "127.0.0.1:4",
    "webshop": "http://127.0.0.1:5/deliveries",
}


def test_every_question_is_a_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HEALTH, raising=False)

    config = load(write(tmp_path / "sync.yaml", PLACES))

    assert (config.source.name, config.source.dsn) == (SOURCE, PLACES["dsn"])
    assert [route.name for route in config.routes] == [one.route for one in QUESTIONS]
    assert {target for route in config.routes for target in route.targets} == {TARGET}
    assert config.acks.url == "http://127.0.0.1:4/acks"
    assert config.health.listen == ""
    assert config.warnings == ()


def test_each_program_has_a_health_address_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "sync.yaml", PLACES)

    listens = []
    for port in (6, 7):
        monkeypatch.setenv(HEALTH, f"127.0.0.1:{port}")
        listens.append((load(path).health.listen, load(path).fingerprint))

    assert [listen for listen, _ in listens] == ["127.0.0.1:6", "127.0.0.1:7"]
    assert len({fingerprint for _, fingerprint in listens}) == 1
