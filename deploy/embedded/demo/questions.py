"""What the demo sends, and the same in SQL that knows nothing of how documents are made.

Beside each route of sync.yaml stands the query that answers, for the moment it runs at, with the
key and the fields of every record that the webshop must hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, LiteralString, NamedTuple

import psycopg

SOURCE: Final = "demo"
TARGET: Final = "webshop"

NUMBERS: Final = frozenset({"price", "total", "quantity"})
"""Names of fields that are equal when their numbers are: 100.0 and 100.00 make no update."""

SETTINGS: Final = "-c timezone=UTC -c datestyle=ISO,YMD -c extra_float_digits=1"
"""Of a connection whose answers are compared."""

Fields = dict[str, Any]
Held = Mapping[str, Mapping[str, Fields]]
"""Route -> key of a record -> its fields."""


@dataclass(frozen=True, slots=True)
class Question:
    """A route and the SQL that answers for it with rows of (key, fields)."""

    route: str
    yaml: str
    sql: LiteralString


PRODUCTS: Final = Question(
    "products",
    """
    model: product.template
    domain: [["sale_ok", "=", true], ["active", "=", true]]
    map:
      name: name
      name_fr: {path: name, lang: fr_FR}
      price: list_price
      code: {path: default_code, default: "-"}
      category: categ_id.complete_name
      taxes: taxes_id.name
      variants:
        each: product_variant_ids
        map: {key: key, code: default_code, barcode: barcode, active: active}
    """,
    """
    SELECT 'demo.product_template_' || t.id, jsonb_build_object(
        'name', t.name->>'en_US',
        'name_fr', coalesce(t.name->>'fr_FR', t.name->>'en_US'),
        'price', t.list_price::text,
        'code', coalesce(nullif(t.default_code, ''), '-'),
        'category', c.complete_name,
        'taxes', (SELECT coalesce(jsonb_agg(x.name->>'en_US' ORDER BY x.id), '[]')
                  FROM product_taxes_rel r JOIN account_tax x ON x.id = r.tax_id
                  WHERE r.prod_id = t.id),
        'variants', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'key', 'demo.product_product_' || v.id,
                         'code', v.default_code,
                         'barcode', v.barcode,
                         'active', coalesce(v.active, false)) ORDER BY v.id), '[]')
                     FROM product_product v WHERE v.product_tmpl_id = t.id))
    FROM product_template t LEFT JOIN product_category c ON c.id = t.categ_id
    WHERE t.sale_ok AND t.active
    """,
)

ORDERS: Final = Question(
    "orders",
    """
    model: sale.order
    domain: [["state", "!=", "cancel"]]
    on_leave: delete
    map:
      number: name
      status: {path: state, table: {draft: open, sent: open, sale: sold}, else: other}
      ordered: date_order
      total: amount_total
      currency: currency_id.name
      customer: partner_id.name
      country: partner_id.country_id.code
      tags: tag_ids.name
      lines:
        each: order_line
        map:
          sequence: sequence
          product: product_id.default_code
          text: name
          quantity: product_uom_qty
          price: price_unit
          tax: price_tax
          taxes: tax_id.name
    """,
    """
    SELECT 'demo.sale_order_' || o.id, jsonb_build_object(
        'number', o.name,
        'status', CASE WHEN o.state IN ('draft', 'sent') THEN 'open'
                       WHEN o.state = 'sale' THEN 'sold' ELSE 'other' END,
        'ordered', replace(o.date_order::text, ' ', 'T') || 'Z',
        'total', o.amount_total::text,
        'currency', m.name,
        'customer', p.name,
        'country', c.code,
        'tags', (SELECT coalesce(jsonb_agg(g.name->>'en_US' ORDER BY g.id), '[]')
                 FROM sale_order_tag_rel r JOIN crm_tag g ON g.id = r.tag_id
                 WHERE r.order_id = o.id),
        'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'sequence', l.sequence,
                'product', v.default_code,
                'text', l.name,
                'quantity', l.product_uom_qty::text,
                'price', l.price_unit::text,
                'tax', l.price_tax,
                'taxes', (SELECT coalesce(jsonb_agg(x.name->>'en_US' ORDER BY x.id), '[]')
                          FROM account_tax_sale_order_line_rel r
                          JOIN account_tax x ON x.id = r.account_tax_id
                          WHERE r.sale_order_line_id = l.id)) ORDER BY l.sequence, l.id), '[]')
            FROM sale_order_line l LEFT JOIN product_product v ON v.id = l.product_id
            WHERE l.order_id = o.id))
    FROM sale_order o
    JOIN res_partner p ON p.id = o.partner_id
    LEFT JOIN res_country c ON c.id = p.country_id
    LEFT JOIN res_currency m ON m.id = o.currency_id
    WHERE o.state IS DISTINCT FROM 'cancel'
    """,
)

PARTNERS: Final = Question(
    "partners",
    """
    model: res.partner
    domain: ["&", ["active", "=", true], "|", ["is_company", "=", true], ["parent_id", "=", false]]
    fields: [name, complete_name, email, ref, country_id.name, category_id.name, external_id]
    """,
    """
    SELECT 'demo.res_partner_' || p.id, jsonb_build_object(
        'name', p.name,
        'complete_name', p.complete_name,
        'email', p.email,
        'ref', p.ref,
        'country_id.name', c.name->>'en_US',
        'category_id.name', (SELECT coalesce(jsonb_agg(g.name->>'en_US' ORDER BY g.id), '[]')
                             FROM res_partner_res_partner_category_rel r
                             JOIN res_partner_category g ON g.id = r.category_id
                             WHERE r.partner_id = p.id),
        'external_id', coalesce((SELECT d.module || '.' || d.name FROM ir_model_data d
                                 WHERE d.model = 'res.partner' AND d.res_id = p.id
                                 ORDER BY d.id LIMIT 1), 'demo.res_partner_' || p.id))
    FROM res_partner p LEFT JOIN res_country c ON c.id = p.country_id
    WHERE p.active AND (p.is_company OR p.parent_id IS NULL)
    """,
)

QUESTIONS: Final = (PRODUCTS, ORDERS, PARTNERS)


class Comparison(NamedTuple):
    """Keys with their route before them: `orders demo.sale_order_7`, sorted.

    `left` are records that the webshop holds and should not: their end was lost.
    """

    records: int
    missing: list[str]
    left: list[str]
    different: list[str]

    @property
    def lost(self) -> int:
        """How many records' latest word never came."""
        return len(self.missing) + len(self.left)


def ask(dsn: str) -> dict[str, dict[str, Fields]]:
    """Return what the webshop must hold, all of one moment."""
    with psycopg.connect(dsn, options=SETTINGS) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return {one.route: dict(connection.execute(one.sql).fetchall()) for one in QUESTIONS}


def compare(expected: Held, held: Held) -> Comparison:
    """Compare field by field."""
    wanted = dict(_flat(expected))
    found = dict(_flat(held))
    both = wanted.keys() & found.keys()
    return Comparison(
        len(wanted),
        sorted(wanted.keys() - found.keys()),
        sorted(found.keys() - wanted.keys()),
        sorted(key for key in both if _plain(wanted[key]) != _plain(found[key])),
    )


def _flat(held: Held) -> Iterator[tuple[str, Fields]]:
    for route, records in held.items():
        for key, fields in records.items():
            yield f"{route} {key}", fields


def _plain(value: Any, name: str = "") -> Any:
    """Bring numbers that are written as text to one form."""
    match value:
        case dict():
            return {key: _plain(inside, key) for key, inside in value.items()}
        case list():
            return [_plain(inside) for inside in value]
        case str() if name in NUMBERS:
            try:
                return Decimal(value)
            except InvalidOperation:
                return value
        case _:
            return value
