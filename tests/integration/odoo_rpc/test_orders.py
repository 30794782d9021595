"""Sale and purchase orders: amounts, lines, and the states that methods reach."""

from __future__ import annotations

from typing import Any

import pytest

from tests.odoo_client import Odoo, Rpc

pytestmark = pytest.mark.integration

NO_WIZARD = {"disable_cancel_warning": True}
USER_ERROR = "odoo.exceptions.UserError"


@pytest.fixture
def partner(rpc: Rpc) -> int:
    return int(rpc("res.partner", "create", {"name": "Partner"}))


@pytest.fixture
def variant(rpc: Rpc) -> int:
    values = {"name": "Chair", "list_price": 10.0, "taxes_id": [[5]], "supplier_taxes_id": [[5]]}
    template = rpc("product.template", "create", values)
    (number,) = rpc.one("product.template", template, "product_variant_ids")["product_variant_ids"]
    return int(number)


@pytest.fixture
def sale(rpc: Rpc, partner: int, variant: int) -> int:
    lines = [[0, 0, {"product_id": variant, "product_uom_qty": 2}]]
    return int(rpc("sale.order", "create", {"partner_id": partner, "order_line": lines}))


@pytest.fixture
def purchase(rpc: Rpc, partner: int, variant: int) -> int:
    lines = [[0, 0, {"product_id": variant, "product_qty": 2, "price_unit": 3.333}]]
    return int(rpc("purchase.order", "create", {"partner_id": partner, "order_line": lines}))


def state(rpc: Rpc, model: str, number: int) -> str:
    return str(rpc.one(model, number, "state")["state"])


def lines(rpc: Rpc, model: str, number: int) -> list[int]:
    return list(rpc.one(model, number, "order_line")["order_line"])


def tax(rpc: Rpc, use: str) -> int:
    domain = [["type_tax_use", "=", use], ["amount", "=", 15]]
    (number,) = rpc("account.tax", "search", domain, limit=1)
    return int(number)


def test_an_order_is_filled_in(odoo_rpc: Odoo, rpc: Rpc, sale: int, partner: int) -> None:
    odoo_rpc.since(17, "a locked order is in the state `done`")
    row = rpc.one(
        "sale.order",
        sale,
        *("name", "state", "partner_invoice_id", "partner_shipping_id", "user_id", "locked"),
        *("date_order", "currency_id", "company_id", "amount_total"),
    )

    assert row["name"].startswith("S")
    assert (row["state"], row["locked"], row["amount_total"]) == ("draft", False, 20.0)
    assert row["partner_invoice_id"][0] == row["partner_shipping_id"][0] == partner
    assert row["user_id"][0] == rpc.odoo.env.uid
    assert all(row[name] for name in ("date_order", "currency_id", "company_id"))


def test_a_line_is_filled_in_from_its_product(rpc: Rpc, sale: int, partner: int) -> None:
    number = rpc(
        "sale.order.line",
        "create",
        {"order_id": sale, "product_id": variant_of(rpc, sale), "sequence": 3},
    )

    row = rpc.one(
        "sale.order.line",
        number,
        *("name", "product_uom_qty", "price_unit", "state", "order_partner_id"),
    )
    assert (row["name"], row["product_uom_qty"], row["price_unit"]) == ("Chair", 1.0, 10.0)
    assert row["state"] == "draft"
    assert row["order_partner_id"][0] == partner
    assert lines(rpc, "sale.order", sale)[0] == number  # by sequence


def variant_of(rpc: Rpc, sale: int) -> int:
    (line,) = lines(rpc, "sale.order", sale)
    return int(rpc.one("sale.order.line", line, "product_id")["product_id"][0])


@pytest.fixture
def has_taxes(odoo_rpc: Odoo) -> None:
    odoo_rpc.since(17, "no taxes without a chart of accounts")


