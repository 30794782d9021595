"""docs/configuration.md says what the code does: its blocks are read by it."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import yaml

from schemas.config import (
    Acks,
    Config,
    ConfigError,
    Health,
    Route,
    Source,
    Target,
    TopicSettings,
    Wso2,
    load,
)
from schemas.domain import parse
from schemas.mapping import parse_map, reads

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def block(begins: str) -> str:
    (found,) = (text for text in BLOCKS if text.startswith(begins))
    return found


def example(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "sync.yaml"
    path.write_text(text)
    return load(path, {})


def test_the_page_s_file_has_every_key_with_the_default_it_names(tmp_path: Path) -> None:
    config = example(tmp_path, block("source:"))

    source, target = config.source, config.targets["webshop"]
    assert source == Source(source.name, source.dsn, "odoo_cdc_odoo_a", "odoo_cdc_odoo_a")
    assert target == Target("webshop", target.url)
    assert config.wso2 == Wso2(config.wso2.url)
    assert (config.acks, config.health, config.topics) == (Acks(), Health(), TopicSettings())
    (route,) = config.routes
    plain = Route(
        route.name, route.model, parse([]), route.targets, route.model, mapping=route.mapping
    )
    assert route == plain
    assert config.warnings == ()


def test_the_page_s_file_names_every_key_that_is_read() -> None:
    written = yaml.safe_load(block("source:"))

    assert set(written["source"]) == {field.name for field in fields(Source)}
    assert set(written["targets"]["webshop"]) == {f.name for f in fields(Target)} - {"name"}
    assert set(written["wso2"]) == {field.name for field in fields(Wso2)}
    assert set(written["acks"]) == {field.name for field in fields(Acks)}
    assert set(written["topics"]) == {field.name for field in fields(TopicSettings)}
    route = {field.name for field in fields(Route)} - {"index", "mapping"} | {"fields"}
    assert set(written["routes"][0]) == route
    ours = {"path", "fingerprint", "lines", "warnings"}
    assert set(written) == {field.name for field in fields(Config)} - ours


def test_the_page_s_values_are_a_mapping() -> None:
    mapping = parse_map(yaml.safe_load(block("map:"))["map"])

    assert len(mapping.entries) == 16
    assert "order_line.product_id.default_code" in [read.path for read in reads(mapping)]


def test_the_page_s_domain_is_one() -> None:
    assert parse(yaml.safe_load(block("domain:"))["domain"])


def test_the_page_s_finding_is_what_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        example(tmp_path, block("source:").replace("fields:", "feilds:"))

    (finding,) = (one for one in caught.value.findings if one.where == "routes[0].feilds")
    assert f"    {replace(finding, line=14).text('sync.yaml')}\n" in PAGE
