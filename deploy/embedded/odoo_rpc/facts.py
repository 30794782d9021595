"""What Odoo's code says of fields, and tables do not: choices, digits, what is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Choices = tuple[tuple[str, str], ...]

MAGIC: Final = frozenset({"id", "create_uid", "create_date", "write_uid", "write_date"})
"""Nobody writes these; Odoo passes over them in silence."""

_DISPLAY: Final[Choices] = (("line_section", "Section"), ("line_note", "Note"))

SELECTIONS: Final[Mapping[tuple[str, str], Choices]] = {
    ("res.partner", "type"): (
        ("contact", "Contact"),
        ("invoice", "Invoice Address"),
        ("delivery", "Delivery Address"),
        ("other", "Other Address"),
    ),
    ("res.partner", "trust"): (
        ("good", "Good Debtor"),
        ("normal", "Normal Debtor"),
        ("bad", "Bad Debtor"),
    ),
    ("product.template", "type"): (
        ("consu", "Goods"),
        ("service", "Service"),
        ("combo", "Combo"),
    ),
    ("product.attribute", "create_variant"): (
        ("always", "Instantly"),
        ("dynamic", "Dynamically"),
        ("no_variant", "Never"),
    ),
    ("account.tax", "type_tax_use"): (
        ("sale", "Sales"),
        ("purchase", "Purchases"),
        ("none", "None"),
    ),
    ("sale.order", "state"): (
        ("draft", "Quotation"),
        ("sent", "Quotation Sent"),
        ("sale", "Sales Order"),
        ("cancel", "Cancelled"),
    ),
    ("purchase.order", "state"): (
        ("draft", "RFQ"),
        ("sent", "RFQ Sent"),
        ("to approve", "To Approve"),
        ("purchase", "Purchase Order"),
        ("done", "Locked"),
        ("cancel", "Cancelled"),
    ),
    ("sale.order.line", "display_type"): _DISPLAY,
    ("purchase.order.line", "display_type"): _DISPLAY,
}

DIGITS: Final[Mapping[tuple[str, str], int]] = {
    ("res.partner", "partner_latitude"): 7,
    ("account.tax", "amount"): 4,
    ("res.currency", "rounding"): 6,
    ("res.partner", "credit_limit"): 15,
    ("sale.order.line", "price_tax"): 15,
    ("purchase.order.line", "price_tax"): 15,
    ("sale.order.line", "customer_lead"): 15,
}
"""Digits after the point; numbers that are not here have two."""

READONLY: Final = frozenset(
    {
        "amount_untaxed",
        "amount_tax",
        "amount_total",
        "price_subtotal",
        "price_tax",
        "price_total",
        "complete_name",
        "commercial_partner_id",
        "parent_path",
        "state",
        "date_approve",
    }
)
"""Computed or reached by a method; `fields_get` says so, a write is not refused."""


def digits(model: str, name: str) -> int:
    """Return how many digits after the point a number keeps."""
    return DIGITS.get((model, name), 2)
