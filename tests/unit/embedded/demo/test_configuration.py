"""The demo's sync.yaml and target.yaml are such as our own readers take."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedded.demo.branch import questions as branch
from embedded.demo.branch import target
from embedded.demo.branch.routes import BRANCH, CATEGORY
from embedded.demo.configuration import write
from embedded.demo.figures import MODELS
from embedded.demo.programs import HEALTH
from embedded.demo.questions import QUESTIONS, SOURCE, TARGET
from schemas.config import load
from streams.applying import reading

PLACES = {
    "dsn": "host=127.0.0.1 port=1 dbname=odoo user=postgres",
    "kafka": "127.0.0.1:2",
    "wso2": "http://127.0.0.1:3/cdc/v1/messages",
    "acks": "127.0.0.1:4",
    "webshop": "http://127.0.0.1:5/deliveries",
    "branch": "http://127.0.0.1:8/deliveries",
}
PATIENCE = 15  # seconds


def test_every_question_is_a_route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HEALTH, raising=False)

    config = load(write(tmp_path / "sync.yaml", PLACES, PATIENCE))

    assert (config.source.name, config.source.dsn) == (SOURCE, PLACES["dsn"])
    of_webshop = [route.name for route in config.routes if route.targets == (TARGET,)]
    assert of_webshop == [one.route for one in QUESTIONS]
    assert config.acks.url == "http://127.0.0.1:4/acks"
    assert config.health.listen == ""
    assert config.warnings == ()


def test_all_other_routes_lead_to_the_branch_which_takes_what_they_send(tmp_path: Path) -> None:
    config = load(write(tmp_path / "sync.yaml", PLACES, PATIENCE))

    routes = [route for route in config.routes if route.targets != (TARGET,)]
    assert {route.targets for route in routes} == {(BRANCH,)}
    captured = {route.model for route in config.routes}
    assert captured == set(MODELS)
    assert all(CATEGORY in repr(one.first) for one in branch.QUESTIONS)

    taken = reading.load(target.write(tmp_path, odoo(), "127.0.0.1:8"))
    assert {route.target_model for route in routes} <= taken.models.keys()
    assert taken.listen == "127.0.0.1:8"
    assert (tmp_path / target.FILE).stat().st_mode & 0o077 == 0


def odoo() -> Any:
    keys = {"admin": "secret"}
    return SimpleNamespace(url="http://127.0.0.1:9", database="branch", keys=keys)


def test_each_program_has_a_health_address_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "sync.yaml", PLACES, PATIENCE)

    listens = []
    for port in (6, 7):
        monkeypatch.setenv(HEALTH, f"127.0.0.1:{port}")
        listens.append((load(path).health.listen, load(path).fingerprint))

    assert [listen for listen, _ in listens] == ["127.0.0.1:6", "127.0.0.1:7"]
    assert len({fingerprint for _, fingerprint in listens}) == 1
