"""The first partners, products and orders."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from embedded.odoo import computes, words
from embedded.odoo.rows import ADMIN, SHOP_COMPANY, Rows, Values, jsonb, names

ARCHIVED: Final = (1, 2)  # product and place of a variant
SECTION: Final = 2  # the place of a line without product
STATES: Final = ("draft", "sent", "sale", "sale", "sale", "cancel")


def partner_row(made: Rows, name: str, **values: Any) -> int:
    number = len(made.tables.get("res_partner", [])) + 1
    parent = values.get("parent_id")
    above = made.row("res_partner", parent) if parent else None
    row: Values = {
        "name": name,
        "complete_name": computes.complete_name(name, above["name"] if above else None),
        "email": words.mail(name),
        "type": "contact",
        "active": True,
        "is_company": False,
        "commercial_partner_id": parent or number,
        "lang": "en_US",
        "color": 0,
        "customer_rank": 0,
        "supplier_rank": 0,
        "partner_latitude": Decimal("0.0"),
    } | values
    return made.add("res_partner", **row)


def partners(made: Rows) -> None:
    rng = made.rng
    while len(made.tables["res_partner"]) < made.size.partners:
        ref = f"C{rng.randrange(10_000):04d}"
        company = _customer(made, words.firm(rng), is_company=True, ref=ref)
        for _ in range(rng.choice((0, 0, 1, 2))):
            _customer(made, words.person(rng), parent_id=company, active=made.chance(0.9))
        if made.chance(0.3):
            _customer(made, words.person(rng), ref=rng.choice(("", None)))


def _customer(made: Rows, name: str, **values: Any) -> int:
    rng = made.rng
    number = partner_row(
        made,
        name,
        **{
            "country_id": rng.choice([None, *range(1, len(words.COUNTRIES) + 1)]),
            "customer_rank": rng.randrange(3),
            "user_id": rng.choice((None, 2, 3)),
            "comment": words.long_text(rng) if made.chance(0.05) else None,
            "credit_limit": rng.choice((None, jsonb({"1": 500.0}))),
            "trust": rng.choice((None, None, jsonb({"1": "good"}), jsonb({"1": "bad"}))),
            "property_payment_term_id": rng.choice((None, jsonb({"1": 2}))),
        }
        | values,
    )
    for tag in rng.sample(range(1, len(words.TAGS) + 1), rng.choice((0, 0, 1, 2))):
        made.link("res_partner_res_partner_category_rel", category_id=tag, partner_id=number)
    if made.chance(0.2):  # imported with an external id
        made.name("res.partner", number, f"import.partner_{number}")
    return number


def products(made: Rows) -> None:
    rng = made.rng
    size = made.add("product_attribute", name=names("Size", "Taille"), create_variant="always")
    for english, french in words.SIZES:
        made.add("product_attribute_value", name=names(english, french), attribute_id=size)
    for number in range(1, made.size.products + 1):
        variants = rng.choice((1, 1, 1, 2, 3)) if number > 1 else 2
        code = f"P-{number:04d}"
        template = made.add(
            "product_template",
            name=jsonb(words.product(rng)),
            description_sale=rng.choice((None, names("Sold by the piece.", "Vendu à la pièce."))),
            type=rng.choice(("consu", "consu", "service")),
            list_price=computes.money(rng.randrange(500, 90_000) / 100),
            weight=Decimal("0.00"),
            default_code=code if variants == 1 else None,
            sale_ok=made.chance(0.9),
            purchase_ok=True,
            active=True,
            categ_id=rng.choice((1, 2, 4)),
            responsible_id=rng.choice((None, jsonb({"1": 3}))),
        )
        sizes = _sizes(made, template, variants) if variants > 1 else [0]
        for place, value in enumerate(sizes, 1):
            variant = made.add(
                "product_product",
                product_tmpl_id=template,
                default_code=code if variants == 1 else f"{code}-{place}",
                barcode=f"40{template:06d}{place:04d}" if made.chance(0.5) else None,
                active=(number, place) != ARCHIVED,
                combination_indices=str(value or ""),
                standard_price=jsonb({"1": rng.randrange(100, 9_000) / 100}),
            )
            if value:
                link = {
                    "product_product_id": variant,
                    "product_template_attribute_value_id": value,
                }
                made.link("product_variant_combination", **link)
        for tax in rng.sample((1, 2), rng.choice((0, 1, 1, 2))):
            made.link("product_taxes_rel", prod_id=template, tax_id=tax)


def _sizes(made: Rows, template: int, count: int) -> list[int]:
    """Give a template its line of sizes; return its values, one for each variant."""
    owner: Values = {"product_tmpl_id": template, "attribute_id": 1}
    line = made.add("product_template_attribute_line", **owner, sequence=10, active=True)
    values = range(1, count + 1)
    for size in values:
        link = {"product_attribute_value_id": size, "product_template_attribute_line_id": line}
        made.link("product_attribute_value_product_template_attribute_line_rel", **link)
    return [
        made.add(
            "product_template_attribute_value",
            **owner,
            attribute_line_id=line,
            product_attribute_value_id=size,
            ptav_active=True,
        )
        for size in values
    ]


def orders(made: Rows) -> None:
    rng, customers = made.rng, range(6, len(made.tables["res_partner"]) + 1)
    for number in range(1, made.size.orders + 1):
        partner, state = rng.choice(customers), STATES[number % len(STATES)]
        order = made.add(
            "sale_order",
            name=f"S{number:05d}",
            state=state,
            partner_id=partner,
            partner_invoice_id=partner,
            partner_shipping_id=partner,
            date_order=made.clock.replace(microsecond=0),
            validity_date=(made.clock + timedelta(days=30)).date() if number % 2 else None,
            client_order_ref=rng.choice((None, "", f"PO{number}")),
            note=words.long_text(rng) if number % 25 == 0 else None,
            currency_id=1,
            company_id=SHOP_COMPANY,
            user_id=rng.choice((2, 3)),
            locked=state == "sale" and number % 4 == 0,
        )
        count = 0 if number == 1 else rng.choice((1, 2, 2, 3, 5))  # one has no lines
        amounts = [_line(made, made.row("sale_order", order), place) for place in range(count)]
        total = computes.order_amounts(amounts)
        made.row("sale_order", order).update(
            amount_untaxed=total.untaxed,
            amount_tax=computes.money(total.tax),
            amount_total=total.total,
        )
        for tag in rng.sample((1, 2, 3), rng.choice((0, 0, 1, 2))):
            made.link("sale_order_tag_rel", order_id=order, tag_id=tag)
        made.add(
            "mail_followers", log=False, res_model="sale.order", res_id=order, partner_id=partner
        )


def _line(made: Rows, order: Values, place: int) -> computes.Amounts:
    rng = made.rng
    common = {
        "order_id": order["id"],
        "sequence": 10 * (place + 1),
        "state": order["state"],
        "order_partner_id": order["partner_id"],
    }
    if place == SECTION:
        zero = Decimal(0)
        made.add(
            "sale_order_line",
            **common,
            name="Options",
            display_type="line_section",
            product_uom_qty=zero,
            price_unit=zero,
            customer_lead=0.0,
            price_subtotal=zero,
            price_tax=0.0,
            price_total=zero,
        )
        return computes.Amounts(zero, 0.0, zero)
    product = made.row(
        "product_product", rng.randrange(1, len(made.tables["product_product"]) + 1)
    )
    template = made.row("product_template", product["product_tmpl_id"])
    linked = [
        r["tax_id"] for r in made.tables["product_taxes_rel"] if r["prod_id"] == template["id"]
    ]
    quantity = Decimal(rng.choice(("1.0", "2.0", "5.0", "12.0")))
    percents = [made.row("account_tax", tax)["amount"] for tax in linked]
    amounts = computes.line_amounts(quantity, template["list_price"], percents)
    line = made.add(
        "sale_order_line",
        **common,
        product_id=product["id"],
        name=json.loads(template["name"])["en_US"],
        product_uom_qty=quantity,
        price_unit=template["list_price"],
        customer_lead=0.0,
        price_subtotal=amounts.untaxed,
        price_tax=amounts.tax,
        price_total=amounts.total,
        analytic_distribution=rng.choice((None, None, jsonb({"1": 100.0}))),
    )
    for tax in linked:
        made.link("account_tax_sale_order_line_rel", sale_order_line_id=line, account_tax_id=tax)
    return amounts


def purchases(made: Rows) -> None:
    states = ("draft", "purchase", "done", "cancel") if made.size.products else ()
    for number, state in enumerate(states, 1):
        order = made.add(
            "purchase_order",
            name=f"P{number:05d}",
            state=state,
            partner_id=6,
            date_order=made.clock,
            date_planned=made.clock + timedelta(days=7),
            amount_untaxed=Decimal("100.00"),
            amount_tax=Decimal("0.00"),
            amount_total=Decimal("100.00"),
            currency_id=1,
            company_id=SHOP_COMPANY,
            user_id=ADMIN,
        )
        made.add(
            "purchase_order_line",
            order_id=order,
            sequence=10,
            product_id=number,
            name=f"Part {number}",
            product_qty=Decimal("10.0"),
            price_unit=Decimal("10.0"),
            price_subtotal=Decimal("100.00"),
            price_tax=0.0,
            price_total=Decimal("100.00"),
            state=state,
            date_planned=made.clock + timedelta(days=7),
        )