@pytest.mark.usefixtures("has_taxes")
@pytest.mark.parametrize(
    ("model", "quantity", "taxes", "use"),
    [
        ("sale.order", "product_uom_qty", "tax_id", "sale"),
        ("purchase.order", "product_qty", "taxes_id", "purchase"),
    ],
    ids=["sale", "purchase"],
)
def test_amounts_follow_the_lines(  # noqa: PLR0913, PLR0917 - a table of two kinds of order
    rpc: Rpc, partner: int, variant: int, model: str, quantity: str, taxes: str, use: str
) -> None:
    taxed = {taxes: [[6, 0, [tax(rpc, use)]]]}
    line = {"product_id": variant, quantity: 3, "price_unit": 2.5} | taxed
    order = rpc(model, "create", {"partner_id": partner, "order_line": [[0, 0, line]]})
    amounts = ("amount_untaxed", "amount_tax", "amount_total")
    seen = []

    (number,) = lines(rpc, model, order)
    for commands in (
        [],
        [[1, number, {quantity: 4, "price_unit": 2.5}]],
        [[1, number, {taxes: [[5]]}]],
    ):
        rpc(model, "write", [order], {"order_line": commands})
        row = rpc.one(model, order, *amounts)
        seen.append([row[name] for name in amounts])

    assert seen == [[7.5, 1.13, 8.63], [10.0, 1.5, 11.5], [10.0, 0.0, 10.0]]


def test_another_quantity_takes_the_products_price_again(rpc: Rpc, sale: int) -> None:
    product = variant_of(rpc, sale)
    line = {"product_id": product, "product_uom_qty": 1, "price_unit": 2.5, "sequence": 1}
    rpc("sale.order", "write", [sale], {"order_line": [[0, 0, line]]})
    number = lines(rpc, "sale.order", sale)[0]
    prices = []

    for values in (
        {"product_uom_qty": 2, "price_unit": 2.5},
        {"name": "Named"},
        {"product_uom_qty": 3},
    ):
        rpc("sale.order.line", "write", [number], values)
        prices.append(rpc.one("sale.order.line", number, "price_unit")["price_unit"])

    assert prices == [2.5, 2.5, 10.0]


def test_another_customer_is_written_everywhere(rpc: Rpc, sale: int) -> None:
    other = rpc("res.partner", "create", {"name": "Other"})

    rpc("sale.order", "write", [sale], {"partner_id": other})

    row = rpc.one("sale.order", sale, "partner_invoice_id", "partner_shipping_id")
    assert row["partner_invoice_id"][0] == row["partner_shipping_id"][0] == other
    (line,) = lines(rpc, "sale.order", sale)
    assert rpc.one("sale.order.line", line, "order_partner_id")["order_partner_id"][0] == other


@pytest.mark.parametrize("command", [[3], [2]], ids=["unlink", "delete"])
def test_a_line_that_is_unlinked_is_deleted(rpc: Rpc, sale: int, command: list[int]) -> None:
    (line,) = lines(rpc, "sale.order", sale)

    rpc("sale.order", "write", [sale], {"order_line": [[*command, line]]})

    assert rpc("sale.order.line", "search", [["id", "=", line]]) == []
    assert rpc.one("sale.order", sale, "amount_total")["amount_total"] == 0.0


def test_lines_are_set_exactly(rpc: Rpc, sale: int) -> None:
    product = variant_of(rpc, sale)
    rpc("sale.order", "write", [sale], {"order_line": [[0, 0, {"product_id": product}]]})
    first, second = lines(rpc, "sale.order", sale)

    rpc("sale.order", "write", [sale], {"order_line": [[6, 0, [second]]]})

    assert lines(rpc, "sale.order", sale) == [second]
    assert rpc("sale.order.line", "search", [["id", "=", first]]) == []


@pytest.mark.parametrize("command", [[1, 987_654, {"name": "x"}], [2, 987_654], [4, 987_654]])
def test_a_command_on_a_line_that_is_gone_is_refused(
    rpc: Rpc, sale: int, command: list[Any]
) -> None:
    error = rpc.refused("sale.order", "write", [sale], {"order_line": [command]})

    assert error.name == "odoo.exceptions.MissingError"
    assert "sale.order.line(987654,)" in error.message


