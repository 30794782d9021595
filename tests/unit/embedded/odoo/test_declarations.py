"""The models as the text file declares them."""

from __future__ import annotations

import pytest

from embedded.odoo.declarations import models, relations
from embedded.odoo.schema import FIELD_COLUMNS, constraints, field_rows, tables


def described(model: str, name: str) -> dict[str, object]:
    """Return the row of ir_model_fields."""
    for row in field_rows():
        found = dict(zip(FIELD_COLUMNS, row, strict=True))
        if (found["model"], found["name"]) == (model, name):
            return found
    raise AssertionError(f"{model}.{name} is not described")


@pytest.mark.parametrize(
    ("model", "name", "column"),
    [
        ("res.partner", "name", "varchar"),
        ("product.template", "name", "jsonb"),  # translated
        ("product.product", "standard_price", "jsonb"),  # of one company
        ("sale.order.line", "price_tax", "double precision"),
        ("sale.order.line", "product_uom_qty", "numeric"),
        ("sale.order", "amount_total", "numeric"),
        ("sale.order", "date_order", "timestamp"),
        ("res.company", "logo_web", "bytea"),
        ("res.partner", "image_1920", ""),  # an attachment
        ("res.partner", "country_code", ""),  # related
        ("sale.order.line", "order_partner_id", "integer"),  # related and stored
        ("product.product", "name", ""),  # inherited
        ("sale.order", "order_line", ""),
    ],
)
def test_columns_have_odoos_types(model: str, name: str, column: str) -> None:
    assert models()[model].fields[name].column == column


def test_inherited_fields_read_through_their_link() -> None:
    assert described("product.product", "list_price")["related"] == "product_tmpl_id.list_price"
    assert described("res.users", "email")["related"] == "partner_id.email"
    assert described("product.product", "active")["related"] is None  # its own


def test_a_stored_related_many2one_has_a_foreign_key_but_no_on_delete() -> None:
    assert described("sale.order.line", "order_partner_id")["on_delete"] is None
    assert any(
        "sale_order_line ADD FOREIGN KEY (order_partner_id)" in one
        and one.endswith("ON DELETE SET NULL")
        for one in constraints()
    )


def test_a_company_dependent_many2one_has_no_foreign_key() -> None:
    assert not any("property_payment_term_id" in statement for statement in constraints())


def test_both_sides_of_a_many2many_share_a_table() -> None:
    tags, partners = (
        described("res.partner", "category_id"),
        described("res.partner.category", "partner_ids"),
    )

    assert tags["relation_table"] == partners["relation_table"]
    assert (tags["column1"], tags["column2"]) == (partners["column2"], partners["column1"])
    assert "res_partner_res_partner_category_rel" in relations()


def test_relations_lead_to_models_that_are_declared() -> None:
    led_to = {one.relation for model in models().values() for one in model.fields.values()}

    assert led_to - {""} <= models().keys()


def test_inverses_are_fields_of_the_other_model() -> None:
    for model in models().values():
        for one in model.fields.values():
            if one.inverse:
                assert one.inverse in models()[one.relation].fields, (model.name, one.name)


def test_only_what_is_not_logged_has_no_magic_columns() -> None:
    without = {name for name, model in models().items() if "write_date" not in model.fields}

    assert without == {"mail.followers"}
    assert any(statement.startswith("CREATE TABLE mail_followers") for statement in tables())
