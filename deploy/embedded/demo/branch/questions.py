"""What the branch must have, and what it has: asked of both databases, without a word of ours.

Keys are the first Odoo's; the branch's keeps them as external ids. Its rows say besides whether
they are over, archived or cancelled: what is not in the first Odoo may stay there so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from embedded.demo.questions import SETTINGS, Comparison, Fields, compare

TABLES: Final[Mapping[str, LiteralString]] = {
    "product_template": "product.template",
    "product_product": "product.product",
    "res_partner": "res.partner",
    "purchase_order": "purchase.order",
    "purchase_order_line": "purchase.order.line",
}
"""Where nothing may be that has no key: the model of each."""


@dataclass(frozen=True, slots=True)
class Question:
    """SQL for the first database with rows of (key, fields); for the branch's, with `over` too."""

    kind: str
    first: LiteralString
    branch: LiteralString


PRODUCTS: Final = Question(
    "products",
    """
    SELECT 'demo.product_template_' || t.id, jsonb_build_object(
        'name', t.name->>'en_US',
        'name_fr', coalesce(t.name->>'fr_FR', t.name->>'en_US'),
        'price', t.list_price::text,
        'code', nullif(t.default_code, ''),
        'sold', coalesce(t.sale_ok, false),
        'active', coalesce(t.active, false))
    FROM product_template t JOIN product_category c ON c.id = t.categ_id
    WHERE c.name = 'Office'
    """,
    """
    SELECT 'demo.' || d.name, jsonb_build_object(
        'name', t.name->>'en_US',
        'name_fr', coalesce(t.name->>'fr_FR', t.name->>'en_US'),
        'price', t.list_price::text,
        'code', nullif(t.default_code, ''),
        'sold', coalesce(t.sale_ok, false),
        'active', coalesce(t.active, false)), NOT coalesce(t.active, false)
    FROM product_template t
    JOIN ir_model_data d ON d.model = 'product.template' AND d.res_id = t.id AND d.module = 'demo'
    """,
)

VARIANTS: Final = Question(
    "variants",
    """
    SELECT 'demo.product_product_' || p.id, jsonb_build_object(
        'product', 'demo.product_template_' || t.id,
        'code', nullif(p.default_code, ''),
        'values', (SELECT coalesce(jsonb_agg(v.name->>'en_US' ORDER BY v.name->>'en_US'), '[]')
                   FROM product_variant_combination x
                   JOIN product_template_attribute_value a
                     ON a.id = x.product_template_attribute_value_id
                   JOIN product_attribute_value v ON v.id = a.product_attribute_value_id
                   WHERE x.product_product_id = p.id))
    FROM product_product p
    JOIN product_template t ON t.id = p.product_tmpl_id
    JOIN product_category c ON c.id = t.categ_id
    WHERE c.name = 'Office'
    """,
    """
    SELECT 'demo.' || d.name, jsonb_build_object(
        'product', 'demo.' || td.name,
        'code', nullif(p.default_code, ''),
        'values', (SELECT coalesce(jsonb_agg(v.name->>'en_US' ORDER BY v.name->>'en_US'), '[]')
                   FROM product_variant_combination x
                   JOIN product_template_attribute_value a
                     ON a.id = x.product_template_attribute_value_id
                   JOIN product_attribute_value v ON v.id = a.product_attribute_value_id
                   WHERE x.product_product_id = p.id)), NOT coalesce(p.active, false)
    FROM product_product p
    JOIN ir_model_data d ON d.model = 'product.product' AND d.res_id = p.id AND d.module = 'demo'
    LEFT JOIN ir_model_data td ON td.model = 'product.template' AND td.res_id = p.product_tmpl_id
      AND td.module = 'demo'
    """,
)

PARTNERS: Final = Question(
    "partners",
    """
    SELECT 'demo.res_partner_' || p.id, jsonb_build_object(
        'name', p.name,
        'email', nullif(p.email, ''),
        'ref', nullif(p.ref, ''),
        'company', coalesce(p.is_company, false),
        'country', c.code,
        'active', coalesce(p.active, false))
    FROM res_partner p LEFT JOIN res_country c ON c.id = p.country_id
    WHERE p.id = 1 OR EXISTS (
        SELECT FROM sale_order o
        JOIN sale_order_line l ON l.order_id = o.id
        JOIN product_product v ON v.id = l.product_id
        JOIN product_template t ON t.id = v.product_tmpl_id
        JOIN product_category g ON g.id = t.categ_id
        WHERE o.partner_id = p.id AND o.state = 'sale' AND g.name = 'Office')
    """,
    """
    SELECT 'demo.' || d.name, jsonb_build_object(
        'name', p.name,
        'email', nullif(p.email, ''),
        'ref', nullif(p.ref, ''),
        'company', coalesce(p.is_company, false),
        'country', c.code,
        'active', coalesce(p.active, false)), NOT coalesce(p.active, false)
    FROM res_partner p
    JOIN ir_model_data d ON d.model = 'res.partner' AND d.res_id = p.id AND d.module = 'demo'
    LEFT JOIN res_country c ON c.id = p.country_id
    """,
)