def test_a_section_has_no_amounts(rpc: Rpc, sale: int) -> None:
    line = {"name": "Options", "display_type": "line_section"}
    rpc("sale.order", "write", [sale], {"order_line": [[0, 0, line]]})

    row = rpc.one("sale.order.line", lines(rpc, "sale.order", sale)[1], "product_uom_qty")
    assert row["product_uom_qty"] == 0.0
    assert rpc.one("sale.order", sale, "amount_total")["amount_total"] == 20.0


def test_a_sale_is_confirmed_once(odoo_rpc: Odoo, rpc: Rpc, sale: int) -> None:
    odoo_rpc.since(17, "it is confirmed again")
    assert rpc("sale.order", "action_confirm", [sale]) is True

    assert state(rpc, "sale.order", sale) == "sale"
    (line,) = lines(rpc, "sale.order", sale)
    assert rpc.one("sale.order.line", line, "state")["state"] == "sale"
    assert rpc.refused("sale.order", "action_confirm", [sale]).name == USER_ERROR


def test_cancelling_a_sale_asks_unless_told_not_to(rpc: Rpc, sale: int) -> None:
    rpc("sale.order", "action_confirm", [sale])

    asked = rpc("sale.order", "action_cancel", [sale])
    assert asked["res_model"] == "sale.order.cancel"
    assert state(rpc, "sale.order", sale) == "sale"

    assert rpc("sale.order", "action_cancel", [sale], context=NO_WIZARD) is True
    assert state(rpc, "sale.order", sale) == "cancel"
    assert rpc("sale.order", "action_cancel", [sale], context=NO_WIZARD) is True
    assert rpc.refused("sale.order", "action_confirm", [sale]).name == USER_ERROR


def test_a_quotation_is_cancelled_at_once_and_reopened(rpc: Rpc, sale: int) -> None:
    assert rpc("sale.order", "action_cancel", [sale]) is True
    assert state(rpc, "sale.order", sale) == "cancel"

    assert rpc("sale.order", "action_draft", [sale]) is True

    assert state(rpc, "sale.order", sale) == "draft"


def test_reopening_a_sale_passes_it_over(rpc: Rpc, sale: int) -> None:
    rpc("sale.order", "action_confirm", [sale])

    assert rpc("sale.order", "action_draft", [sale]) is True

    assert state(rpc, "sale.order", sale) == "sale"


def test_a_confirmed_order_keeps_its_lines(rpc: Rpc, sale: int) -> None:
    rpc("sale.order", "action_confirm", [sale])
    (line,) = lines(rpc, "sale.order", sale)

    for call in (
        ("sale.order", "write", [sale], {"order_line": [[2, line]]}),
        ("sale.order.line", "unlink", [line]),
    ):
        assert rpc.refused(*call).name == USER_ERROR

    rpc("sale.order", "write", [sale], {"order_line": [[1, line, {"product_uom_qty": 7}]]})
    assert rpc.one("sale.order", sale, "amount_total")["amount_total"] == 70.0


def test_only_quotations_and_cancelled_orders_are_deleted(rpc: Rpc, sale: int) -> None:
    rpc("sale.order", "action_confirm", [sale])
    assert rpc.refused("sale.order", "unlink", [sale]).name == USER_ERROR

    rpc("sale.order", "action_cancel", [sale], context=NO_WIZARD)

    assert rpc("sale.order", "unlink", [sale]) is True
    assert rpc("sale.order", "search", [["id", "=", sale]]) == []


def test_a_purchase_is_filled_in(rpc: Rpc, purchase: int) -> None:
    row = rpc.one(
        "purchase.order", purchase, "name", "state", "amount_total", "date_planned", "date_approve"
    )
    (line,) = lines(rpc, "purchase.order", purchase)
    priced = rpc.one("purchase.order.line", line, "name", "product_qty", "price_unit")

    assert row["name"].startswith("P")
    assert (row["state"], row["date_approve"]) == ("draft", False)
    assert row["date_planned"]
    assert (priced["name"], priced["product_qty"], priced["price_unit"]) == ("Chair", 2.0, 3.33)
    assert row["amount_total"] in {6.66, 6.67}


