"""`odoo-cdc check --file-only`: the file alone, where no service is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cdc.__main__ import main
from tests.programs import sync_yaml

ROUTES = """
routes:
  - {name: partners, model: res.partner, targets: [webshop], fields: [name]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file whose services are nowhere."""
    path = tmp_path / "sync.yaml"
    text = sync_yaml(
        source="odoo_a",
        dsn="postgresql://127.0.0.1:9/odoo",
        kafka="127.0.0.1:9",
        targets=["webshop"],
        routes=ROUTES,
    )
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_that_is_well_formed_is_said_so_and_what_was_not_looked_at(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "-c", str(file), "--file-only"]) == 0

    assert capsys.readouterr().out == (
        "sync.yaml is well formed; models, fields, domains and mappings were not held against a"
        " database, and no service was asked\n"
    )


def test_programs_get_an_empty_list(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", str(file), "--file-only", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {"findings": []}


def test_a_file_that_is_not_well_formed_is_1(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(file.read_text().replace("targets: [webshop]", "targets: [webshp]"))

    assert main(["check", "-c", str(file), "--file-only"]) == 1

    said = capsys.readouterr().out
    assert 'did you mean "webshop"?' in said
    assert "1 errors, 0 warnings" in said
    assert "well formed" not in said


def test_a_file_that_cannot_be_read_is_2(tmp_path: Path) -> None:
    assert main(["check", "-c", str(tmp_path / "none.yaml"), "--file-only"]) == 2
