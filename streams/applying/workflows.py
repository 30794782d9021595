"""What is known of the states of Odoo's own models: which methods lead from where to where.

A user's `actions: {state: {purchase: button_confirm}}` is completed from here. Read off Odoo 16
to 18 as they answer over RPC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Known(NamedTuple):
    """In which states a method makes sense, and what context it needs."""

    begins: frozenset[str]
    context: Mapping[str, Any] = {}


def _known(begins: str, **context: Any) -> Known:
    return Known(frozenset(begins.split("|")), context)


METHODS: Final[Mapping[tuple[str, str], Known]] = {
    ("sale.order", "action_confirm"): _known("draft|sent"),
    # Without this a confirmed order's cancellation is answered with a wizard, and nothing is done.
    ("sale.order", "action_cancel"): _known("draft|sent|sale", disable_cancel_warning=True),
    ("sale.order", "action_draft"): _known("cancel|sent"),
    ("sale.order", "action_quotation_sent"): _known("draft"),
    ("purchase.order", "button_confirm"): _known("draft|sent"),
    ("purchase.order", "button_approve"): _known("to approve"),
    ("purchase.order", "button_cancel"): _known("draft|sent|to approve|purchase"),
    ("purchase.order", "button_draft"): _known("cancel"),
    ("purchase.order", "button_done"): _known("purchase"),
    ("account.move", "action_post"): _known("draft"),
    ("account.move", "button_cancel"): _known("draft"),
    ("account.move", "button_draft"): _known("posted|cancel"),
}
