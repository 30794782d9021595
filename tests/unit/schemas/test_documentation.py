from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent
from typing import Final

import pytest

from schemas.config import Config, ConfigError, load

DOCS: Final = Path(__file__).parents[3] / "docs"
ENV: Final = {"SOURCE_DSN": "postgresql:///odoo"}

_BLOCK: Final = re.compile(r"(?ms)^```yaml(?P<file> sync\.yaml)?\n(?P<text>.*?)^```$")
_SECTION: Final = re.compile(r"^(?P<key>[a-z0-9]+):.*\n(?:[ #-].*\n)*", re.MULTILINE)
_REFERENCED: Final = re.compile(r"\$\{file:([^}]+)\}")
_BLOCKS: Final = list(_BLOCK.finditer((DOCS / "configuration.md").read_text(encoding="utf-8")))

# The file of every key needs no mark: it begins as a file does.
FILES: Final = [e["text"] for e in _BLOCKS if e["file"] or e["text"].startswith("source:")]
PARTS: Final = [each["text"] for each in _BLOCKS if each["text"] not in FILES]
SHORT: Final = FILES[0]


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


@pytest.mark.parametrize("text", FILES, ids=["short", "every key", "references"])
def test_a_complete_file_of_the_page_loads_without_a_warning(text: str, tmp_path: Path) -> None:
    assert not loaded(text, tmp_path).warnings


@pytest.mark.parametrize("text", PARTS, ids=["wso2", "map", "domain"])
def test_a_part_of_the_page_loads_inside_the_short_file(text: str, tmp_path: Path) -> None:
    if text.startswith("map:"):
        file = SHORT.replace("    fields: [name, state]\n", indent(text, "    "))
    elif text.startswith("domain:"):
        file = SHORT + indent(text, "    ")
    else:
        file = "".join((sections(SHORT) | sections(text)).values())

    assert file != SHORT
    assert not loaded(file, tmp_path).warnings


def test_the_example_beside_the_page_loads_without_a_warning() -> None:
    assert not load(DOCS / "examples" / "sync.yaml", {}).warnings


def test_names_have_as_many_characters_together_as_the_page_says(tmp_path: Path) -> None:
    used = len("odoo_a" + "webshop" + "orders")
    longest = "m" * (146 - used)

    assert loaded(SHORT.replace("sale.order", longest), tmp_path).routes[0].model == longest
    with pytest.raises(ConfigError, match="201 characters"):
        loaded(SHORT.replace("sale.order", f"{longest}m"), tmp_path)
