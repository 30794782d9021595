from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdc.selection import Index, select
from schemas.config import load
from schemas.document import Shape
from schemas.fields import Field, Kind, Model, Models
from schemas.via import ManyToOne
from tests.recorded import MODELS as RECORDED

_IDS = Model(
    "ir.model.data",
    "ir_model_data",
    {
        "res_id": Field("res_id", "integer", Kind.INTEGER, stored=True),
        "model": Field("model", "char", Kind.TEXT, stored=True),
    },
)
MODELS = Models({**RECORDED.by_name, _IDS.name: _IDS})


def selection(folder: Path, route: dict[str, Any], **source: Any) -> Any:
    file = {
        "source": {"name": "odoo_a", "dsn": "postgresql:///odoo", **source},
        "kafka": {"bootstrap.servers": "127.0.0.1:9092"},
        "wso2": {"url": "http://127.0.0.1:8290/cdc/v1/messages"},
        "targets": {"shop": {"url": "http://shop.example"}},
        "routes": [{"name": "a", "targets": ["shop"], **route}],
    }
    path = folder / "sync.yaml"
    path.write_text(yaml.safe_dump(file))
    return select(load(path, {}), MODELS)


def test_what_a_domain_implies_is_captured_and_rebuilds_the_documents_that_show_it(
    tmp_path: Path,
) -> None:
    below = {
        "model": "product.template",
        "fields": ["key"],
        "domain": [["categ_id", "child_of", 3]],
    }

    found = selection(tmp_path, below)

    tables = {table.name: table for table in found.tables}
    assert tables["product_category"].columns == ("parent_path",)
    assert tables["product_template"].indexes == (Index("product_template", "categ_id"),)


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param([["categ_id", "child_of", 3]], id="a tree"),
        pytest.param([["categ_id.name", "=", "Chairs"]], id="a path"),
    ],
)
def test_a_domain_is_followed_where_lookups_are_not(tmp_path: Path, domain: Any) -> None:
    route = {"model": "product.template", "fields": ["categ_id.name"], "follow_lookups": False}

    asked, shown = (selection(tmp_path, route | more) for more in ({"domain": domain}, {}))

    by_category = Index("product_template", "categ_id")
    assert by_category in {table.name: table for table in asked.tables}["product_template"].indexes
    assert not {table.name: table for table in shown.tables}["product_template"].indexes


def test_what_domains_of_parts_imply_is_captured(tmp_path: Path) -> None:
    lines = {"each": "order_line", "domain": [["product_id.categ_id", "child_of", 3]]}
    route = {"model": "sale.order", "map": {"lines": {**lines, "map": {"key": "key"}}}}

    found = selection(tmp_path, route)

    assert {table.name: table.columns for table in found.tables}["product_category"] == (
        "parent_path",
    )


TERMS = "res.partner.property_payment_term_id"


@pytest.mark.parametrize(
    ("source", "company", "default"),
    [
        ({}, 1, 0),
        ({"company": 2}, 2, 0),
        ({"company_defaults": {TERMS: 7}}, 1, 7),
        ({"company_defaults": {TERMS: {1: 7, 2: 8}}, "company": 2}, 2, 8),
        ({"company_defaults": {TERMS: "7"}}, 1, 7),
        ({"company_defaults": {TERMS: False}}, 1, 0),
        ({"company_defaults": {TERMS: "x"}}, 1, 0),
    ],
    ids=["no default", "another company", "of every", "of its own", "a text", "none", "no id"],
)
def test_a_relation_that_depends_on_the_company_is_followed_as_the_source_has_it(
    tmp_path: Path, source: dict[str, Any], company: int, default: int
) -> None:
    route = {"model": "res.partner", "fields": ["property_payment_term_id.name"]}

    found = selection(tmp_path, route, **source)

    [partner] = found.shapes
    [link] = partner.links
    tables = {table.name: table for table in found.tables}
    assert link.via == ManyToOne(company, default)
    assert Shape.from_json(json.loads(json.dumps(partner.to_json()))) == partner
    assert tables["res_partner"].links == ("property_payment_term_id",)
    assert tables["res_partner"].indexes == (
        Index("res_partner", "property_payment_term_id", company=company, default=default),
    )


def test_indexes_of_other_companies_and_defaults_have_other_names() -> None:
    whose = [(0, 0), (1, 0), (2, 0), (1, 7), (1, 8)]

    names = [Index("t", "c", company=company, default=default).name for company, default in whose]

    assert names == ["t.c", "t.c@1", "t.c@2", "t.c@1:7", "t.c@1:8"]
