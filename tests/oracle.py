"""What every target must hold, as plain SQL: nothing here knows how documents are made.

Routes stand as they are written in `sync.yaml`, and beside each the query that answers, for the
moment it runs at, with the id and the `fields` of every record that matches. The columns are
those that Odoo 18 has and our own Odoo-shaped database too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, LiteralString, Self

import psycopg

Fields = dict[str, Any]
Held = dict[str, dict[int, Fields]]  # by route, by record id

NUMBERS: Final = frozenset({"amount_total", "list_price", "price_unit", "product_qty", "qty"})
"""Names whose values are equal when the numbers are: 100.0 and 100.00 make no update."""

_SETTINGS: Final = "-c timezone=UTC -c datestyle=ISO,YMD -c extra_float_digits=1"


@dataclass(frozen=True, slots=True)
class Question:
    """A route and the SQL that answers for it; `%(source)s` is the source's name."""

    route: str
    targets: tuple[str, ...]
    yaml: str
    sql: LiteralString


PRODUCTS: Final = Question(
    "products",
    ("shop",),
    """
    model: product.template
    domain: [["sale_ok", "=", true], ["active", "=", true]]
    map:
      key: key
      name: name
      name_fr: {path: name, lang: fr_FR}
      descriptions: {path: description_sale, lang: "*"}
      list_price: list_price
      code: {path: default_code, default: "-"}
      category: categ_id.complete_name
      taxes: taxes_id.name
      variants:
        each: product_variant_ids
        map: {key: key, code: default_code, barcode: barcode, active: active, name: name}
    """,
    """
    SELECT t.id, jsonb_build_object(
        'key', %(source)s || '.product_template_' || t.id,
        'name', t.name->>'en_US',
        'name_fr', coalesce(t.name->>'fr_FR', t.name->>'en_US'),
        'descriptions', t.description_sale,
        'list_price', t.list_price::text,
        'code', coalesce(nullif(t.default_code, ''), '-'),
        'category', c.complete_name,
        'taxes', (SELECT coalesce(jsonb_agg(x.name->>'en_US' ORDER BY x.id), '[]')
                  FROM product_taxes_rel r JOIN account_tax x ON x.id = r.tax_id
                  WHERE r.prod_id = t.id),
        'variants', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                         'key', %(source)s || '.product_product_' || v.id,
                         'code', v.default_code,
                         'barcode', v.barcode,
                         'active', coalesce(v.active, false),
                         'name', t.name->>'en_US') ORDER BY v.id), '[]')
                     FROM product_product v WHERE v.product_tmpl_id = t.id))
    FROM product_template t LEFT JOIN product_category c ON c.id = t.categ_id
    WHERE t.sale_ok AND t.active
    """,
)

