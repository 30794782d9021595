"""What the demo says of how to work on it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedded.demo.guide import guide

DSN = "host=/demo/pg port=5432 user=odoo dbname=odoo"


def stage(binaries: Path) -> Any:
    programs = {
        name: SimpleNamespace(log=Path(f"/demo/{name}.log"))
        for name in ("capture", "stream", "webshop", "synapse", "target")
    }
    postgres = SimpleNamespace(installation=SimpleNamespace(bin=binaries))
    branch = SimpleNamespace(dsn=DSN.replace("dbname=odoo", "dbname=branch"), kind="stand-in")
    return SimpleNamespace(
        config=Path("/demo/sync.yaml"), dsn=DSN, postgres=postgres, branch=branch, **programs
    )


@pytest.mark.parametrize("own", [True, False], ids=["its own psql", "any psql"])
def test_it_says_where_everything_is(tmp_path: Path, own: bool) -> None:  # noqa: FBT001
    if own:
        (tmp_path / "psql").touch()

    lines = guide(stage(tmp_path))

    client = tmp_path / "psql" if own else "psql"
    assert lines[0] == "work on it: export ODOO_CDC_CONFIG=/demo/sync.yaml"
    assert "odoo-cdc trace sale.order 42" in lines[1]
    assert lines[2] == f"its database: {client} '{DSN}'"
    assert lines[3].startswith("the branch's, of its Odoo (stand-in for Odoo): ")
    assert lines[3].endswith("dbname=branch'")
    assert "/demo/capture.log /demo/stream.log /demo/webshop.log /demo/synapse.log" in lines[4]
    assert lines[4].endswith(" /demo/target.log")
    assert lines[5] == f"end it: Ctrl-C, or kill {os.getpid()}"
