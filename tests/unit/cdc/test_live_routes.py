"""What routes with values that no column holds ask of capture, and what `check` says of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdc.checks import routes
from cdc.selection import select
from schemas.config import Config, load
from schemas.config.hidden import secrets_of
from schemas.fields import Field, Kind, Model, Models
from schemas.shaping import Unreadable
from tests.documents import MODELS

ODOO = {"url": "http://odoo:8069", "database": "odoo", "user": "cdc", "api_key": "a-secret-key"}
_IDS = Model(
    "ir.model.data",
    "ir_model_data",
    {
        "res_id": Field("res_id", "integer", Kind.INTEGER, stored=True),
        "model": Field("model", "char", Kind.TEXT, stored=True),
    },
)
MODELS_WITH_IDS = Models({**MODELS.by_name, _IDS.name: _IDS})
FIELDS = ("name", "margin", "partner_id.image_1920")


def config(folder: Path, *, odoo: bool = True, fields: Sequence[str] = FIELDS) -> Config:
    source = {"name": "odoo_a", "dsn": "postgresql:///odoo"}
    file: dict[str, Any] = {
        "source": source | ({"odoo": ODOO} if odoo else {}),
        "kafka": {"bootstrap.servers": "127.0.0.1:9092"},
        "wso2": {"url": "http://127.0.0.1:8290/cdc/v1/messages"},
        "targets": {"shop": {"url": "http://shop.example"}},
        "routes": [{"name": "a", "model": "sale.order", "targets": ["shop"], "fields": [*fields]}],
    }
    path = folder / "sync.yaml"
    path.write_text(yaml.safe_dump(file))
    return load(path, {})


def test_every_write_on_a_record_that_odoo_is_asked_about_makes_an_event(tmp_path: Path) -> None:
    found = select(config(tmp_path), MODELS_WITH_IDS)

    compared = {table.name: table.columns for table in found.tables}
    assert "write_date" in compared["sale_order"]
    assert compared["res_partner"] == ("write_date",)


def test_without_source_odoo_nothing_of_it_is_selected(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no column"):
        select(config(tmp_path, odoo=False), MODELS_WITH_IDS)


def test_check_warns_of_what_each_of_them_costs(tmp_path: Path) -> None:
    made = config(tmp_path)

    found = routes.costs(made, MODELS)

    assert routes.findings(made, MODELS, {}) == []
    assert [(each.level, each.where) for each in found] == [
        ("warning", "routes[0].fields[1]"),
        ("warning", "routes[0].fields[2]"),
    ]
    assert "res.partner.image_1920" in found[1].message
    assert all(each.remedy for each in found)


def test_a_route_of_columns_alone_costs_nothing_more(tmp_path: Path) -> None:
    assert routes.costs(config(tmp_path, fields=("name",)), MODELS) == []


def test_law_10_without_source_odoo_check_says_what_to_set(tmp_path: Path) -> None:
    found = routes.findings(config(tmp_path, odoo=False), MODELS, {})

    assert [each.where for each in found] == ["routes[0].fields[1]", "routes[0].fields[2]"]
    assert all("source.odoo" in each.remedy for each in found)


def test_the_api_key_is_a_secret(tmp_path: Path) -> None:
    assert ("source.odoo.api_key", "a-secret-key") in list(secrets_of(config(tmp_path)))
