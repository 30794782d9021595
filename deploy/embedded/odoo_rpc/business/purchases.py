"""Purchase orders. Their methods pass in silence over orders that they do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from embedded.odoo_rpc.business.trade import Line, Order, Trade
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.faults import UserError
from embedded.odoo_rpc.model import Action, Values
from embedded.odoo_rpc.values import DATETIME

PURCHASE: Final = Trade(
    "purchase.order",
    "purchase.order.line",
    "product_qty",
    "taxes_id",
    "supplier_taxes_id",
    "ir_sequence_002",
    "P",
)
_BOUGHT: Final = ("purchase", "done")


class PurchaseOrder(Order):
    """draft, sent, to approve, purchase, done, cancel."""

    order = "id desc"
    trade = PURCHASE

    def defaults(self, env: Env, values: Values) -> Values:
        return self.common(env, values)

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        if set(self.states(env, ids).values()) - {"cancel"}:
            raise UserError("A purchase order is cancelled before it is deleted.")

    def display_names(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        query = "SELECT id, name, partner_ref FROM purchase_order WHERE id = ANY (%s)"
        found = env.ask(query, list(ids))
        return {number: f"{name} ({ref})" if ref else name for number, name, ref in found}

    def actions(self) -> Mapping[str, Action]:
        return {
            "button_confirm": self._confirm,
            "button_approve": self._approve,
            "button_cancel": self._cancel,
            "button_draft": self._draft,
            "button_done": self._done,
            "button_unlock": self._unlock,
        }

    def _confirm(self, env: Env, ids: Sequence[int]) -> bool:
        fit = [n for n, state in self.states(env, ids).items() if state in {"draft", "sent"}]
        if fit:
            self.reach(env, fit, "purchase", date_approve=env.now.replace(microsecond=0))
        return True

    def _approve(self, env: Env, ids: Sequence[int]) -> dict[str, Any]:
        self.reach(env, ids, "purchase", date_approve=env.now.replace(microsecond=0))
        return {}

    def _cancel(self, env: Env, ids: Sequence[int]) -> None:
        self.reach(env, ids, "cancel")

    def _draft(self, env: Env, ids: Sequence[int]) -> dict[str, Any]:
        self.reach(env, ids, "draft")
        return {}

    def _done(self, env: Env, ids: Sequence[int]) -> None:
        self.reach(env, ids, "done")

    def _unlock(self, env: Env, ids: Sequence[int]) -> None:
        self.reach(env, ids, "purchase")


class PurchaseLine(Line):
    """A product, or a text."""

    trade = PURCHASE

    def defaults(self, env: Env, values: Values) -> Values:
        found = {"sequence": 10, "price_unit": 0.0, "state": "draft"} | self.filled(env, values)
        if not values.get("display_type"):
            found["date_planned"] = env.now.strftime(DATETIME)
        if values.get("order_id"):
            orders = "SELECT state FROM purchase_order WHERE id = %s"
            found["state"] = env.ask(orders, values["order_id"])[0][0]
        return found

    def _compute(self, env: Env, ids: Sequence[int], orders: Sequence[int]) -> None:
        super()._compute(env, ids, orders)
        env.cursor.execute(
            "UPDATE purchase_order o SET date_planned = l.planned FROM (SELECT order_id,"
            " min(date_planned) AS planned FROM purchase_order_line WHERE order_id = ANY (%s)"
            " GROUP BY order_id) l WHERE l.order_id = o.id"
            " AND o.date_planned IS DISTINCT FROM l.planned",
            [self.remembered(env, ids)],
        )

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        bought = env.ask(
            "SELECT 1 FROM purchase_order_line l JOIN purchase_order o ON o.id = l.order_id"
            " WHERE o.state = ANY (%s) AND l.id = ANY (%s) LIMIT 1",
            list(_BOUGHT),
            list(ids),
        )
        if bought:
            raise UserError("A line of a confirmed purchase order cannot be deleted.")
