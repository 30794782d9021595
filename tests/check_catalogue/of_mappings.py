"""What `check` says of `fields` and `map`, as texts and against the models of a database."""

from __future__ import annotations

from typing import Final

from tests.check_catalogue.rows import Case, Room, rows


def _mapping(written: str) -> Case:
    return Case("routes", written, without="fields")


def _value(written: str, **more: str) -> Case:
    return Case("routes", f"map: {{x: {written}}}", without="fields", words=more.get("words", ""))


_PARENTS: Final = ".".join(["partner_id", *["parent_id"] * 12, "name"])

WRITTEN: Final = (
    Case("routes", without="fields"),
    Case("routes", "map: {name: name}"),
    _mapping("fields: name"),
    _mapping("fields: [name, name]"),
    _mapping("fields: [{path: name}]"),
    _mapping("fields: [5]"),
    _mapping('fields: ["partner id"]'),
    _mapping("map: [name]"),
    _mapping("map: {5: name}"),
    _value("5"),
    _value("{pth: name}"),
    _value("{}"),
    _value("{path: name, value: 5}"),
    _value("{path: state, tabel: {draft: new}}"),
    _value("{path: state, something: 1}"),
    _value("{path: state, follow: sometimes}"),
    _value("{path: name, lang: French}"),
    _value("{path: name, company: 0}"),
    _value("{path: state, else: other}"),
    _value("{path: state, table: draft}"),
    _value('{path: name, lang: "*", table: {draft: new}}'),
    _value("{path: name, mask: last}"),
    _value("{path: name, mask: secret}"),
    _value("{path: name, mask: redact, table: {draft: new}}"),
    _value('{path: name, lang: "*", mask: redact}'),
    _value("{path: name, mask: hmac}"),
    Case(
        "",
        "source: {name: odoo_a, dsn: postgresql:///odoo, mask_key: short}\n"
        "routes: [{name: a, model: sale.order, targets: [webshop],"
        " map: {x: {path: name, mask: hmac}}}]\n",
        words="`{path: name, mask: hmac}` and `mask_key: short`",
    ),
    _value("{value: 1e999}"),
    _value("{each: order_line}"),
    _value('{each: order_line, domain: [["name", "==", "x"]], map: {a: name}}'),
    _value("{match: {name: {ref: partner_id}}}"),
    _value("{match: {name: {path: name, mask: redact}}}"),
    _value("{match: {name: {value: x}}}"),
)
HELD: Final = (
    _mapping("fields: [nam]"),
    _mapping("fields: [something_else]"),
    _mapping("fields: [state.name]"),
    _mapping("fields: [x_margin]"),
    _mapping("fields: [x_total]"),
    _value("{each: x_invoice_ids, map: {a: name}}"),
    _value("{each: x_note_ids, map: {a: name}}"),
    _mapping("fields: [x_line_ids]"),
    _mapping("fields: [partner_id.property_payment_term_id.x_partner_ids.name]"),
    _mapping("fields: [partner_id.x_account]"),
    _mapping(f"fields: [{_PARENTS}]"),
    _value("{path: name, lang: fr_FR}"),
    _value("{path: name, company: 2}"),
    _value("{path: partner_id.property_payment_term_id.name, company: 2}"),
    _value("{path: x_scan, mask: redact}"),
    _value("{path: partner_id, mask: redact}"),
    _value("{path: partner_id, table: {1: a}}"),
    _value("{path: x_extra, table: {1: a}}"),
    _value("{path: locked, table: {maybe: a}}"),
    _value("{ref: name}"),
    _value("{match: {name: state.name}}"),
    _value("{each: partner_id, map: {a: name}}"),
    _value("{each: order_lin, map: {a: name}}"),
    _value('{each: order_line, domain: [["nam", "=", "x"]], map: {a: name}}'),
)
_ODOO: Final = (
    "source: {name: odoo_a, dsn: postgresql:///odoo,"
    ' odoo: {url: "http://odoo.example:8069", database: d, user: u, api_key: k}}\n'
    "routes: [{name: a, model: sale.order, targets: [webshop], "
)


def _asked(written: str) -> Case:
    return Case("", f"{_ODOO}{written}}}]\n", words=f"`{written}`")


LIVE: Final = (
    _asked("fields: [x_margin]"),
    _asked("fields: [order_line.order_id.x_margin]"),
    _asked("map: {x: {path: x_margin, mask: redact}}"),
    _asked("map: {x: {match: {margin: x_margin}}}"),
    _asked("fields: [partner_id.x_debt]"),
)
DEFAULTS: Final = (
    Case("routes", "fields: [partner_id.trust]"),
    Case(
        "",
        "source: {name: odoo_a, dsn: postgresql:///odoo, company_defaults:"
        " {res.partner.credit_limit: {1: 5.0}}}\n"
        "routes: [{name: a, model: res.partner, targets: [webshop], fields: [credit_limit]}]\n",
        words="`company_defaults: {res.partner.credit_limit: {1: 5.0}}` and"
        " `fields: [credit_limit]`",
    ),
    Case(
        "",
        "source: {name: odoo_a, dsn: postgresql:///odoo, company_defaults:"
        " {res.partner.property_payment_term_id: 7}}\n"
        "routes: [{name: a, model: sale.order, targets: [webshop],"
        " fields: [partner_id.property_payment_term_id.name]}]\n",
        words="`company_defaults: {res.partner.property_payment_term_id: 7}` and"
        " `fields: [partner_id.property_payment_term_id.name]`",
    ),
)


def rooms() -> list[Room]:
    """Return what is said of mappings."""
    return [
        Room("`fields` and `map`, as they are written", "", rows(WRITTEN)),
        Room(
            "`fields` and `map`, against the database",
            "Of `sale.order` of Odoo 18. `x_margin` and `x_invoice_ids` are computed, `x_total` is"
            " generated by the database, `x_extra` is JSON, `x_scan` a file in a column,"
            " `x_account` a reference that depends on the company, `x_line_ids` a many2many"
            " through the lines' own table, `x_note_ids` is found by a field without a column,"
            " and `x_partner_ids` by one that depends on the company.",
            rows(HELD),
        ),
        Room("Values that Odoo is asked for", "With `source.odoo`.", rows(LIVE)),
        Room(
            "Defaults of companies",
            "`ir_default` says `normal` of `res.partner.trust`.",
            rows(DEFAULTS),
        ),
    ]
