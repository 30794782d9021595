"""Whether WSO2 can reach us with its acknowledgements, as far as the file tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from schemas.config import load
from streams.wso2 import checks
from tests.programs import sync_yaml

ROUTES = """
routes:
  - {name: orders, model: sale.order, targets: [shop], fields: [name]}
"""


@pytest.mark.parametrize(
    ("wso2", "acks", "acknowledge", "warned"),
    [
        ("http://wso2:8290/cdc", {"listen": "127.0.0.1:8091"}, "required", True),
        ("http://wso2:8290/cdc", {"listen": "127.0.0.1:8091"}, "accepted", False),
        ("http://wso2:8290/cdc", {"listen": ""}, "required", False),
        ("http://localhost:8290/cdc", {"listen": "127.0.0.1:8091"}, "required", False),
        (
            "http://wso2:8290/cdc",
            {"listen": ":8091", "url": "http://us:8091/acks", "token": "t"},
            "required",
            False,
        ),
    ],
)
def test_an_address_that_is_wso2s_own_host_is_warned_of(
    tmp_path: Path, wso2: str, acks: dict[str, Any], acknowledge: str, *, warned: bool
) -> None:
    path = tmp_path / "sync.yaml"
    path.write_text(
        sync_yaml(
            source="odoo_a",
            dsn="dbname=odoo",
            kafka="kafka:9092",
            wso2=wso2,
            targets=["shop"],
            target={"acknowledge": acknowledge},
            routes=ROUTES,
            more={"acks": acks},
        )
    )

    found = checks.of_way_back(load(path))

    assert [(each.level, each.where) for each in found] == [("warning", "acks.url")] * warned
