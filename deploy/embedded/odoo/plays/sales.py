"""Sales: an order and its lines come, change and go together with what is computed of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from embedded.odoo import computes, words
from embedded.odoo.rows import SHOP_COMPANY
from embedded.odoo.transaction import Transaction

OPEN: Final = "state IN ('draft', 'sent')"
_CUSTOMER: Final = "active AND id > 5"  # the first belong to companies and users
_QUANTITIES: Final = tuple(map(Decimal, ("1.0", "2.0", "3.0", "5.0", "10.0")))


def quote(t: Transaction) -> None:
    """Insert an order and its lines, then update them with what is computed of them."""
    partner = t.some("res_partner", _CUSTOMER)
    ((number,),) = t.rows("SELECT nextval('ir_sequence_001')::int4")
    order = t.create(
        "sale_order",
        name=f"S{number:05d}",
        state="draft",
        partner_id=partner,
        partner_invoice_id=partner,
        partner_shipping_id=partner,
        date_order=t.now.replace(microsecond=0),
        validity_date=(t.now + timedelta(days=30)).date(),
        client_order_ref="" if t.chance(0.2) else None,
        note=words.long_text(t.rng) if t.chance(0.05) else None,
        currency_id=1,
        company_id=SHOP_COMPANY,
        user_id=2,
    )
    for place in range(1, t.rng.randint(1, 4) + 1):
        _insert_line(t, order, partner, 10 * place)
    t.create("mail_followers", res_model="sale.order", res_id=order, partner_id=partner)
    t.post("sale.order", order, "Sales Order created")
    _compute(t, order, locked=False)


def send(t: Transaction) -> None:
    """Send a quotation by mail."""
    _state(t, t.some("sale_order", "state = 'draft'"), "draft", "sent")


def confirm(t: Transaction) -> None:
    """Make a quotation a sale; its lines have the state too."""
    order = t.some("sale_order", OPEN)
    ((state,),) = t.rows("SELECT state FROM sale_order WHERE id = %s", order)
    _state(t, order, state, "sale")
    t.write("sale_order", order, date_order=t.now.replace(microsecond=0))


def change_line(t: Transaction) -> None:
    """Change a quantity or a price, and what follows from it."""
    line = t.some("sale_order_line", "display_type IS NULL AND state IN ('draft', 'sent', 'sale')")
    if t.chance(0.5):
        t.write("sale_order_line", line, product_uom_qty=t.rng.choice(_QUANTITIES))
    else:
        price = computes.money(Decimal(t.rng.randrange(500, 90_000)) / 100)
        t.write("sale_order_line", line, price_unit=price)
    ((order,),) = t.rows("SELECT order_id FROM sale_order_line WHERE id = %s", line)
    _compute_line(t, line)
    _compute(t, order)


def add_line(t: Transaction) -> None:
    """Add a line, a section sometimes, to an open order."""
    order = t.some("sale_order", OPEN)
    ((partner,),) = t.rows("SELECT partner_id FROM sale_order WHERE id = %s", order)
    if t.chance(0.2):
        _insert_section(t, order, partner)
    else:
        _insert_line(t, order, partner, t.rng.choice((5, 10, 15)))
    _compute(t, order)


def remove_line(t: Transaction) -> None:
    """Delete a line of an open order."""
    line = t.some("sale_order_line", OPEN)
    ((order,),) = t.rows("SELECT order_id FROM sale_order_line WHERE id = %s", line)
    t.unlink("sale.order.line", [line])
    _compute(t, order)


def change_customer(t: Transaction) -> None:
    """Give an open order to another customer; its lines repeat it in a stored related field."""
    order, partner = t.some("sale_order", OPEN), t.some("res_partner", _CUSTOMER)
    t.write(
        "sale_order",
        order,
        partner_id=partner,
        partner_invoice_id=partner,
        partner_shipping_id=partner,
    )
    t.write("sale_order_line", _lines(t, order), order_partner_id=partner)


def change_tags(t: Transaction) -> None:
    """Tag an order anew; the order is touched, the tag is not."""
    order = t.some("sale_order")
    tags = sorted(t.rng.sample((1, 2, 3), t.rng.randrange(3)))
    t.relink("sale_order_tag_rel", ("order_id", order), "tag_id", tags)
    t.write("sale_order", order)


def lock(t: Transaction) -> None:
    """Lock a sale."""
    t.write("sale_order", t.some("sale_order", "state = 'sale' AND NOT locked"), locked=True)


def cancel(t: Transaction) -> None:
    """Cancel an order through its wizard, whose row stays for a while."""
    order = t.some("sale_order", "state IN ('sent', 'sale')")
    ((state,),) = t.rows("SELECT state FROM sale_order WHERE id = %s", order)
    t.create("sale_order_cancel", order_id=order, subject="Cancelled")
    _state(t, order, state, "cancel")


def unlink(t: Transaction) -> None:
    """Delete an order that may be deleted; its lines go by foreign key."""
    t.unlink("sale.order", [t.some("sale_order", "state IN ('draft', 'cancel') AND id > 6")])


def _state(t: Transaction, order: int, before: str, state: str) -> None:
    t.write("sale_order", order, state=state)
    t.write("sale_order_line", _lines(t, order), state=state)
    t.post("sale.order", order, f"Order {state}", (before, state))


def _lines(t: Transaction, order: int) -> list[int]:
    found = t.rows("SELECT id FROM sale_order_line WHERE order_id = %s ORDER BY id", order)
    return [row[0] for row in found]


def _insert_line(t: Transaction, order: int, partner: int, sequence: int) -> None:
    product = t.some("product_product", "active")
    ((template, name, price),) = t.rows(
        "SELECT t.id, t.name->>'en_US', t.list_price FROM product_template t"
        " JOIN product_product p ON p.product_tmpl_id = t.id WHERE p.id = %s",
        product,
    )
    line = t.create(
        "sale_order_line",
        order_id=order,
        sequence=sequence,
        product_id=product,
        name=name,
        product_uom_qty=t.rng.choice(_QUANTITIES),
        price_unit=price,
        customer_lead=0.0,
        state="draft",
        order_partner_id=partner,
    )
    taxes = t.rows("SELECT tax_id FROM product_taxes_rel WHERE prod_id = %s ORDER BY 1", template)
    t.relink(
        "account_tax_sale_order_line_rel",
        ("sale_order_line_id", line),
        "account_tax_id",
        [row[0] for row in taxes],
    )
    _compute_line(t, line)


def _insert_section(t: Transaction, order: int, partner: int) -> None:
    line = t.create(
        "sale_order_line",
        order_id=order,
        sequence=1,
        name="Options",
        display_type="line_section",
        product_uom_qty=Decimal(0),
        price_unit=Decimal(0),
        customer_lead=0.0,
        state="draft",
        order_partner_id=partner,
    )
    _compute_line(t, line)


def _compute_line(t: Transaction, line: int) -> None:
    ((quantity, price),) = t.rows(
        "SELECT product_uom_qty, price_unit FROM sale_order_line WHERE id = %s", line
    )
    percents = t.rows(
        "SELECT x.amount FROM account_tax_sale_order_line_rel r"
        " JOIN account_tax x ON x.id = r.account_tax_id"
        " WHERE r.sale_order_line_id = %s ORDER BY x.id",
        line,
    )
    amounts = computes.line_amounts(quantity, price, [row[0] for row in percents])
    t.write(
        "sale_order_line",
        line,
        price_subtotal=amounts.untaxed,
        price_tax=amounts.tax,
        price_total=amounts.total,
    )


def _compute(t: Transaction, order: int, **values: bool) -> None:
    lines = t.rows(
        "SELECT price_subtotal, price_tax, price_total FROM sale_order_line"
        " WHERE order_id = %s ORDER BY id",
        order,
    )
    total = computes.order_amounts([computes.Amounts(*line) for line in lines])
    t.write(
        "sale_order",
        order,
        amount_untaxed=total.untaxed,
        amount_tax=computes.money(total.tax),
        amount_total=total.total,
        **values,
    )
