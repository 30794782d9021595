"""Products: templates with their variants, prices, translations and taxes."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from embedded.odoo import computes, words
from embedded.odoo.transaction import Transaction

_UNUSED: Final = (
    "id > 4 AND NOT EXISTS (SELECT FROM product_product p WHERE p.product_tmpl_id ="
    " product_template.id AND (EXISTS (SELECT FROM sale_order_line l WHERE l.product_id = p.id)"
    " OR EXISTS (SELECT FROM purchase_order_line l WHERE l.product_id = p.id)))"
)


def create(t: Transaction) -> None:
    """Insert a template, then its variants, then update the template three times."""
    count = t.rng.choice((1, 1, 2, 3))
    template = t.create(
        "product_template",
        name=words.product(t.rng),
        type="consu",
        list_price=Decimal("1.0"),
        sale_ok=True,
        active=True,
        categ_id=t.rng.choice((1, 2, 4)),
    )
    code = f"N-{template:05d}"
    sizes = _sizes(t, template, count) if count > 1 else [0]
    for place, value in enumerate(sizes, 1):
        variant = t.create(
            "product_product",
            product_tmpl_id=template,
            active=True,
            combination_indices=str(value or ""),
        )
        if value:
            owner = ("product_product_id", variant)
            column = "product_template_attribute_value_id"
            t.relink("product_variant_combination", owner, column, [value])
        t.write("product_product", variant, default_code=code if count == 1 else f"{code}-{place}")
    t.write("product_template", template, list_price=_price(t), weight=Decimal("0.00"))
    t.relink("product_taxes_rel", ("prod_id", template), "tax_id", [1])
    t.write("product_template", template, default_code=code if count == 1 else None)
    t.write("product_template", template)
    t.post("product.template", template, "Product created")


def _sizes(t: Transaction, template: int, count: int) -> list[int]:
    """Give a template its line of sizes; return its values, one for each variant."""
    values = range(1, count + 1)
    line = t.create(
        "product_template_attribute_line",
        product_tmpl_id=template,
        attribute_id=1,
        sequence=10,
        active=True,
    )
    owner = ("product_template_attribute_line_id", line)
    table = "product_attribute_value_product_template_attribute_line_rel"
    t.relink(table, owner, "product_attribute_value_id", values)
    return [
        t.create(
            "product_template_attribute_value",
            product_tmpl_id=template,
            attribute_id=1,
            attribute_line_id=line,
            product_attribute_value_id=size,
            ptav_active=True,
        )
        for size in values
    ]


def change_price(t: Transaction) -> None:
    """Change a sales price."""
    t.write("product_template", t.some("product_template", "active"), list_price=_price(t))


def change_cost(t: Transaction) -> None:
    """Change a cost: a value of one company."""
    variant, cost = t.some("product_product"), t.rng.randrange(100, 9_000) / 100
    t.merge("product_product", variant, "standard_price", {"1": cost})


def translate(t: Transaction) -> None:
    """Write a name in one language, or a description that was not there."""
    template = t.some("product_template")
    if t.chance(0.7):
        language = t.rng.choice(("en_US", "fr_FR"))
        name = words.product(t.rng)
        text = name.get(language, name["en_US"])
        t.merge("product_template", template, "name", {language: text})
        # A template's name is its variants': Odoo touches them.
        t.write("product_product", _variants(t, template))
    elif t.chance(0.5):
        text = f"Batch {t.rng.randrange(1_000)}"
        t.merge("product_template", template, "description_sale", {"en_US": text})
    else:
        t.write("product_template", template, description_sale=None)


def change_taxes(t: Transaction) -> None:
    """Choose other taxes for a product."""
    template = t.some("product_template")
    taxes = sorted(t.rng.sample((1, 2), t.rng.randrange(3)))
    t.relink("product_taxes_rel", ("prod_id", template), "tax_id", taxes)
    t.write("product_template", template)


def archive(t: Transaction) -> None:
    """Archive a product and its variants, or take one back."""
    back = t.chance(0.4)
    template = t.some("product_template", "active <> %s", back)
    t.write("product_template", template, active=back)
    t.write("product_product", _variants(t, template), active=back)


def unlink(t: Transaction) -> None:
    """Delete a product that nobody has ordered; its variants go by foreign key."""
    t.unlink("product.template", [t.some("product_template", _UNUSED)])


def write_in_bulk(t: Transaction) -> None:
    """Raise the prices of as many products as a mass edit takes."""
    t.run(
        "UPDATE product_template SET list_price = round(list_price * %s, 2), write_date = %s"
        " WHERE id IN (SELECT id FROM product_template WHERE active ORDER BY id LIMIT %s)",
        t.rng.choice((Decimal("1.01"), Decimal("0.99"))),
        t.now,
        t.bulk,
    )


def _price(t: Transaction) -> Decimal:
    return computes.money(Decimal(t.rng.randrange(500, 90_000)) / 100)


def _variants(t: Transaction, template: int) -> list[int]:
    found = t.rows("SELECT id FROM product_product WHERE product_tmpl_id = %s", template)
    return sorted(row[0] for row in found)