def test_confirming_a_purchase_again_does_nothing(rpc: Rpc, purchase: int) -> None:
    assert rpc("purchase.order", "button_confirm", [purchase]) is True
    assert state(rpc, "purchase.order", purchase) == "purchase"
    approved = rpc.one("purchase.order", purchase, "date_approve")["date_approve"]
    assert approved

    assert rpc("purchase.order", "button_confirm", [purchase]) is True

    assert rpc.one("purchase.order", purchase, "date_approve")["date_approve"] == approved


def test_a_cancelled_purchase_is_not_confirmed_and_not_refused(rpc: Rpc, purchase: int) -> None:
    rpc("purchase.order", "button_confirm", [purchase])
    rpc("purchase.order", "button_cancel", [purchase])
    assert state(rpc, "purchase.order", purchase) == "cancel"

    assert rpc("purchase.order", "button_confirm", [purchase]) is True

    assert state(rpc, "purchase.order", purchase) == "cancel"


def test_a_purchase_is_approved_from_any_state(rpc: Rpc, purchase: int) -> None:
    rpc("purchase.order", "button_cancel", [purchase])

    rpc("purchase.order", "button_approve", [purchase])

    assert state(rpc, "purchase.order", purchase) == "purchase"


def test_a_purchase_is_locked_and_unlocked(rpc: Rpc, purchase: int) -> None:
    rpc("purchase.order", "button_confirm", [purchase])
    seen = []

    for method in ("button_done", "button_unlock"):
        rpc("purchase.order", method, [purchase])
        seen.append(state(rpc, "purchase.order", purchase))

    assert seen == ["done", "purchase"]


def test_a_locked_sale_is_not_cancelled_and_its_lines_stay(
    odoo_rpc: Odoo, rpc: Rpc, sale: int
) -> None:
    odoo_rpc.since(17, "a locked order is in the state `done`")
    rpc("sale.order", "action_confirm", [sale])
    rpc("sale.order", "action_lock", [sale])
    (line,) = lines(rpc, "sale.order", sale)
    more = [[1, line, {"product_uom_qty": 8}]]

    written = rpc.refused("sale.order", "write", [sale], {"order_line": more})
    cancelled = rpc.refused("sale.order", "action_cancel", [sale], context=NO_WIZARD)
    assert written.name == cancelled.name == USER_ERROR

    rpc("sale.order", "action_unlock", [sale])
    assert rpc("sale.order", "action_cancel", [sale], context=NO_WIZARD) is True


def test_a_purchase_is_reopened(rpc: Rpc, purchase: int) -> None:
    rpc("purchase.order", "button_cancel", [purchase])

    rpc("purchase.order", "button_draft", [purchase])
    rpc("purchase.order", "button_confirm", [purchase])

    assert state(rpc, "purchase.order", purchase) == "purchase"


def test_a_purchase_is_cancelled_before_it_is_deleted(rpc: Rpc, purchase: int) -> None:
    assert rpc.refused("purchase.order", "unlink", [purchase]).name == USER_ERROR

    rpc("purchase.order", "button_cancel", [purchase])

    assert rpc("purchase.order", "unlink", [purchase]) is True


def test_a_confirmed_purchase_keeps_its_lines(rpc: Rpc, purchase: int) -> None:
    rpc("purchase.order", "button_confirm", [purchase])
    (line,) = lines(rpc, "purchase.order", purchase)

    gone = [[2, line]]
    refused = rpc.refused("purchase.order", "write", [purchase], {"order_line": gone})
    assert refused.name == USER_ERROR

    rpc("purchase.order", "write", [purchase], {"order_line": [[1, line, {"product_qty": 5}]]})
    assert rpc.one("purchase.order.line", line, "product_qty")["product_qty"] == 5.0
