"""Sale orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from embedded.odoo import computes
from embedded.odoo_rpc.business.trade import Line, Order, Trade
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.faults import UserError
from embedded.odoo_rpc.model import Action, Model, Values, registry
from embedded.odoo_rpc.values import DATE

SALE: Final = Trade(
    "sale.order",
    "sale.order.line",
    "product_uom_qty",
    "tax_id",
    "taxes_id",
    "ir_sequence_001",
    "S",
)
_OPEN: Final = ("draft", "sent")
_VALID: Final = timedelta(days=30)
_PRICED_BY: Final = frozenset({"product_id", "product_uom_qty"})
_PROTECTED: Final = frozenset({"product_id", "name", "price_unit", "product_uom_qty", "tax_id"})
"""What nobody changes in a line of a locked order."""


class SaleOrder(Order):
    """draft, sent, sale, cancel; a sale can be locked."""

    order = "date_order desc, id desc"
    trade = SALE

    def defaults(self, env: Env, values: Values) -> Values:
        partner = values.get("partner_id")
        return self.common(env, values) | {
            "validity_date": (env.now + _VALID).strftime(DATE),
            "locked": False,
            "partner_invoice_id": _address(env, partner, "invoice"),
            "partner_shipping_id": _address(env, partner, "delivery"),
        }

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        super().written(env, ids, values, kept)
        if "partner_id" not in values:
            return
        partner = values["partner_id"]
        both = {"partner_invoice_id": "invoice", "partner_shipping_id": "delivery"}
        addresses = {n: _address(env, partner, kind) for n, kind in both.items()}
        env.rows.write(self.table, ids, **{n: v for n, v in addresses.items() if n not in values})
        env.cursor.execute(
            "UPDATE sale_order_line SET order_partner_id = %s WHERE order_id = ANY (%s)",
            [partner, list(ids)],
        )

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        if not set(self.states(env, ids).values()) <= {"draft", "cancel"}:
            raise UserError("Only quotations and cancelled orders can be deleted.")

    def actions(self) -> Mapping[str, Action]:
        return {
            "action_confirm": self._confirm,
            "action_cancel": self._cancel,
            "action_draft": self._draft,
            "action_lock": lambda env, ids: self._lock(env, ids, locked=True),
            "action_unlock": lambda env, ids: self._lock(env, ids, locked=False),
        }

    def cancel(self, env: Env, ids: Sequence[int]) -> bool:
        """Cancel without asking; UserError where one is locked."""
        if any(self.read_one(env, number, "locked")[0] for number in ids):
            raise UserError("A locked order cannot be cancelled; unlock it first.")
        self.reach(env, ids, "cancel")
        return True

    def _confirm(self, env: Env, ids: Sequence[int]) -> bool:
        if not set(self.states(env, ids).values()) <= set(_OPEN):
            raise UserError("Some of these orders are not waiting to be confirmed.")
        self.reach(env, ids, "sale", date_order=env.now.replace(microsecond=0))
        return True

    def _cancel(self, env: Env, ids: Sequence[int]) -> Any:
        asks = set(self.states(env, ids).values()) != {"draft"}
        if asks and not env.context.get("disable_cancel_warning"):
            if any(self.read_one(env, number, "locked")[0] for number in ids):
                raise UserError("A locked order cannot be cancelled; unlock it first.")
            return {
                "type": "ir.actions.act_window",
                "res_model": "sale.order.cancel",
                "target": "new",
                "context": {"default_order_id": ids[0]},
            }
        return self.cancel(env, ids)

    def _draft(self, env: Env, ids: Sequence[int]) -> bool:
        """Reopen those that are cancelled or sent, and pass over the others."""
        fit = [n for n, state in self.states(env, ids).items() if state in {"cancel", "sent"}]
        if fit:
            self.reach(env, fit, "draft")
        return True

    def _lock(self, env: Env, ids: Sequence[int], *, locked: bool) -> None:
        env.refuse_writing(self.name)
        self.exist(env, ids)
        env.rows.write(self.table, list(ids), locked=locked)


class SaleLine(Line):
    """A product, or a text."""

    trade = SALE

    def defaults(self, env: Env, values: Values) -> Values:
        found: Values = {"sequence": 10, "customer_lead": 0.0} | self.filled(env, values)
        if values.get("product_id") and not values.get("display_type"):
            price = registry()["product.product"].computed(
                env, "lst_price", [values["product_id"]]
            )
            found["price_unit"] = price[values["product_id"]]
        if values.get("order_id"):
            order = registry()["sale.order"]
            state, partner = order.read_one(env, values["order_id"], "state", "partner_id")
            found |= {"state": state, "order_partner_id": partner}
        return found

    def checked(self, env: Env, ids: Sequence[int], values: Values) -> None:
        locked = env.ask(
            "SELECT 1 FROM sale_order_line l JOIN sale_order o ON o.id = l.order_id"
            " WHERE o.locked AND l.id = ANY (%s) LIMIT 1",
            list(ids),
        )
        if locked and _PROTECTED & values.keys():
            raise UserError("The lines of a locked order cannot be changed.")

    def created(self, env: Env, number: int, values: Values) -> None:
        env.rows.write(self.table, number, technical_price_unit=float(values["price_unit"] or 0))
        super().created(env, number, values)

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if _PRICED_BY & values.keys() and "price_unit" not in values:
            for number in ids:
                self._price_anew(env, number)
        super().written(env, ids, values, kept)

    def _price_anew(self, env: Env, number: int) -> None:
        """Take the product's price again, unless a price was written by itself since then."""
        product, price, technical = self.read_one(
            env, number, "product_id", "price_unit", "technical_price_unit"
        )
        if product and float(price) == (technical or 0.0):
            (found,) = registry()["product.product"].computed(env, "lst_price", [product]).values()
            env.rows.write(
                self.table, number, price_unit=computes.money(found), technical_price_unit=found
            )

    def leaving(self, env: Env, ids: Sequence[int]) -> None:
        sold = env.ask(
            "SELECT 1 FROM sale_order_line l JOIN sale_order o ON o.id = l.order_id"
            " WHERE o.state = 'sale' AND l.display_type IS NULL AND l.id = ANY (%s) LIMIT 1",
            list(ids),
        )
        if sold:
            raise UserError("A line of a confirmed order stays; set its quantity to 0.")


class SaleCancel(Model):
    """The wizard that cancels a confirmed order."""

    def actions(self) -> Mapping[str, Action]:
        return {"action_cancel": self._cancel}

    def _cancel(self, env: Env, ids: Sequence[int]) -> bool:
        orders = [self.read_one(env, number, "order_id")[0] for number in ids]
        sale = registry()["sale.order"]
        assert isinstance(sale, SaleOrder)  # noqa: S101 - the registry says so
        return sale.cancel(env, orders)


def _address(env: Env, partner: Any, kind: str) -> Any:
    """Return the partner's own address of a kind, or the partner."""
    found = env.ask(
        "SELECT id FROM res_partner WHERE active AND parent_id = %s AND type = %s"
        " ORDER BY complete_name, id DESC LIMIT 1",
        partner or 0,
        kind,
    )
    return found[0][0] if found else partner
