"""docs/configuration.md says what the code does: its blocks are read by it."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from textwrap import indent
from typing import Final

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
from schemas.mapping import reads

DOCS: Final = Path(__file__).parents[3] / "docs"
PAGE: Final = (DOCS / "configuration.md").read_text(encoding="utf-8")
ENV: Final = {"SOURCE_DSN": "postgresql:///odoo"}

_BLOCK: Final = re.compile(r"(?ms)^```yaml(?P<file> sync\.yaml)?\n(?P<text>.*?)^```$")
_SECTION: Final = re.compile(r"^(?P<key>[a-z0-9]+):.*\n(?:[ #-].*\n)*", re.MULTILINE)
_REFERENCED: Final = re.compile(r"\$\{file:([^}]+)\}")
_BLOCKS: Final = list(_BLOCK.finditer(PAGE))

# The file of every key needs no mark: it begins as a file does.
FILES: Final = [e["text"] for e in _BLOCKS if e["file"] or e["text"].startswith("source:")]
PARTS: Final = [each["text"] for each in _BLOCKS if each["text"] not in FILES]
SHORT, EVERY_KEY, _ = FILES


def loaded(text: str, folder: Path) -> Config:
    """Load a text, the files that it refers to made in its folder."""
    for name in _REFERENCED.findall(text):
        secret = folder / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("secret\n", encoding="utf-8")
    path = folder / "sync.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, ENV)


def within_the_short_file(part: str) -> str:
    """Put a part of the page where it belongs."""
    if part.startswith("map:"):
        return SHORT.replace("    fields: [name, state]\n", indent(part, "    "))
    if part.startswith("domain:"):
        return SHORT + indent(part, "    ")
    return "".join((sections(SHORT) | sections(part)).values())


def sections(text: str) -> dict[str, str]:
    found = {each["key"]: each[0] for each in _SECTION.finditer(text)}
    assert "".join(found.values()) == text
    return found


@pytest.mark.parametrize("text", FILES, ids=["short", "every key", "references"])
def test_a_complete_file_of_the_page_loads_without_a_warning(text: str, tmp_path: Path) -> None:
    assert not loaded(text, tmp_path).warnings


@pytest.mark.parametrize("text", PARTS, ids=["wso2", "targets", "map", "values of Odoo", "domain"])
def test_a_part_of_the_page_loads_inside_the_short_file(text: str, tmp_path: Path) -> None:
    file = within_the_short_file(text)

    assert file != SHORT
    assert not loaded(file, tmp_path).warnings


def test_the_example_beside_the_page_loads_without_a_warning() -> None:
    assert not load(DOCS / "examples" / "sync.yaml", {}).warnings


def test_every_key_of_the_page_has_the_default_it_names(tmp_path: Path) -> None:
    config = loaded(EVERY_KEY, tmp_path)

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


def test_the_page_names_every_key_that_is_read() -> None:
    written = yaml.safe_load(EVERY_KEY)

    ours = {"context", "lang", "week_start", "company", "company_defaults"}
    ours |= {"field_domains", "name_fields"}
    assert set(written["source"]) ^ {field.name for field in fields(Source)} == ours
    assert set(written["targets"]["webshop"]) == {f.name for f in fields(Target)} - {"name"}
    assert set(written["wso2"]) == {field.name for field in fields(Wso2)}
    assert set(written["acks"]) == {field.name for field in fields(Acks)}
    assert set(written["topics"]) == {field.name for field in fields(TopicSettings)}
    route = {field.name for field in fields(Route)} - {"index", "mapping"} | {"fields"}
    assert set(written["routes"][0]) == route
    ours = {"path", "fingerprint", "lines", "warnings"}
    assert set(written) == {field.name for field in fields(Config)} - ours


def test_every_value_of_the_page_s_map_is_sent_and_every_path_in_it_read(tmp_path: Path) -> None:
    (text,) = (part for part in PARTS if part.startswith("map:"))
    mapping = loaded(within_the_short_file(text), tmp_path).routes[0].mapping

    assert [entry.name for entry in mapping.entries] == list(yaml.safe_load(text)["map"])
    assert "order_line.product_id.default_code" in [read.path for read in reads(mapping)]


def test_the_page_s_finding_is_what_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(EVERY_KEY.replace("fields:", "feilds:"), tmp_path)

    (finding,) = (one for one in caught.value.findings if one.where == "routes[0].feilds")
    assert f"    {replace(finding, line=14).text('sync.yaml')}\n" in PAGE


def test_names_have_as_many_characters_together_as_the_page_says(tmp_path: Path) -> None:
    used = len("odoo_a" + "webshop" + "orders")
    longest = "m" * (146 - used)

    assert loaded(SHORT.replace("sale.order", longest), tmp_path).routes[0].model == longest
    with pytest.raises(ConfigError, match="201 characters"):
        loaded(SHORT.replace("sale.order", f"{longest}m"), tmp_path)