PURCHASES: Final = Question(
    "purchase_orders",
    """
    SELECT 'demo.sale_order_' || o.id, jsonb_build_object(
        'state', 'purchase',
        'number', o.name,
        'vendor', 'demo.res_partner_' || y.partner_id,
        'customer', 'demo.res_partner_' || o.partner_shipping_id,
        'ordered', o.date_order::text,
        'lines', jsonb_agg(jsonb_build_object(
            'key', 'demo.sale_order_line_' || l.id,
            'product', 'demo.product_product_' || l.product_id,
            'text', l.name,
            'quantity', l.product_uom_qty::text,
            'price', l.price_unit::text) ORDER BY l.sequence, l.id))
    FROM sale_order o
    JOIN res_company y ON y.id = o.company_id
    JOIN sale_order_line l ON l.order_id = o.id
    JOIN product_product v ON v.id = l.product_id
    JOIN product_template t ON t.id = v.product_tmpl_id
    JOIN product_category c ON c.id = t.categ_id
    WHERE o.state = 'sale' AND c.name = 'Office'
    GROUP BY o.id, y.id
    """,
    """
    SELECT 'demo.' || d.name, jsonb_build_object(
        'state', o.state,
        'number', o.partner_ref,
        'vendor', 'demo.' || vd.name,
        'customer', 'demo.' || cd.name,
        'ordered', o.date_order::text,
        'lines', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                'key', 'demo.' || ld.name,
                'product', 'demo.' || pd.name,
                'text', l.name,
                'quantity', l.product_qty::text,
                'price', l.price_unit::text) ORDER BY l.sequence, l.id), '[]')
            FROM purchase_order_line l
            LEFT JOIN ir_model_data ld ON ld.model = 'purchase.order.line' AND ld.res_id = l.id
              AND ld.module = 'demo'
            LEFT JOIN ir_model_data pd ON pd.model = 'product.product' AND pd.res_id = l.product_id
              AND pd.module = 'demo'
            WHERE l.order_id = o.id)), o.state = 'cancel'
    FROM purchase_order o
    JOIN ir_model_data d ON d.model = 'purchase.order' AND d.res_id = o.id AND d.module = 'demo'
    LEFT JOIN ir_model_data vd ON vd.model = 'res.partner' AND vd.res_id = o.partner_id
      AND vd.module = 'demo'
    LEFT JOIN ir_model_data cd ON cd.model = 'res.partner' AND cd.res_id = o.dest_address_id
      AND cd.module = 'demo'
    """,
)

QUESTIONS: Final = (PRODUCTS, VARIANTS, PARTNERS, PURCHASES)

Wanted = dict[str, dict[str, Fields]]
"""Kind -> key -> fields."""


class Held(NamedTuple):
    """A record of the branch's."""

    fields: Fields
    over: bool


class Difference(NamedTuple):
    """The branch against the first Odoo.

    `double` are records of the branch that nobody knows: `res_partner 7`, sorted. `ended` are
    purchase orders that were cancelled there.
    """

    comparison: Comparison
    double: list[str]
    counts: dict[str, int]
    ended: int


def highest(dsn: str) -> dict[str, int]:
    """Return the highest id of each table that is looked at."""
    query = "SELECT coalesce(max(id), 0) FROM {}"
    with psycopg.connect(dsn) as branch:
        found = {}
        for table in TABLES:
            row = branch.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()
            found[table] = int(row[0]) if row else 0
        return found


def ask(dsn: str, branch_dsn: str, before: Mapping[str, int]) -> Difference:
    """Ask both; `before` are the highest ids of what the branch had at first."""
    with psycopg.connect(dsn, options=SETTINGS) as first:
        first.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        wanted: Wanted = {one.kind: dict(first.execute(one.first).fetchall()) for one in QUESTIONS}
    with psycopg.connect(branch_dsn, options=SETTINGS) as branch:
        branch.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        held = {
            one.kind: {key: Held(fields, over) for key, fields, over in branch.execute(one.branch)}
            for one in QUESTIONS
        }
        double = [
            f"{table} {number}"
            for table, model in TABLES.items()
            for number in _nameless(branch, table, model, before[table])
        ]
    return judge(wanted, held, double)


def judge(wanted: Wanted, held: Mapping[str, Mapping[str, Held]], double: list[str]) -> Difference:
    """Compare record by record; what is over may stay where it is not wanted."""
    found = {
        kind: {
            key: one.fields
            for key, one in records.items()
            if not one.over or key in wanted.get(kind, {})
        }
        for kind, records in held.items()
    }
    orders = PURCHASES.kind
    counts = {kind: len(records) for kind, records in wanted.items()}
    lines = sum(len(fields["lines"]) for fields in wanted.get(orders, {}).values())
    return Difference(
        compare(wanted, found),
        double,
        counts | {"purchase_order_lines": lines},
        sum(one.over for one in held.get(orders, {}).values()),
    )


def _nameless(branch: psycopg.Connection, table: str, model: str, before: int) -> list[int]:
    """Return what was made since and bears no key."""
    query = sql.SQL(
        "SELECT x.id FROM {} x WHERE x.id > %s AND NOT EXISTS (SELECT FROM ir_model_data d"
        " WHERE d.module = 'demo' AND d.model = %s AND d.res_id = x.id) ORDER BY x.id"
    ).format(sql.Identifier(table))
    return [row[0] for row in branch.execute(query, [before, model])]
