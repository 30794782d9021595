"""Variants: made by Odoo from the attributes of a template, named by whoever needs them."""

from __future__ import annotations

import pytest

from tests.odoo_client import Rpc

pytestmark = pytest.mark.integration

LINES = [
    "id",
    "name",
    "attribute_line_ids/id",
    "attribute_line_ids/attribute_id/.id",
    "attribute_line_ids/value_ids/.id",
]
SHOWN = {"active_test": False}


@pytest.fixture
def attribute(rpc: Rpc, module: str) -> int:
    return int(rpc("product.attribute", "create", {"name": f"Colour {module}"}))


@pytest.fixture
def colours(rpc: Rpc, attribute: int) -> list[int]:
    names = ("Red", "Blue", "Green")
    values = [{"name": name, "attribute_id": attribute} for name in names]
    return list(rpc("product.attribute.value", "create", values))


def variants(rpc: Rpc, template: int) -> dict[str, int]:
    """Return the active variants by the names of their values."""
    fields = ["product_template_attribute_value_ids"]
    rows = rpc("product.product", "search_read", [["product_tmpl_id", "=", template]], fields)
    found = {}
    for row in rows:
        values = rpc("product.template.attribute.value", "read", row[fields[0]], ["name"])
        found[", ".join(value["name"] for value in values)] = row["id"]
    return found


def test_a_second_variant_needs_an_attribute(rpc: Rpc, module: str) -> None:
    template = rpc("product.template", "create", {"name": "Chair"})
    columns = ["id", "name", "product_variant_ids/id", "product_variant_ids/default_code"]

    error = rpc.refused("product.product", "create", {"product_tmpl_id": template})
    answer = rpc.load(
        "product.template",
        columns,
        [f"{module}.t", "Chair", f"{module}.v1", "a"],
        ["", "", f"{module}.v2", "b"],
    )

    assert error.name == "odoo.exceptions.ValidationError"
    assert "product_tmpl_id, combination_indices" in error.message
    assert answer["ids"] is False
    assert rpc.named(module) == {}


def test_a_line_makes_a_variant_of_each_value(
    rpc: Rpc, attribute: int, colours: list[int]
) -> None:
    line = [0, 0, {"attribute_id": attribute, "value_ids": [[6, 0, colours[:2]]]}]

    values = {"name": "Chair", "attribute_line_ids": [line], "list_price": 5}
    template = rpc("product.template", "create", values)

    made = variants(rpc, template)
    assert set(made) == {"Red", "Blue"}
    row = rpc.one("product.product", made["Red"], "display_name", "lst_price")
    assert (row["display_name"], row["lst_price"]) == ("Chair (Red)", 5.0)
    assert rpc.one("product.template", template, "default_code")["default_code"] is False


def test_another_value_makes_another_variant_and_keeps_the_others(
    rpc: Rpc, module: str, attribute: int, colours: list[int]
) -> None:
    row = [f"{module}.t", "Chair", f"{module}.l", attribute]
    (template,) = rpc.loaded("product.template", LINES, [*row, "{},{}".format(*colours[:2])])
    before = variants(rpc, template)

    rpc.loaded("product.template", LINES, [*row, "{},{},{}".format(*colours)])

    after = variants(rpc, template)
    assert set(after) == {"Red", "Blue", "Green"}
    assert {name: after[name] for name in before} == before
    assert set(rpc.named(module)) == {"t", "l"}


@pytest.mark.parametrize("sold", [False, True], ids=["deleted", "archived where it is needed"])
def test_a_value_that_is_taken_away_takes_its_variant_along(
    rpc: Rpc, attribute: int, colours: list[int], *, sold: bool
) -> None:
    line = [0, 0, {"attribute_id": attribute, "value_ids": [[6, 0, colours]]}]
    template = rpc("product.template", "create", {"name": "C", "attribute_line_ids": [line]})
    red = variants(rpc, template)["Red"]
    if sold:
        partner = rpc("res.partner", "create", {"name": "Buyer"})
        lines = [[0, 0, {"product_id": red}]]
        rpc("sale.order", "create", {"partner_id": partner, "order_line": lines})
    (number,) = rpc.one("product.template", template, "attribute_line_ids")["attribute_line_ids"]

    rest = [[1, number, {"value_ids": [[6, 0, colours[1:]]]}]]
    rpc("product.template", "write", [template], {"attribute_line_ids": rest})

    assert set(variants(rpc, template)) == {"Blue", "Green"}
    left = rpc("product.product", "search_read", [["id", "=", red]], ["active"], context=SHOWN)
    assert left == ([{"id": red, "active": False}] if sold else [])


def test_a_variant_that_is_there_takes_the_only_value(
    rpc: Rpc, attribute: int, colours: list[int]
) -> None:
    template = rpc("product.template", "create", {"name": "Chair", "default_code": "C"})
    (before,) = rpc.one("product.template", template, "product_variant_ids")["product_variant_ids"]

    line = [0, 0, {"attribute_id": attribute, "value_ids": [[6, 0, colours[:1]]]}]
    rpc("product.template", "write", [template], {"attribute_line_ids": [line]})

    assert variants(rpc, template) == {"Red": before}
    assert rpc.one("product.product", before, "default_code")["default_code"] == "C"
