"""What README and docs say: files that load, commands that exist, links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schemas.config import load
from tests.command_lines import commands, unknown

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


@pytest.fixture(params=PAGES, ids=[page.stem for page in PAGES])
def page(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_every_command_of_a_page_exists_with_its_options(page: Path) -> None:
    assert list(unknown(page.read_text(encoding="utf-8"))) == []


def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for link, _ in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_file_that_the_readme_shows_can_be_used(tmp_path: Path) -> None:
    (text,) = YAML.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    file = tmp_path / "sync.yaml"
    file.write_text(text, encoding="utf-8")

    config = load(file, {"SOURCE_DSN": "postgresql:///odoo", "ACK_TOKEN": "t"})

    assert config.warnings == ()
    assert [route.name for route in config.routes] == ["products", "orders"]


def test_every_command_is_in_the_readme_or_in_operations() -> None:

    text = "".join(
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/operations.md")
    )
    assert [name for name in commands() if f"odoo-cdc {name}" not in text] == []
