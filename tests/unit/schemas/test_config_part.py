"""A file that is not done yet: read for the keys that somebody needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.config import ConfigError, Part, load, load_part
from tests.unit.schemas.test_config import MINIMAL

SOURCE = """\
source:
  name: odoo_a
  dsn: postgresql:///odoo
  lang: fr_FR
"""
HALF = (
    SOURCE
    + """\
kafka:
  bootstrap.servers: ${NOT_SET}
decimals: number
targets:
  webshop: {url: "http://shop.example/in"}
  erp: {url: nowhere}
routes:
  - {name: orders, model: sale.order, targets: [webshop], fields: [name]}
  - {name: lines, model: sale.order.line, targets: [web], feilds: [name]}
"""
)


def part(path: Path, text: str, *keys: str) -> Part:
    path.write_text(text, encoding="utf-8")
    return load_part(path, lambda _: keys, {})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sync.yaml"


def test_a_source_alone_is_enough_where_only_the_source_is_needed(path: Path) -> None:
    found = part(path, SOURCE, "source")

    source = found.config.source
    assert (source.name, source.dsn) == ("odoo_a", "postgresql:///odoo")
    assert source.context.lang == "fr_FR"
    assert found.said_left() == (
        f"{path}: errors that do not matter here, in kafka, wso2, routes;"
        " `odoo-cdc check --file-only` says them"
    )


def test_errors_elsewhere_are_left_and_said_by_section(path: Path) -> None:
    found = part(path, HALF, "source", "decimals", "routes[0]", "targets.webshop")

    assert found.config.decimals == "number"
    assert found.config.routes[0].name == "orders"
    left = {each.where for each in found.left}
    assert {"kafka.bootstrap.servers", "targets.erp.url", "routes[1].feilds"} <= left
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert caught.value.findings == list(found.left)
    assert "in wso2, kafka, targets, routes[1];" in found.said_left()


@pytest.mark.parametrize(
    ("text", "keys", "wheres"),
    [
        pytest.param("kafka: {}", ["source"], ["source.name", "source.dsn"], id="missing"),
        pytest.param("source: 5", ["source"], ["source"], id="the section itself"),
        pytest.param(SOURCE + "  slto: a", ["source"], ["source.slto"], id="a key in it"),
        pytest.param(SOURCE + "source: {}", ["source"], ["source"], id="given twice"),
        pytest.param(HALF, ["targets.erp"], ["targets.erp.url"], id="a target"),
        pytest.param(SOURCE + "routes: 5", ["routes"], ["routes"], id="the routes"),
        pytest.param(SOURCE + "routes: [", ["source"], [""], id="not YAML"),
        pytest.param("", ["source"], [""], id="empty"),
        pytest.param("- 1", ["source"], [""], id="no keys"),
    ],
)
def test_law_10_what_is_needed_is_refused_alone(
    path: Path, text: str, keys: list[str], wheres: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        part(path, text, *keys)

    assert [each.where for each in caught.value.findings] == wheres


def test_keys_are_whole(path: Path) -> None:
    text = MINIMAL.replace("routes:", "routes:\n" + "  - {}\n" * 10)

    found = part(path, text, "routes[1]0", "rout", "routes[10]")

    assert found.config.routes[10].name == "orders"
    assert {each.where.partition("]")[0] for each in found.left} == {
        f"routes[{place}" for place in range(10)
    }


def test_of_a_sound_file_nothing_is_left(path: Path) -> None:
    found = part(path, MINIMAL, "source")

    assert (found.left, found.said_left()) == ((), "")
    assert found.config == load(path, {})
