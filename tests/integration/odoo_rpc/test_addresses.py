"""Addresses: contacts share those of their company, which a sync has to know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.odoo_client import Rpc

pytestmark = pytest.mark.integration

MAIN = {"street": "Main 1", "zip": "1000", "city": "Town"}


@pytest.fixture
def company(rpc: Rpc) -> int:
    values = {"name": "Company", "is_company": True, "vat": "X1", **MAIN}
    return int(rpc("res.partner", "create", values))


@pytest.fixture
def contact(rpc: Rpc, company: int) -> int:
    values = {"name": "Contact", "parent_id": company, "street": "Own", "vat": "X9"}
    return int(rpc("res.partner", "create", values))


def held(rpc: Rpc, number: int) -> tuple[Any, ...]:
    row = rpc.one("res.partner", number, "street", "city", "vat")
    return row["street"], row["city"], row["vat"]


def test_a_new_contact_takes_its_companys_address(rpc: Rpc, contact: int) -> None:
    assert held(rpc, contact) == ("Main 1", "Town", "X1")


def test_what_is_written_alone_sticks(rpc: Rpc, contact: int, company: int) -> None:
    rpc("res.partner", "write", [contact], {"street": "Own", "vat": "X7"})

    assert held(rpc, contact) == ("Own", "Town", "X7")
    assert held(rpc, company) == ("Main 1", "Town", "X1")


@pytest.mark.parametrize("again", ["parent_id", "type"])
def test_what_is_written_with_the_company_or_the_type_does_not(
    rpc: Rpc, contact: int, company: int, again: str
) -> None:
    values = {"parent_id": company, "type": "contact"}
    rpc("res.partner", "write", [contact], {"street": "Own", again: values[again]})

    assert held(rpc, contact)[0] == "Main 1"


def test_loading_with_the_company_does_not_either(rpc: Rpc, module: str, company: int) -> None:
    columns = ["id", "name", "parent_id/.id", "street"]

    for street in ("Own", "Other"):
        (number,) = rpc.loaded("res.partner", columns, [f"{module}.p", "Contact", company, street])
        assert held(rpc, number)[0] == "Main 1"


def test_what_changes_in_a_companys_address_changes_in_its_contacts(
    rpc: Rpc, contact: int, company: int
) -> None:
    rpc("res.partner", "write", [contact], {"street": "Own", "city": "Own"})

    rpc("res.partner", "write", [company], {"city": "City"})

    assert held(rpc, contact)[:2] == ("Own", "City")


def test_a_companys_new_tax_number_is_its_contacts_too(
    rpc: Rpc, contact: int, company: int
) -> None:
    rpc("res.partner", "write", [company], {"vat": "X2"})

    assert held(rpc, contact)[2] == "X2"


def test_a_company_without_address_takes_that_of_its_first_contact(rpc: Rpc) -> None:
    company = rpc("res.partner", "create", {"name": "Company", "is_company": True})
    values = {"name": "Contact", "parent_id": company, "street": "Own"}

    contact = rpc("res.partner", "create", values)

    assert held(rpc, company)[0] == held(rpc, contact)[0] == "Own"


def test_other_addresses_are_their_own(rpc: Rpc, company: int) -> None:
    values = {"parent_id": company, "type": "delivery", "street": "Dock", "vat": "X5"}
    number = rpc("res.partner", "create", values)
    rpc("res.partner", "write", [company], {"street": "Main 3"})

    assert held(rpc, number) == ("Dock", False, "X1")
    row = rpc.one("res.partner", number, "name", "display_name")
    assert (row["name"], row["display_name"]) == (False, "Company, Delivery Address")


def test_an_order_goes_to_the_address_for_deliveries(rpc: Rpc, company: int) -> None:
    values = {"name": "Dock", "parent_id": company, "type": "delivery"}
    dock = rpc("res.partner", "create", values)

    order = rpc("sale.order", "create", {"partner_id": company})

    row = rpc.one("sale.order", order, "partner_shipping_id", "partner_invoice_id")
    assert row["partner_shipping_id"][0] == dock
    assert row["partner_invoice_id"][0] == company


def test_contacts_outlive_their_company(rpc: Rpc, contact: int, company: int) -> None:
    rpc("res.partner", "unlink", [company])

    row = rpc.one("res.partner", contact, "parent_id", "commercial_partner_id")
    assert row["parent_id"] is False
    assert row["commercial_partner_id"][0] == contact
