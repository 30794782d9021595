"""Odoo's context: with whose eyes records are looked at, and what only Odoo's code says of them.

Language, company and first day of the week are the source's. The three tables say what no table
of Odoo's does: the defaults of company-dependent fields, which records an x2many field leaves out
by itself, and by which fields a text finds a record. Files may state them; some are built in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.company import Defaults, carried, default_of
from schemas.dates import SUNDAY
from schemas.domain.forms import Domain
from schemas.domain.parse import parse
from schemas.domain.scalars import BASE_LANGUAGE
from schemas.fields import Kind
from schemas.via import ManyToOne


@dataclass(frozen=True, slots=True)
class OwnFilter:
    """What an x2many field adds by itself where a path or `any` leads through it.

    With `archived` it shows archived records whatever `active_test` says.
    """

    domain: Domain = field(default_factory=lambda: parse([]))
    archived: bool = False


_EVERY: Final = OwnFilter()
_FILTERS: Final[Mapping[str, OwnFilter]] = {
    "account.move.invoice_line_ids": OwnFilter(
        parse([["display_type", "in", ["product", "line_section", "line_note"]]])
    ),
    "account.move.line.tax_ids": OwnFilter(archived=True),
    "product.template.supplier_taxes_id": OwnFilter(parse([["type_tax_use", "=", "purchase"]])),
    "product.template.taxes_id": OwnFilter(parse([["type_tax_use", "=", "sale"]])),
    "purchase.order.line.taxes_id": OwnFilter(archived=True),
    "res.partner.child_ids": OwnFilter(parse([["active", "=", True]]), archived=True),
    "sale.order.line.tax_id": OwnFilter(archived=True),
}
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "account.tax": ("name", "description", "invoice_label"),
    "product.category": ("complete_name",),
    "purchase.order": ("name", "partner_ref"),
    "res.partner": ("complete_name", "email", "ref", "vat", "company_registry"),
    "stock.location": ("complete_name",),
}


@dataclass(frozen=True, slots=True)
class Context:
    """How a source looks at records; keys are `model.field`, of `names` models.

    `week_start` is the day that `day_of_week` counts from, 1 for Monday to 7. What is stated here
    takes the place of what is built in.
    """

    lang: str = BASE_LANGUAGE
    company: int = 1
    week_start: int = SUNDAY
    defaults: Mapping[str, Defaults] = field(default_factory=dict)
    filters: Mapping[str, OwnFilter] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def defaults_of(self, model: str, name: str) -> Defaults:
        """Return the defaults of a company-dependent field, none where the file has none."""
        return self.defaults.get(f"{model}.{name}", {})

    def many2one(self, model: str, name: str) -> ManyToOne:
        """Return how a many2one that depends on the company leads to that company's record."""
        stated = default_of(self.defaults_of(model, name), self.company)
        try:
            default = carried(Kind.INTEGER, stated)
        except ValueError:  # `check` says that the database has another
            default = None
        return ManyToOne(self.company, default or 0)

    def filter_of(self, model: str, name: str) -> OwnFilter:
        """Return what an x2many field adds by itself."""
        key = f"{model}.{name}"
        return self.filters.get(key) or _FILTERS.get(key, _EVERY)

    def names_of(self, model: str) -> tuple[str, ...]:
        """Return the fields by which a text finds a record; () where nobody knows."""
        return self.names.get(model) or _NAMES.get(model, ())
