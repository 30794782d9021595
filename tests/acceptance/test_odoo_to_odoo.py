"""What is done in one Odoo appears in another: whole programs, with the files that docs show."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from streams.applying.answer import REFUSED
from tests.odoo_client import Odoo, Rpc
from tests.two_odoos import TwoOdoos, two_odoos

if TYPE_CHECKING:
    from embedded.kafka import Kafka
    from embedded.synapse import Synapse

pytestmark = pytest.mark.acceptance

TEMPLATE: Final = "product.template"
VARIANT: Final = "product.product"
ATTRIBUTE: Final = "product.attribute"
PARTNER: Final = "res.partner"
TAG: Final = "res.partner.category"
SALE: Final = "sale.order"
PURCHASE: Final = "purchase.order"
VARIANTS: Final = "product_variant_ids"
VALUES: Final = "product_template_attribute_value_ids"
LANGUAGES: Final = ("en_US", "fr_FR")


class Product(NamedTuple):
    """A product by its ids in the master, and in the branch."""

    template: int
    variant: int
    template_there: int
    variant_there: int


class Sold(NamedTuple):
    """An order of the master, and what it is in the branch."""

    order: int
    purchase: int


@pytest.fixture(scope="module")
def line(
    fresh_odoos: tuple[Odoo, Odoo],
    kafka: Kafka,
    synapse: Callable[[Path], Synapse],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TwoOdoos]:
    """Both Odoos and everything between them, at rest."""
    folder = tmp_path_factory.mktemp("odoos")
    with two_odoos(folder, kafka.bootstrap, fresh_odoos, synapse) as made:
        made.begin()
        yield made


@pytest.fixture
def master(line: TwoOdoos) -> Rpc:
    return line.master.client()


@pytest.fixture
def branch(line: TwoOdoos) -> Rpc:
    return line.branch.client()


@pytest.fixture
def code() -> str:
    """A name that no other test has."""
    return f"T-{secrets.token_hex(4)}"


@pytest.fixture
def desk(line: TwoOdoos, master: Rpc, code: str) -> Product:
    """A product of the master that is in the branch, its variant too."""
    values = {"name": f"Desk {code}", "default_code": code, "list_price": 99.5}
    template = master(TEMPLATE, "create", values)
    (variant,) = master(TEMPLATE, "read", [template], ["product_variant_ids"])[0][VARIANTS]
    return Product(
        template, variant, line.delivered(TEMPLATE, template), line.delivered(VARIANT, variant)
    )


@pytest.fixture(scope="module")
def customer(line: TwoOdoos) -> int:
    """The branch, as the master knows it."""
    values = {"name": "The branch", "ref": "BRANCH", "is_company": True}
    number = line.master.client()(PARTNER, "create", values)
    line.delivered(PARTNER, number)
    return int(number)


@pytest.fixture
def sold(line: TwoOdoos, master: Rpc, desk: Product, customer: int) -> Sold:
    """An order that was confirmed, with two lines."""
    lines = [
        {"name": "two desks", "product_uom_qty": 2, "price_unit": 80},
        {"name": "the third", "product_uom_qty": 1, "price_unit": 70.5},
    ]
    for each in lines:
        each["product_id"] = desk.variant
    values = {"partner_id": customer, "order_line": [(0, 0, each) for each in lines]}
    order = master(SALE, "create", values)
    return Sold(order, line.calls(master, SALE, "action_confirm", order))


def variants_of(rpc: Rpc, template: int) -> dict[str, int]:
    """Return the variants of a product by the names of their values."""
    rows = rpc(VARIANT, "search_read", [["product_tmpl_id", "=", template]], [VALUES])
    found = {}
    for row in rows:
        values = rpc("product.template.attribute.value", "read", row[VALUES], ["name"])
        found[", ".join(value["name"] for value in values)] = row["id"]
    return found


def lines_of(branch: Rpc, purchase: int) -> list[tuple[int, str, float, float]]:
    """Return product, text, quantity and price of each line."""
    ids = branch.one(PURCHASE, purchase, "order_line")["order_line"]
    fields = ["product_id", "name", "product_qty", "price_unit"]
    rows = branch(f"{PURCHASE}.line", "read", ids, fields)
    return [(row["product_id"][0], *(row[name] for name in fields[1:])) for row in rows]


def test_a_product_comes_with_its_translations_and_taxes(
    line: TwoOdoos, master: Rpc, branch: Rpc, code: str
) -> None:
    tax = master("account.tax", "search_read", [["type_tax_use", "=", "sale"]], ["name"])[0]
    chair = {"name": "Chair", "default_code": code, "list_price": 12.345}
    number = master(TEMPLATE, "create", {**chair, "taxes_id": [(6, 0, [tax["id"]])]})
    line.delivered(TEMPLATE, number)

    french = {"fr_FR": "Chaise"}
    target = line.calls(master, TEMPLATE, "update_field_translations", number, "name", french)

    names = [branch.one(TEMPLATE, target, "name", lang=lang)["name"] for lang in LANGUAGES]
    assert names == ["Chair", "Chaise"]
    found = branch.one(TEMPLATE, target, "list_price", "default_code", "taxes_id")
    assert (found["list_price"], found["default_code"]) == (12.35, code)
    taxes = branch("account.tax", "read", found["taxes_id"], ["name", "type_tax_use"])
    assert [(each["name"], each["type_tax_use"]) for each in taxes] == [(tax["name"], "sale")]


def test_variants_are_those_that_the_branch_makes_of_the_attributes(
    line: TwoOdoos, master: Rpc, branch: Rpc, code: str
) -> None:
    attribute = master("product.attribute", "create", {"name": f"Colour {code}"})
    values = [{"name": name, "attribute_id": attribute} for name in ("Red", "Blue")]
    colours = master(f"{ATTRIBUTE}.value", "create", values)
    for colour in colours:
        line.delivered(f"{ATTRIBUTE}.value", colour)
    of_line = {"attribute_id": attribute, "value_ids": [(6, 0, colours)]}
    shirt = {"name": f"Shirt {code}", "attribute_line_ids": [(0, 0, of_line)]}
    template = master(TEMPLATE, "create", shirt)
    variants = variants_of(master, template)

    codes = {f"{code}-{name}": number for name, number in variants.items()}
    targets = {
        name: line.calls(master, VARIANT, "write", number, {"default_code": name})
        for name, number in codes.items()
    }

    there = variants_of(branch, line.delivered(TEMPLATE, template))
    assert {f"{code}-{name}": number for name, number in there.items()} == targets
    rows = branch(VARIANT, "read", list(targets.values()), ["default_code"])
    assert [row["default_code"] for row in rows] == list(targets)


def test_partners_come_with_their_tags_and_addresses(
    line: TwoOdoos, master: Rpc, branch: Rpc, code: str
) -> None:
    french = master("res.country", "search", [["code", "=", "FR"]])[0]
    tag = master(TAG, "create", {"name": f"Tag {code}"})
    place = {"street": "1 rue de la Paix", "zip": "75002", "city": "Paris", "country_id": french}
    firm = {"name": f"Azur {code}", "ref": code, "is_company": True, **place}
    company = master(PARTNER, "create", {**firm, "category_id": [(6, 0, [tag])]})
    depot = {"name": "Depot", "type": "delivery", "parent_id": company, "city": "Lyon"}
    address = master(PARTNER, "create", depot)

    below, above = line.delivered(PARTNER, address), line.delivered(PARTNER, company)

    fields = ("name", "street", "zip", "city", "country_id", "category_id")
    found = branch.one(PARTNER, above, *fields)
    assert [found[name] for name in fields[:4]] == [firm[name] for name in fields[:4]]
    assert branch.one("res.country", found["country_id"][0], "code")["code"] == "FR"
    tags = branch(TAG, "read", found["category_id"], ["name"])
    assert [each["name"] for each in tags] == [f"Tag {code}"]
    child = branch.one(PARTNER, below, "name", "type", "city", "parent_id")
    assert (child["name"], child["type"], child["city"]) == ("Depot", "delivery", "Lyon")
    assert child["parent_id"][0] == above


def test_what_is_sold_is_bought_of_who_sells_it(
    line: TwoOdoos, master: Rpc, branch: Rpc, desk: Product, sold: Sold
) -> None:
    company = master.one(SALE, sold.order, "company_id")["company_id"][0]
    (seller, name) = master.one("res.company", company, "partner_id")["partner_id"]

    found = branch.one(PURCHASE, sold.purchase, "state", "partner_id", "partner_ref")

    assert found["state"] == "purchase"
    assert found["partner_id"] == [line.delivered(PARTNER, seller), name]
    assert found["partner_ref"] == master.one(SALE, sold.order, "name")["name"]
    assert lines_of(branch, sold.purchase) == [
        (desk.variant_there, "two desks", 2, 80),
        (desk.variant_there, "the third", 1, 70.5),
    ]


def test_a_quantity_that_is_changed_changes_the_line(
    line: TwoOdoos, master: Rpc, branch: Rpc, sold: Sold
) -> None:
    before = branch.one(PURCHASE, sold.purchase, "order_line")["order_line"]
    first = master.one(SALE, sold.order, "order_line")["order_line"][0]

    change = {"order_line": [(1, first, {"product_uom_qty": 5, "price_unit": 80})]}
    again = line.calls(master, SALE, "write", sold.order, change)

    assert again == sold.purchase
    assert branch.one(PURCHASE, sold.purchase, "order_line")["order_line"] == before
    assert [quantity for _, _, quantity, _ in lines_of(branch, sold.purchase)] == [5, 1]


def test_a_sale_that_is_cancelled_cancels_the_purchase_and_one_that_is_confirmed_again_does_not(
    line: TwoOdoos, master: Rpc, branch: Rpc, sold: Sold
) -> None:
    before = line.newest(SALE, sold.order)
    master(SALE, "action_cancel", [sold.order], context={"disable_cancel_warning": True})
    line.delivered(SALE, sold.order, before)
    cancelled = branch.one(PURCHASE, sold.purchase, "state")["state"]

    master(SALE, "action_draft", [sold.order])
    again = line.calls(master, SALE, "action_confirm", sold.order)

    assert cancelled == "cancel"
    assert (again, branch.one(PURCHASE, again, "state")["state"]) == (sold.purchase, "purchase")


def test_a_product_that_is_deleted_is_archived(
    line: TwoOdoos, master: Rpc, branch: Rpc, desk: Product
) -> None:
    target = line.calls(master, TEMPLATE, "unlink", desk.template)

    assert target == desk.template_there
    assert branch.one(TEMPLATE, target, "active")["active"] is False


def test_one_that_is_archived_is_archived_and_comes_back(
    line: TwoOdoos, master: Rpc, branch: Rpc, desk: Product
) -> None:
    target = line.calls(master, TEMPLATE, "action_archive", desk.template)
    archived = branch.one(TEMPLATE, target, "active")["active"]

    line.calls(master, TEMPLATE, "action_unarchive", desk.template)

    assert archived is False
    assert branch.one(TEMPLATE, target, "active")["active"] is True


def test_what_the_branch_refuses_is_rejected_in_its_own_words(
    line: TwoOdoos, master: Rpc, branch: Rpc, desk: Product
) -> None:
    barcode = f"4{secrets.randbelow(10**12):012d}"
    branch(TEMPLATE, "create", {"name": "Its own", "barcode": barcode})
    before = line.newest(VARIANT, desk.variant)

    master(VARIANT, "write", [desk.variant], {"barcode": barcode})

    entry = line.ended(VARIANT, desk.variant, before)
    assert (entry["state"], entry["code"], entry["http_status"]) == ("rejected", REFUSED, 422)
    assert barcode in entry["why"]
    assert "Traceback" not in entry["why"]
    assert branch.one(VARIANT, desk.variant_there, "barcode")["barcode"] is False
