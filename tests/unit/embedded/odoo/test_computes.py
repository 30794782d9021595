"""Amounts as Odoo rounds them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from embedded.odoo.computes import (
    Amounts,
    complete_name,
    line_amounts,
    money,
    order_amounts,
    path,
)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("1.005", "1.01"), ("1.004", "1.00"), ("-1.005", "-1.01"), ("2", "2.00")],
)
def test_money_is_rounded_half_up_to_cents(value: str, rounded: str) -> None:
    assert str(money(Decimal(value))) == rounded


def test_a_line_is_its_quantity_its_price_and_its_taxes() -> None:
    amounts = line_amounts(Decimal(3), Decimal("9.99"), [Decimal(15), Decimal(5)])

    assert amounts == Amounts(Decimal("29.97"), 4.5 + 1.5, Decimal("35.97"))


def test_an_order_is_the_sum_of_its_lines_with_what_floats_bring_along() -> None:
    lines = [Amounts(Decimal(1), 0.1, Decimal("1.10")), Amounts(Decimal(2), 0.2, Decimal("2.20"))]

    total = order_amounts(lines)

    assert total == Amounts(Decimal("3.00"), 0.1 + 0.2, Decimal("3.30"))
    assert order_amounts([]) == Amounts(Decimal("0.00"), 0.0, Decimal("0.00"))


def test_a_contact_is_named_after_its_company() -> None:
    assert complete_name("Ada Abel", "Azure") == "Azure, Ada Abel"
    assert complete_name("Azure", None) == "Azure"


def test_a_node_s_path_ends_with_a_slash() -> None:
    assert path(None, 1) == "1/"
    assert path("1/2/", 11) == "1/2/11/"
