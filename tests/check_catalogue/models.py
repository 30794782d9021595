"""The database of the catalogue: recorded models of Odoo 18, and fields as modules add them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from schemas.fields import Field, Kind, Model, Models
from tests import recorded

USERS: Final = {"admin": 2, "sync@example.com": 7}
STORED: Final = {"res.partner.trust": {"*": "normal"}}  # the defaults of `ir_default`
_MORE: Final = {
    "sale.order": (
        Field("write_date", "datetime", Kind.DATETIME, stored=True),
        Field("x_margin", "float"),  # computed
        Field("x_total", "float", generated=True),
        Field("x_ordered", "datetime", related="order_line.order_id.date_order"),
        Field("x_extra", "json", Kind.JSON, stored=True),
        Field("x_scan", "binary", Kind.BINARY, stored=True),
        Field("x_invoice_ids", "many2many", relation="purchase.order"),  # computed
        Field(
            "x_line_ids",
            "many2many",
            relation="product.product",
            table="sale_order_line",
            column1="order_id",
            column2="product_id",
            stored=True,
        ),
        Field("x_note_ids", "one2many", relation="purchase.order", inverse="x_sale_id"),
    ),
    "account.payment.term": (
        Field(
            "x_partner_ids",
            "one2many",
            relation="res.partner",
            inverse="property_payment_term_id",
        ),
    ),
    "purchase.order": (Field("x_sale_id", "many2one", relation="sale.order"),),
    "res.partner": (
        Field("x_debt", "float"),  # computed
        Field("x_account", "reference", Kind.COMPANY, stored=True, company_dependent=True),
        Field(
            "x_tag_ids",
            "many2many",
            relation="res.partner.category",
            related="parent_id.category_id",
        ),
    ),
}
_IDS: Final = Model(
    "ir.model.data",
    "ir_model_data",
    {
        name: Field(name, type_, kind, stored=True)
        for name, type_, kind in (
            ("module", "char", Kind.TEXT),
            ("name", "char", Kind.TEXT),
            ("model", "char", Kind.TEXT),
            ("res_id", "integer", Kind.INTEGER),
        )
    },
)
MODELS: Final = Models(
    {
        name: replace(
            model, fields={**model.fields, **{each.name: each for each in _MORE.get(name, ())}}
        )
        for name, model in {**recorded.MODELS.by_name, "ir.model.data": _IDS}.items()
    }
)
