from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

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

DOCS: Final = Path(__file__).parents[3] / "docs"
ENV: Final = {"SOURCE_DSN": "postgresql:///odoo"}

_BLOCK: Final = re.compile(r"(?ms)^```yaml(?P<file> sync\.yaml)?\n(?P<text>.*?)^```$")
_SECTION: Final = re.compile(r"^(?P<key>[a-z0-9]+):.*\n(?:[ #-].*\n)*", re.MULTILINE)
_REFERENCED: Final = re.compile(r"\$\{file:([^}]+)\}")
_BLOCKS: Final = list(_BLOCK.finditer((DOCS / "configuration.md").read_text(encoding="utf-8")))

FILES: Final = [each["text"] for each in _BLOCKS if each["file"]]
PARTS: Final = [each["text"] for each in _BLOCKS if not each["file"]]
SHORT, FULL = FILES


def loaded(text: str, folder: Path) -> Config:
    """Load a text, the files that it refers to made in its folder."""
    for name in _REFERENCED.findall(text):
        secret = folder / name
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("secret\n", encoding="utf-8")
    path = folder / "sync.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, ENV)


def sections(text: str) -> dict[str, str]:
    found = {each["key"]: each[0] for each in _SECTION.finditer(text)}
    assert "".join(found.values()) == text
    return found


@pytest.mark.parametrize("text", FILES, ids=["short", "full"])
def test_a_complete_file_of_the_page_loads_without_a_warning(text: str, tmp_path: Path) -> None:
    assert not loaded(text, tmp_path).warnings


@pytest.mark.parametrize("text", PARTS, ids=["wso2", "references", "map", "domains"])
def test_a_part_of_the_page_loads_in_place_of_the_short_file_s(text: str, tmp_path: Path) -> None:
    merged = sections(SHORT) | sections(text)

    assert not loaded("".join(merged.values()), tmp_path).warnings


def test_the_example_beside_the_page_loads_without_a_warning() -> None:
    assert not load(DOCS / "examples" / "sync.yaml", {}).warnings


def test_the_page_s_defaults_are_those_of_a_short_file(tmp_path: Path) -> None:
    short, full = loaded(SHORT, tmp_path), loaded(FULL, tmp_path)

    for name in {each.name for each in fields(Config)} - {"fingerprint", "lines"}:
        assert getattr(full, name) == getattr(short, name), name


def test_the_page_shows_every_key(tmp_path: Path) -> None:
    lines = loaded(FULL, tmp_path).lines.by_key
    wanted = {
        "source": Source,
        "health": Health,
        "topics": TopicSettings,
        "wso2": Wso2,
        "acks": Acks,
        "targets.webshop": Target,
        "routes[0]": Route,
    }
    # A target's name is its key; a mapping is written as `fields` or `map`.
    inferred = {"targets.webshop.name", "routes[0].mapping", "routes[0].index"}
    keys = {f"{where}.{each.name}" for where, kind in wanted.items() for each in fields(kind)}

    assert keys - inferred <= lines.keys()
    assert {"state", "kafka.bootstrap.servers", "decimals", "routes[0].fields"} <= lines.keys()


def test_names_have_as_many_characters_together_as_the_page_says(tmp_path: Path) -> None:
    used = len("odoo_a" + "webshop" + "orders")
    longest = "m" * (146 - used)

    assert loaded(SHORT.replace("sale.order", longest), tmp_path).routes[0].model == longest
    with pytest.raises(ConfigError, match="201 characters"):
        loaded(SHORT.replace("sale.order", f"{longest}m"), tmp_path)
