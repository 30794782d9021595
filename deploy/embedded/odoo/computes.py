"""What Odoo computes and stores: amounts, complete names, paths of trees. Pure.

Odoo rounds in Python before it writes: money to the currency's cent, half up. `price_tax` has no
digits there: it is a sum of floats, with all that floats bring along.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

CENT: Final = Decimal("0.01")


class Amounts(NamedTuple):
    """What a line or an order comes to."""

    untaxed: Decimal
    tax: float
    total: Decimal


def money(value: Decimal | float) -> Decimal:
    """Round to cents, half up."""
    return Decimal(value).quantize(CENT, ROUND_HALF_UP)


def line_amounts(quantity: Decimal, price: Decimal, percents: Iterable[Decimal]) -> Amounts:
    """Return the amounts of a line with these taxes, in percent."""
    untaxed = money(quantity * price)
    tax = sum((float(money(untaxed * percent / 100)) for percent in percents), 0.0)
    return Amounts(untaxed, tax, untaxed + money(tax))


def order_amounts(lines: Sequence[Amounts]) -> Amounts:
    """Return the amounts of an order."""
    untaxed = sum((line.untaxed for line in lines), Decimal("0.00"))
    tax = sum((line.tax for line in lines), 0.0)
    return Amounts(untaxed, tax, untaxed + money(tax))


def complete_name(name: str, company: str | None) -> str:
    """Return a contact's name with its company's before it."""
    return f"{company}, {name}" if company else name


def path(parent: str | None, number: int) -> str:
    """Return the `parent_path` of a node: `1/2/11/`."""
    return f"{parent or ''}{number}/"
