from __future__ import annotations

from pathlib import Path

import pytest

from cdc.__main__ import main

TEXT = """\
odoo: {url: "http://127.0.0.1:9", database: branch, user: sync, api_key: x}
listen: 127.0.0.1:8094
state: ./there/target
models:
  res.partner: {fields: [name]}
"""


def test_the_check_says_of_a_state_that_cannot_be_kept_where_the_file_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").write_text("", encoding="utf-8")
    file = tmp_path / "target.yaml"
    file.write_text(TEXT, encoding="utf-8")

    code = main(["target", "--config", str(file), "--check"])

    said = capsys.readouterr().out.splitlines()
    assert code == 1
    assert f"error: {file}:3: state: {tmp_path}/there is no folder; name a folder" in said
    assert any("odoo.url: Odoo does not answer" in line for line in said)
