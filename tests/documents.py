"""Sale orders as events carry them, over a small piece of Odoo's models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.document import Read, Shape
from schemas.event import Document, Event, Mode
from schemas.fields import Field, Kind, Model, Models
from schemas.position import Lsn, Position
from schemas.shaping import build
from schemas.via import ManyToOne

_TYPES = {
    "char": Kind.TEXT,
    "selection": Kind.TEXT,
    "integer": Kind.INTEGER,
    "boolean": Kind.BOOLEAN,
    "float": Kind.FLOAT,
    "monetary": Kind.NUMERIC,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
    "json": Kind.JSON,
    "binary": Kind.BINARY,
}


def _plain(name: str, type_: str) -> Field:
    return Field(name, type_, _TYPES[type_], stored=True)


def _translated(name: str) -> Field:
    return Field(name, "char", Kind.TRANSLATED, stored=True, translated=True)


def _many2one(name: str, relation: str) -> Field:
    return Field(name, "many2one", relation=relation, stored=True)


def _model(name: str, *fields: Field) -> Model:
    return Model(name, name.replace(".", "_"), {field.name: field for field in fields})


_ORDER_LINES = Field(
    "order_line", "one2many", relation="sale.order.line", inverse="order_id", stored=True
)
_LINE_TAXES = Field(
    "tax_id",
    "many2many",
    relation="account.tax",
    table="line_tax_rel",
    column1="line_id",
    column2="tax_id",
    stored=True,
)
_ORDER_TAGS = Field(
    "tag_ids",
    "many2many",
    relation="crm.tag",
    table="order_tag_rel",
    column1="order_id",
    column2="tag_id",
    stored=True,
)

_PAYMENT_TERM = Field(
    "property_payment_term_id",
    "many2one",
    Kind.COMPANY,
    relation="account.payment.term",
    stored=True,
    company_dependent=True,
)

_COST = Field("standard_price", "float", Kind.COMPANY, stored=True, company_dependent=True)

MODELS = Models(
    {
        model.name: model
        for model in (
            _model(
                "sale.order",
                _plain("name", "char"),
                _plain("state", "selection"),
                _plain("locked", "boolean"),
                _plain("priority", "integer"),
                _plain("amount_total", "monetary"),
                _plain("rate", "float"),
                _plain("date_order", "datetime"),
                _plain("validity_date", "date"),
                _plain("analytic", "json"),
                _plain("signature", "binary"),
                _plain("write_date", "datetime"),
                Field("margin", "float", stored=False),
                Field("expected", "many2many", relation="res.partner"),
                _many2one("partner_id", "res.partner"),
                _many2one("user_id", "res.users"),
                _ORDER_LINES,
                _ORDER_TAGS,
            ),
            _model(
                "sale.order.line",
                _plain("name", "char"),
                _plain("sequence", "integer"),
                _plain("price_unit", "monetary"),
                _plain("display_type", "selection"),
                _plain("write_date", "datetime"),
                Field("margin", "monetary", stored=False),
                _many2one("order_id", "sale.order"),
                _many2one("product_id", "product.product"),
                _LINE_TAXES,
            ),
            _model("crm.tag", _translated("name"), _plain("active", "boolean")),
            _model("account.tax", _translated("name")),
            _model(
                "product.product",
                _plain("default_code", "char"),
                Field(
                    "standard_price", "float", Kind.COMPANY, stored=True, company_dependent=True
                ),
                Field("name", "char", related="product_tmpl_id.name"),
                _many2one("product_tmpl_id", "product.template"),
            ),
            _model("product.template", _translated("name"), Field("image_1920", "binary")),
            _model(
                "res.partner",
                _plain("name", "char"),
                _plain("ref", "char"),
                _plain("active", "boolean"),
                _plain("write_date", "datetime"),
                Field("image_1920", "binary"),
                _many2one("country_id", "res.country"),
                _many2one("parent_id", "res.partner"),
                _PAYMENT_TERM,
            ),
            _model("account.payment.term", _plain("name", "char")),
            _model("res.country", _plain("code", "char"), _translated("name")),
            _model("res.users", _plain("login", "char"), _many2one("partner_id", "res.partner")),
        )
    }
)


def shape_of(reads: Iterable[Read], model: str = "sale.order", default: int = 0) -> Shape:
    """Return the shape that carries the paths; what depends on the company is company 1's."""
    return build(MODELS, model, reads, lambda _model, _name: ManyToOne(1, default))


def event_of(
    before: Document | None,
    after: Document | None,
    shape: Shape,
    *,
    mode: Mode = Mode.STREAM,
    before_known: bool = True,
    oversize: int | None = None,
) -> Event:
    """Return an event of sale order 42: transaction 7311 at 0/16B3748."""
    return Event(
        source="odoo_a",
        model="sale.order",
        id=42,
        position=Position(0x6743A1F0, Lsn(0x16B3748), 3),
        mode=mode,
        time="2026-11-23T10:00:00.123456Z",
        transaction=7311 if mode is Mode.STREAM else None,
        before_known=before_known,
        before=before,
        after=after,
        write_date=None,
        write_uid=2,
        writers=(2,),
        oversize=oversize,
        shape=shape,
    )


def order(shape: Shape, **values: Any) -> Document:
    """Return order 42 with the values given; all else that the shape shows is null or empty."""
    return record(shape, 42, **values)


def record(shape: Shape, record_id: int, **values: Any) -> Document:
    """Return one record of the shape."""
    document: Document = {"id": record_id}
    document |= {column.name: values.pop(column.name, None) for column in shape.columns}
    if shape.external_id:
        document["_external_id"] = values.pop("_external_id", None)
    for link in shape.links:
        document[link.name] = values.pop(link.name, [] if link.many else None)
    assert not values, f"the shape does not show {sorted(values)}"
    return document


def behind(shape: Shape, name: str) -> Shape:
    """Return what is shown behind a relation."""
    link = shape.link(name)
    assert link is not None, name
    return link.shape
