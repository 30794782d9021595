"""Fields of Odoo that filter their records by themselves, which no table of Odoo's says.

Odoo applies such a filter where a path or `any` leads through the field, not where its ids are
compared.
"""

from __future__ import annotations

from typing import Final

from schemas.document import Link
from schemas.domain.forms import BadDomain, Term

_DOMAINS: Final = {
    ("account.move", "invoice_line_ids"): "the lines that are no taxes and payment terms",
    ("product.template", "supplier_taxes_id"): "taxes on purchases",
    ("product.template", "taxes_id"): "taxes on sales",
    ("res.partner", "child_ids"): "records that are not archived",
}
_WITH_ARCHIVED: Final = frozenset(
    {
        ("account.move.line", "tax_ids"),
        ("purchase.order.line", "taxes_id"),
        ("sale.order.line", "tax_id"),
    }
)


def refuse_filtered(model: str, link: Link, term: Term) -> None:
    """Raise BadDomain where Odoo looks only at some of the records behind the link."""
    filtered = _DOMAINS.get((model, link.name))
    if filtered is not None:
        raise BadDomain(
            f"{term.written}: Odoo looks through {model}.{link.name} only at {filtered};"
            " documents show all of its records",
            hint=f'Leave the term out, or compare ids: ["{link.name}", "in", [7]].',
        )


def shows_archived(model: str, link: Link) -> bool:
    """Whether archived records behind the link count, whatever `active_test` says."""
    return not link.many or (model, link.name) in _WITH_ARCHIVED