ORDERS: Final = Question(
    "orders",
    ("shop",),
    """
    model: sale.order
    domain: [["state", "!=", "cancel"]]
    on_leave: delete
    map:
      name: name
      state: state
      status: {path: state, table: {draft: open, sent: open, sale: sold}, else: other}
      locked: locked
      date_order: date_order
      validity_date: validity_date
      amount_total: amount_total
      currency: currency_id.name
      partner: {ref: partner_id}
      partner_id: partner_id
      partner_name: partner_id.name
      country: partner_id.country_id.code
      country_fr: {path: partner_id.country_id.name, lang: fr_FR}
      lines:
        each: order_line
        map:
          key: key
          sequence: sequence
          product: product_id.default_code
          product_name: product_id.name
          name: name
          qty: product_uom_qty
          price_unit: price_unit
          price_tax: price_tax
          taxes: tax_id.name
          display_type: display_type
    """,
    """
    SELECT o.id, jsonb_build_object(
        'name', o.name,
        'state', o.state,
        'status', CASE WHEN o.state IN ('draft', 'sent') THEN 'open'
                       WHEN o.state = 'sale' THEN 'sold' ELSE 'other' END,
        'locked', coalesce(o.locked, false),
        'date_order', replace(o.date_order::text, ' ', 'T') || 'Z',
        'validity_date', o.validity_date::text,
        'amount_total', o.amount_total::text,
        'currency', m.name,
        'partner', jsonb_build_object(
            'key', %(source)s || '.res_partner_' || p.id,
            'external_id', coalesce((SELECT d.module || '.' || d.name FROM ir_model_data d
                                     WHERE d.model = 'res.partner' AND d.res_id = p.id
                                     ORDER BY d.id LIMIT 1),
                                    %(source)s || '.res_partner_' || p.id)),
        'partner_id', p.id,
        'partner_name', p.name,
        'country', c.code,
        'country_fr', coalesce(c.name->>'fr_FR', c.name->>'en_US'),
        'lines', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'key', %(source)s || '.sale_order_line_' || l.id,
                'sequence', l.sequence,
                'product', v.default_code,
                'product_name', t.name->>'en_US',
                'name', l.name,
                'qty', l.product_uom_qty::text,
                'price_unit', l.price_unit::text,
                'price_tax', l.price_tax,
                'taxes', (SELECT coalesce(jsonb_agg(x.name->>'en_US' ORDER BY x.id), '[]')
                          FROM account_tax_sale_order_line_rel r
                          JOIN account_tax x ON x.id = r.account_tax_id
                          WHERE r.sale_order_line_id = l.id),
                'display_type', l.display_type) ORDER BY l.sequence, l.id), '[]')
            FROM sale_order_line l
            LEFT JOIN product_product v ON v.id = l.product_id
            LEFT JOIN product_template t ON t.id = v.product_tmpl_id
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
    ("shop", "erp"),
    """
    model: res.partner
    domain: ["&", ["active", "=", true], "|", ["is_company", "=", true], ["parent_id", "=", false]]
    fields: [name, complete_name, email, ref, is_company, active, type, create_date,
             country_id.code, category_id.name, parent_id.name, external_id]
    """,
    """
    SELECT p.id, jsonb_build_object(
        'name', p.name,
        'complete_name', p.complete_name,
        'email', p.email,
        'ref', p.ref,
        'is_company', coalesce(p.is_company, false),
        'active', coalesce(p.active, false),
        'type', p.type,
        'create_date', replace(p.create_date::text, ' ', 'T') || 'Z',
        'country_id.code', c.code,
        'category_id.name', (SELECT coalesce(jsonb_agg(g.name->>'en_US' ORDER BY g.id), '[]')
                             FROM res_partner_res_partner_category_rel r
                             JOIN res_partner_category g ON g.id = r.category_id
                             WHERE r.partner_id = p.id),
        'parent_id.name', o.name,
        'external_id', coalesce((SELECT d.module || '.' || d.name FROM ir_model_data d
                                 WHERE d.model = 'res.partner' AND d.res_id = p.id
                                 ORDER BY d.id LIMIT 1),
                                %(source)s || '.res_partner_' || p.id))
    FROM res_partner p
    LEFT JOIN res_country c ON c.id = p.country_id
    LEFT JOIN res_partner o ON o.id = p.parent_id
    WHERE p.active AND (p.is_company OR p.parent_id IS NULL)
    """,
)

PURCHASES: Final = Question(
    "sale-to-purchase",
    ("erp",),
    """
    model: sale.order
    domain: [["state", "in", ["sale", "done"]]]
    target_model: purchase.order
    map:
      partner_ref: name
      partner_id: {value: {external_id: base.main_partner}}
      date_order: date_order
      order_line:
        each: order_line
        domain: [["display_type", "=", false], ["product_id.default_code", "!=", false]]
        map:
          key: key
          product_id: {match: {default_code: product_id.default_code}}
          product_qty: product_uom_qty
          price_unit: price_unit
          name: name
    """,
    """
    SELECT o.id, jsonb_build_object(
        'partner_ref', o.name,
        'partner_id', '{"external_id": "base.main_partner"}'::jsonb,
        'date_order', replace(o.date_order::text, ' ', 'T') || 'Z',
        'order_line', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'key', %(source)s || '.sale_order_line_' || l.id,
                'product_id', jsonb_build_object('match',
                    jsonb_build_object('default_code', v.default_code)),
                'product_qty', l.product_uom_qty::text,
                'price_unit', l.price_unit::text,
                'name', l.name) ORDER BY l.sequence, l.id), '[]')
            FROM sale_order_line l JOIN product_product v ON v.id = l.product_id
            WHERE l.order_id = o.id AND l.display_type IS NULL AND v.default_code <> ''))
    FROM sale_order o
    WHERE o.state IN ('sale', 'done')
    """,
)

QUESTIONS: Final = (PRODUCTS, ORDERS, PARTNERS, PURCHASES)


def routes_yaml(questions: Iterable[Question] = QUESTIONS) -> str:
    """Return the `routes:` section of these questions."""
    lines = ["routes:"]
    for question in questions:
        body = question.yaml.strip("\n").rstrip()
        lines += [f"  - name: {question.route}", f"    targets: [{', '.join(question.targets)}]"]
        lines += body.splitlines()
    return "\n".join(lines) + "\n"


def per_target(answers: Mapping[str, dict[int, Fields]]) -> dict[tuple[str, str], Any]:
    """Return what each target must hold, by (target, route)."""
    return {
        (target, question.route): answers[question.route]
        for question in QUESTIONS
        if question.route in answers
        for target in question.targets
    }


class Oracle:
    """Asks the database; all answers are of one moment."""

    def __init__(self, dsn: str, source: str) -> None:
        self._source = source
        self._connection = psycopg.connect(dsn, options=_SETTINGS)
        self._connection.read_only = True
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def ask(self, questions: Iterable[Question] = QUESTIONS) -> Held:
        """Return the fields of every matching record."""
        with self._connection.transaction():
            return {question.route: self._answer(question) for question in questions}

    def _answer(self, question: Question) -> dict[int, Fields]:
        rows = self._connection.execute(question.sql, {"source": self._source})
        return dict(rows.fetchall())
