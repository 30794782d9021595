"""What sale and purchase orders have in common: lines, their amounts, states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from psycopg import sql

from embedded.odoo import computes
from embedded.odoo_rpc.environment import Env
from embedded.odoo_rpc.model import Model, Values, registry
from embedded.odoo_rpc.values import DATETIME

ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Trade:
    """Names of one kind of order."""

    order: str
    line: str
    quantity: str
    taxes: str  # many2many field of a line
    product_taxes: str  # that of a product which fills it
    sequence: str
    prefix: str

    @property
    def order_table(self) -> str:
        """Where orders are."""
        return self.order.replace(".", "_")

    @property
    def line_table(self) -> str:
        """Where their lines are."""
        return self.line.replace(".", "_")


class Order(Model):
    """An order of either kind."""

    chatter = True
    trade: Trade

    def common(self, env: Env, values: Values) -> Values:
        """Return what both kinds are filled with."""
        currency = env.ask("SELECT currency_id FROM res_company WHERE id = %s", env.company)
        found = {
            "state": "draft",
            "date_order": env.now.strftime(DATETIME),
            "company_id": env.company,
            "currency_id": currency[0][0],
            "user_id": env.user.id,
        }
        if not values.get("name"):
            query = sql.SQL("SELECT nextval({})").format(sql.Literal(self.trade.sequence))
            found["name"] = f"{self.trade.prefix}{env.ask(query)[0][0]:05d}"
        return found

    def created(self, env: Env, number: int, values: Values) -> None:
        compute(env, self.trade, [number])

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        if "state" in values:
            lines = _lines(env, self.trade, ids)
            env.rows.write(self.trade.line_table, lines, state=values["state"])

    def states(self, env: Env, ids: Sequence[int]) -> dict[int, str]:
        """Return the state of each; MissingError where one is gone."""
        return {number: self.read_one(env, number, "state")[0] for number in ids}

    def reach(self, env: Env, ids: Sequence[int], state: str, **more: Any) -> None:
        """Set a state, as a method of Odoo does: with a note of it in the chatter."""
        env.refuse_writing(self.name)
        before = self.states(env, ids)
        env.rows.write(self.table, list(ids), state=state, **more)
        env.rows.write(self.trade.line_table, _lines(env, self.trade, ids), state=state)
        if not env.quiet:
            for number in ids:
                env.rows.post(self.name, number, f"Now {state}", (before[number], state))


class Line(Model):
    """A line of either kind."""

    order = "order_id, sequence, id"
    trade: Trade

    def filled(self, env: Env, values: Values) -> Values:
        """Return what a product fills in; a line that only shows a text has no amounts."""
        number = values.get("product_id")
        if values.get("display_type"):
            return {self.trade.quantity: 0.0, "price_unit": 0.0}
        if not number:
            return {self.trade.quantity: 1.0, "price_unit": 0.0}
        product = registry()["product.product"]
        product.exist(env, [number])
        (template,) = product.read_one(env, number, "product_tmpl_id")
        taxes = registry()["product.template"].field(self.trade.product_taxes)
        query = sql.SQL("SELECT tax_id FROM {} WHERE prod_id = %s ORDER BY 1").format(
            sql.Identifier(taxes.table)
        )
        return {
            "name": product.display_names(env, [number])[number],
            self.trade.quantity: 1.0,
            self.trade.taxes: [(6, 0, [row[0] for row in env.ask(query, template)])],
        }

    def created(self, env: Env, number: int, values: Values) -> None:
        self._compute(env, [number], [])

    def written(self, env: Env, ids: Sequence[int], values: Values, kept: Any) -> None:
        self._compute(env, ids, kept)

    def remembered(self, env: Env, ids: Sequence[int]) -> list[int]:
        query = sql.SQL("SELECT DISTINCT order_id FROM {} WHERE id = ANY (%s)").format(
            sql.Identifier(self.table)
        )
        return [row[0] for row in env.ask(query, list(ids))]

    def gone(self, env: Env, kept: Any) -> None:
        compute(env, self.trade, kept)

    def _compute(self, env: Env, ids: Sequence[int], orders: Sequence[int]) -> None:
        for number in ids:
            _compute_line(env, self.trade, number)
        compute(env, self.trade, sorted({*orders, *self.remembered(env, ids)}))


def compute(env: Env, trade: Trade, orders: Sequence[int]) -> None:
    """Write what orders come to, where that differs."""
    query = sql.SQL(
        "SELECT price_subtotal, price_tax, price_total FROM {} WHERE order_id = %s ORDER BY id"
    ).format(sql.Identifier(trade.line_table))
    held = sql.SQL("SELECT amount_untaxed, amount_tax, amount_total FROM {} WHERE id = %s").format(
        sql.Identifier(trade.order_table)
    )
    for number in orders:
        lines = [
            computes.Amounts(a or ZERO, b or 0.0, c or ZERO) for a, b, c in env.ask(query, number)
        ]
        total = computes.order_amounts(lines)
        wanted = (total.untaxed, computes.money(total.tax), total.total)
        if env.ask(held, number) not in ([], [wanted]):
            untaxed, tax, both = wanted
            env.rows.write(
                trade.order_table,
                number,
                amount_untaxed=untaxed,
                amount_tax=tax,
                amount_total=both,
            )


def _compute_line(env: Env, trade: Trade, number: int) -> None:
    line = registry()[trade.line]
    quantity, price = line.read_one(env, number, trade.quantity, "price_unit")
    taxes = line.field(trade.taxes)
    query = sql.SQL(
        "SELECT x.amount FROM {} r JOIN account_tax x ON x.id = r.account_tax_id"
        " WHERE r.{} = %s ORDER BY x.id"
    ).format(sql.Identifier(taxes.table), sql.Identifier(taxes.column1))
    percents = [row[0] for row in env.ask(query, number)]
    amounts = computes.line_amounts(quantity, price, percents)
    env.rows.write(
        line.table,
        number,
        price_subtotal=amounts.untaxed,
        price_tax=amounts.tax,
        price_total=amounts.total,
    )


def _lines(env: Env, trade: Trade, orders: Sequence[int]) -> list[int]:
    query = sql.SQL("SELECT id FROM {} WHERE order_id = ANY (%s) ORDER BY id").format(
        sql.Identifier(trade.line_table)
    )
    return [row[0] for row in env.ask(query, list(orders))]
