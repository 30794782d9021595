"""`odoo-cdc fields`: what a model of a real database offers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cdc.__main__ import main
from tests.fix_services import Database
from tests.programs import sync_yaml

pytestmark = pytest.mark.integration

ROUTES = """
routes:
  - {name: partners, model: res.partner, targets: [shop], fields: [name]}
"""
Asked = Callable[..., tuple[int, str, str]]


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], odoo_database: Database, tmp_path: Path) -> Asked:
    """Type the command; give its exit code, and what it prints."""
    path = tmp_path / "sync.yaml"
    text = sync_yaml(
        source="odoo_a",
        dsn=odoo_database.dsn,
        kafka="127.0.0.1:1",
        wso2="http://127.0.0.1:9/",
        targets=["shop"],
        routes=ROUTES,
    )
    path.write_text(text, encoding="utf-8")

    def ask(*words: str) -> tuple[int, str, str]:
        code = main(["fields", "-c", str(path), *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def named(out: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in json.loads(out)["fields"]}


def test_every_kind_of_field_is_told_apart(asked: Asked) -> None:
    code, out, _ = asked("sale.order", "--json")

    found = named(out)
    assert code == 0
    assert json.loads(out)["model"] == "sale.order"
    assert (found["state"]["type"], found["state"]["stored"]) == ("selection", True)
    assert found["partner_id"]["relation"] == "res.partner"
    assert found["order_line"]["relation"] == "sale.order.line"
    assert all(found[name]["selectable"] for name in ("state", "partner_id", "order_line"))
    assert all(each["label"] for each in found.values())


def test_what_cannot_be_selected_says_why_and_what_to_do(asked: Asked) -> None:
    _, out, _ = asked("product.product", "--json")

    refused = [each for each in named(out).values() if not each["selectable"]]
    assert refused
    assert all(each["why"] and each["remedy"] for each in refused)

    _, text, _ = asked("product.product")
    listed = text[text.index(f"{len(refused)} fields of product.product cannot be selected") :]
    assert all(f"  {each['name']}: " in listed for each in refused)


def test_names_labels_and_relations_are_searched(asked: Asked) -> None:
    code, out, _ = asked("sale.order", "--like", "PARTNER", "--json")

    assert code == 0
    for each in named(out).values():
        texts = (each["name"], each["label"], each["relation"] or "")
        assert any("partner" in text.lower() for text in texts)
    assert "partner_id" in named(out)


def test_people_get_a_table(asked: Asked) -> None:
    _, out, _ = asked("sale.order", "--like", "partner_id")

    heads, row = out.splitlines()[:2]
    assert heads.split() == ["field", "type", "kept", "label"]
    assert row.startswith("partner_id  many2one res.partner  stored")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("sale.ordr",), 2, 'Did you mean "sale.order"?'),
        (("sale.order", "--like", "nothing like it"), 1, "Leave --like out"),
    ],
    ids=["model", "like"],
)
def test_law_10_what_is_not_there_is_said(
    asked: Asked, words: tuple[str, ...], code: int, says: str
) -> None:
    ended, out, err = asked(*words)

    assert (ended, out) == (code, "")
    assert says in err


@pytest.mark.parametrize(
    ("rest", "left"),
    [
        pytest.param("", "in kafka, wso2, routes;", id="nothing else is written yet"),
        pytest.param(
            "kafka: {bootstrap.servers: ${NOT_SET_ANYWHERE}}\nroutes: [{model: sale.ordr}]\n",
            "in wso2, kafka, routes[0];",
            id="the rest is wrong",
        ),
    ],
)
def test_the_source_alone_is_needed(
    capsys: pytest.CaptureFixture[str],
    odoo_database: Database,
    tmp_path: Path,
    rest: str,
    left: str,
) -> None:
    path = tmp_path / "sync.yaml"
    source = json.dumps({"name": "odoo_a", "dsn": odoo_database.dsn})
    path.write_text(f"source: {source}\n{rest}", encoding="utf-8")

    code = main(["fields", "-c", str(path), "sale.order", "--json"])

    said = capsys.readouterr()
    assert code == 0
    assert named(said.out)["state"]["selectable"]
    (line,) = said.err.splitlines()
    assert left in line


def test_law_10_a_source_that_is_wrong_is_said_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "sync.yaml"
    path.write_text("source: {name: odoo_a}\nroutes: [{}]\n", encoding="utf-8")

    code = main(["fields", "-c", str(path), "sale.order"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.splitlines() == [
        f"odoo-cdc: {path}:1: source.dsn: missing; give it a value",
        "hint: Correct the file; docs/configuration.md shows every key.",
    ]
