"""What is written: what differs and nothing else; relations, lines, translations, states."""

from __future__ import annotations

from typing import Any

import pytest

from streams.applying.answer import (
    BAD_VALUE,
    MISSING,
    NO_ACTION,
    NOT_ALLOWED,
    REFUSED,
    Delivered,
    Rejected,
    Retry,
)
from tests.odoo_client import Odoo, Rpc
from tests.target_rig import Branch

pytestmark = pytest.mark.integration

PARTNER, TAG, TEMPLATE, ORDER = (
    "res.partner",
    "res.partner.category",
    "product.template",
    "purchase.order",
)


def delivered(answer: object) -> int:
    assert isinstance(answer, Delivered), answer
    assert answer.target_id is not None
    return answer.target_id


@pytest.fixture
def product(branch: Branch) -> int:
    """A product of the source, number 1, with its code."""
    fields = {"name": "Desk", "default_code": f"{branch.source}-D", "list_price": "99.50"}
    return delivered(branch.deliver(TEMPLATE, 1, fields))


@pytest.fixture
def vendor(branch: Branch) -> int:
    """A partner of the source, number 7."""
    return delivered(branch.deliver(PARTNER, 7, {"name": "Azur"}))


def line(branch: Branch, number: int, quantity: float, **more: Any) -> dict[str, Any]:
    return {
        "key": branch.key("sale.order.line", number),
        "product_id": {"match": {"default_code": f"{branch.source}-D"}},
        "product_qty": quantity,
        "price_unit": "12.50",
        "name": f"line {number}",
        **more,
    }


def order(branch: Branch, *lines: dict[str, Any], state: str = "draft") -> Any:
    fields = {
        "partner_id": branch.ref(PARTNER, 7),
        "partner_ref": "S42",
        "date_order": "2026-11-23T10:00:00.123456Z",
        "state": state,
        "order_line": list(lines),
    }
    return branch.deliver("sale.order", 42, fields, target_model=ORDER)


def lines_of(rpc: Rpc, number: int) -> list[tuple[str, float]]:
    ids = rpc.one(ORDER, number, "order_line")["order_line"]
    rows = rpc("purchase.order.line", "read", ids, ["name", "product_qty"])
    return [(row["name"], row["product_qty"]) for row in rows]


def test_law_5_a_repeat_changes_nothing(branch: Branch, product: int) -> None:
    fields = {"name": "Desk", "default_code": f"{branch.source}-D", "list_price": "99.50"}

    assert delivered(branch.deliver(TEMPLATE, 1, fields)) == product
    assert branch.wrote == []


def test_only_what_differs_is_written(branch: Branch, product: int, rpc: Rpc) -> None:
    fields = {"name": "Desk", "default_code": f"{branch.source}-D", "list_price": "12.345"}
    branch.deliver(TEMPLATE, 1, fields)
    wrote = list(branch.wrote)

    branch.deliver(TEMPLATE, 1, fields)

    assert wrote == [(TEMPLATE, "write")]
    assert branch.wrote == []  # 12.35 is what Odoo keeps of it
    assert rpc.one(TEMPLATE, product, "list_price")["list_price"] == 12.35


@pytest.mark.usefixtures("vendor")
def test_a_change_is_read_and_written_in_two_calls(branch: Branch, odoo_rpc: Odoo) -> None:
    odoo_rpc.since(17, "web_save")
    branch.deliver(PARTNER, 7, {"name": "Azur 2"})

    branch.deliver(PARTNER, 7, {"name": "Azur 3"})

    assert branch.session.calls == [(PARTNER, "read"), (PARTNER, "web_save")]


def test_a_sync_leaves_no_message(branch: Branch, vendor: int, rpc: Rpc) -> None:
    branch.deliver(PARTNER, 7, {"name": "Azur 2"})

    domain = [["model", "=", PARTNER], ["res_id", "=", vendor]]
    assert rpc("mail.message", "search_count", domain) == 0


def test_texts_come_in_their_languages(branch: Branch, rpc: Rpc) -> None:
    texts = {"en_US": "Chair", "fr_FR": "Chaise"}
    number = delivered(branch.deliver(TEMPLATE, 2, {"name": texts}))
    made = [rpc.one(TEMPLATE, number, "name", lang=code)["name"] for code in texts]

    branch.deliver(TEMPLATE, 2, {"name": {**texts, "fr_FR": "Fauteuil"}})

    assert made == ["Chair", "Chaise"]
    assert rpc.one(TEMPLATE, number, "name", lang="fr_FR")["name"] == "Fauteuil"
    assert rpc.one(TEMPLATE, number, "name", lang="en_US")["name"] == "Chair"
    branch.deliver(TEMPLATE, 2, {"name": {**texts, "fr_FR": "Fauteuil"}})
    assert branch.wrote == []


def test_texts_in_languages_that_are_not_active_are_passed_over(branch: Branch, rpc: Rpc) -> None:
    texts = {"en_US": "Chair", "fr_FR": "Chaise", "de_DE": "Stuhl"}

    number = delivered(branch.deliver(TEMPLATE, 2, {"name": texts}))

    names = [rpc.one(TEMPLATE, number, "name", lang=code)["name"] for code in ("en_US", "fr_FR")]
    assert names == ["Chair", "Chaise"]


def test_false_and_empty_are_written_as_such(branch: Branch, rpc: Rpc) -> None:
    number = delivered(branch.deliver(TEMPLATE, 3, {"name": "Lamp", "sale_ok": False}))
    branch.deliver(TEMPLATE, 3, {"name": "Lamp", "sale_ok": True, "default_code": "L"})

    branch.deliver(TEMPLATE, 3, {"name": "Lamp", "sale_ok": False, "default_code": None})

    row = rpc.one(TEMPLATE, number, "sale_ok", "default_code")
    assert (row["sale_ok"], row["default_code"]) == (False, False)


def test_html_that_odoo_has_cleaned_is_not_written_again(branch: Branch) -> None:
    fields = {"name": "Azur", "comment": 'plain & <b onclick="x()">bold</b>'}
    branch.deliver(PARTNER, 7, fields)

    branch.deliver(PARTNER, 7, {"name": "Azur", "comment": "<p>a &amp; b</p>"})
    first = list(branch.wrote)
    branch.deliver(PARTNER, 7, {"name": "Azur", "comment": "<p>a &amp; b</p>"})

    assert first == [(PARTNER, "write")]
    assert branch.wrote == []


def test_a_list_of_relations_is_exactly_these(branch: Branch, vendor: int, rpc: Rpc) -> None:
    tags = [delivered(branch.deliver(TAG, n, {"name": f"tag {n}"})) for n in (1, 2, 3)]
    both = {"name": "Azur", "category_id": [branch.ref(TAG, 1), branch.ref(TAG, 2)]}
    branch.deliver(PARTNER, 7, both)
    first = rpc.one(PARTNER, vendor, "category_id")["category_id"]

    branch.deliver(PARTNER, 7, {"name": "Azur", "category_id": [branch.ref(TAG, 3)]})

    assert sorted(first) == tags[:2]
    assert rpc.one(PARTNER, vendor, "category_id")["category_id"] == tags[2:]
    branch.deliver(PARTNER, 7, {"name": "Azur", "category_id": []})
    assert rpc.one(PARTNER, vendor, "category_id")["category_id"] == []


def test_a_relation_that_is_not_here_yet_is_waited_for_by_name(branch: Branch, rpc: Rpc) -> None:
    fields = {"name": "Child", "parent_id": branch.ref(PARTNER, 99)}
    before = branch.deliver(PARTNER, 8, fields)
    parent = delivered(branch.deliver(PARTNER, 99, {"name": "Parent"}))

    number = delivered(branch.deliver(PARTNER, 8, fields))

    assert isinstance(before, Retry)
    assert before.code == MISSING
    assert branch.key(PARTNER, 99) in before.message
    assert rpc.one(PARTNER, number, "parent_id")["parent_id"][0] == parent


@pytest.mark.parametrize("record", [7, 8], ids=["written", "made"])
@pytest.mark.usefixtures("vendor")
def test_a_relation_that_somebody_deleted_is_waited_for_again(
    branch: Branch, rpc: Rpc, record: int
) -> None:
    tag = delivered(branch.deliver(TAG, 1, {"name": "tag"}))
    branch.deliver(PARTNER, 9, {"name": "C", "category_id": [branch.ref(TAG, 1)]})
    rpc(TAG, "unlink", [tag])

    answer = branch.deliver(PARTNER, record, {"name": "B", "category_id": [branch.ref(TAG, 1)]})

    assert isinstance(answer, Retry)
    assert (answer.code, branch.key(TAG, 1) in answer.message) == (MISSING, True)


@pytest.mark.usefixtures("vendor", "product")
def test_lines_are_made_written_removed_and_kept_in_order(branch: Branch, rpc: Rpc) -> None:
    number = delivered(order(branch, line(branch, 1, 2), line(branch, 2, 3)))
    first = lines_of(rpc, number)

    order(branch, line(branch, 3, 1), line(branch, 2, 5))

    assert first == [("line 1", 2.0), ("line 2", 3.0)]
    assert lines_of(rpc, number) == [("line 3", 1.0), ("line 2", 5.0)]
    names = {name for name in rpc.named(branch.source) if "line" in name}
    assert names == {"sale_order_line_2", "sale_order_line_3"}
    order(branch, line(branch, 3, 1), line(branch, 2, 5))
    assert branch.wrote == []


@pytest.mark.usefixtures("vendor", "product")
def test_lines_that_somebody_added_here_stay(branch: Branch, rpc: Rpc) -> None:
    number = delivered(order(branch, line(branch, 1, 2)))
    values = {"order_id": number, "name": "ours", "display_type": "line_note", "product_qty": 0}
    rpc("purchase.order.line", "create", {**values, "sequence": 90})

    order(branch, line(branch, 2, 3))

    assert lines_of(rpc, number) == [("line 2", 3.0), ("ours", 0.0)]


@pytest.mark.usefixtures("vendor", "product")
def test_an_order_becomes_a_confirmed_one_and_its_quantity_follows(
    branch: Branch, rpc: Rpc
) -> None:
    number = delivered(order(branch, line(branch, 1, 2), state="purchase"))
    first = rpc.one(ORDER, number, "state", "partner_ref", "date_order")

    order(branch, line(branch, 1, 7), state="purchase")

    assert (first["state"], first["partner_ref"]) == ("purchase", "S42")
    assert first["date_order"] == "2026-11-23 10:00:00"
    assert lines_of(rpc, number) == [("line 1", 7.0)]
    assert rpc.one(ORDER, number, "state")["state"] == "purchase"


@pytest.mark.usefixtures("vendor")
def test_what_is_archived_may_be_referred_to(branch: Branch, product: int, rpc: Rpc) -> None:
    rpc(TEMPLATE, "write", [product], {"active": False})

    number = delivered(order(branch, line(branch, 1, 2)))
    order(branch, line(branch, 1, 2), line(branch, 2, 3))

    assert lines_of(rpc, number) == [("line 1", 2.0), ("line 2", 3.0)]


@pytest.mark.usefixtures("vendor", "product")
def test_a_price_stands_when_the_quantity_changes(branch: Branch, rpc: Rpc) -> None:
    """Odoo computes a sale line's price anew when its quantity is written."""

    def sold(quantity: float) -> Any:
        sale = {
            "key": branch.key("sale.order.line", 1),
            "product_id": {"match": {"default_code": f"{branch.source}-D"}},
            "product_uom_qty": quantity,
            "price_unit": "1.25",
            "name": "a desk",
        }
        fields = {"partner_id": branch.ref(PARTNER, 7), "state": "draft", "order_line": [sale]}
        return branch.deliver("sale.order", 43, fields)

    number = delivered(sold(2))
    sold(5)

    (line_id,) = rpc.one("sale.order", number, "order_line")["order_line"]
    row = rpc.one("sale.order.line", line_id, "product_uom_qty", "price_unit")
    assert (row["product_uom_qty"], row["price_unit"]) == (5.0, 1.25)
    sold(5)
    assert branch.wrote == []


@pytest.mark.usefixtures("vendor", "product")
def test_a_vanished_line_that_odoo_does_not_let_go_is_emptied(branch: Branch, rpc: Rpc) -> None:
    both = (line(branch, 1, 2), line(branch, 2, 3))
    number = delivered(order(branch, *both, state="purchase"))

    order(branch, both[0], state="purchase")

    assert lines_of(rpc, number) == [("line 1", 2.0), ("line 2", 0.0)]
    order(branch, both[0], state="purchase")
    assert branch.wrote == []


@pytest.mark.usefixtures("vendor", "product")
def test_a_cancelled_order_is_cancelled_and_may_come_back(branch: Branch, rpc: Rpc) -> None:
    number = delivered(order(branch, line(branch, 1, 2), state="purchase"))
    order(branch, line(branch, 1, 2), state="cancel")
    cancelled = rpc.one(ORDER, number, "state")["state"]

    order(branch, line(branch, 1, 2), state="purchase")

    assert cancelled == "cancel"
    assert rpc.one(ORDER, number, "state")["state"] == "purchase"


@pytest.mark.usefixtures("vendor", "product")
def test_a_state_that_nothing_leads_to_is_named(branch: Branch) -> None:
    answer = order(branch, line(branch, 1, 2), state="sent")

    assert isinstance(answer, Rejected)
    assert answer.code == NO_ACTION
    assert "'draft'" in answer.message
    assert "'sent'" in answer.message


@pytest.mark.usefixtures("vendor", "product")
def test_a_deleted_sale_cancels_its_purchase(branch: Branch, rpc: Rpc) -> None:
    number = delivered(order(branch, line(branch, 1, 2), state="purchase"))

    branch.deliver("sale.order", 42, {}, operation="delete", target_model=ORDER)

    assert rpc.one(ORDER, number, "state")["state"] == "cancel"


def test_a_product_that_leaves_is_archived_and_comes_back(
    branch: Branch, product: int, rpc: Rpc
) -> None:
    fields = {"name": "Desk", "default_code": f"{branch.source}-D"}
    branch.deliver(TEMPLATE, 1, fields, operation="leave")
    left = rpc.one(TEMPLATE, product, "active")["active"]

    branch.deliver(TEMPLATE, 1, fields, operation="create", last="leave")

    assert left is False
    assert rpc.one(TEMPLATE, product, "active")["active"] is True


def test_what_somebody_archived_here_stays_archived(
    branch: Branch, product: int, rpc: Rpc
) -> None:
    rpc(TEMPLATE, "write", [product], {"active": False})

    branch.deliver(TEMPLATE, 1, {"name": "Desk 2"}, last="update")

    assert rpc.one(TEMPLATE, product, "active", "name")["active"] is False


def test_what_leaves_or_is_deleted_unknown_changes_nothing(branch: Branch) -> None:
    assert branch.deliver(TEMPLATE, 5, {"name": "x"}, operation="leave") == Delivered(None)
    assert branch.deliver(TEMPLATE, 5, {}, operation="delete") == Delivered(None)
    assert branch.wrote == []


def test_a_deleted_record_goes_and_its_name_with_it(branch: Branch, vendor: int, rpc: Rpc) -> None:
    branch.deliver(PARTNER, 7, {}, operation="delete")

    assert rpc(PARTNER, "search", [["id", "=", vendor]], context={"active_test": False}) == []
    assert rpc.named(branch.source) == {}
    assert branch.deliver(PARTNER, 7, {}, operation="delete") == Delivered(None)


@pytest.mark.usefixtures("product")
def test_what_odoo_does_not_delete_is_archived(branch: Branch, vendor: int, rpc: Rpc) -> None:
    delivered(order(branch, line(branch, 1, 2), state="purchase"))

    answer = branch.deliver(PARTNER, 7, {}, operation="delete")

    assert isinstance(answer, Delivered)
    assert answer.note.startswith("archived: ")
    assert rpc.one(PARTNER, vendor, "active")["active"] is False


@pytest.mark.parametrize(
    ("model", "fields", "code", "why"),
    [
        ("res.users", {"login": "evil"}, NOT_ALLOWED, "does not list the model res.users"),
        (PARTNER, {"name": "x", "user_ids": []}, NOT_ALLOWED, "user_ids: target.yaml does not"),
        (PARTNER, {"name": "x", "parent_id": 1}, BAD_VALUE, "parent_id: a relation is wanted"),
        (PARTNER, {"name": "x", "category_id": [1, 2]}, BAD_VALUE, "category_id: a relation is"),
        (PARTNER, {"name": "x", "category_id": "all"}, BAD_VALUE, "a list of relations is wanted"),
        (PARTNER, {"name": ["x"]}, BAD_VALUE, "name: a text is wanted, not a list"),
        (PARTNER, {"name": "x", "is_company": "yes"}, BAD_VALUE, "is_company: true or false"),
        (TEMPLATE, {"name": "x", "list_price": "abc"}, BAD_VALUE, "list_price: a number is"),
        (TEMPLATE, {"name": "x", "type": "boat"}, BAD_VALUE, 'type: "boat" is none of'),
        (PARTNER, {"name": "x", "child_ids": [{"name": "y"}]}, BAD_VALUE, "its key is wanted"),
        (
            PARTNER,
            {"name": "x", "parent_id": {"match": {"ref": None}}},
            BAD_VALUE,
            "ref is empty: nothing can be found by that",
        ),
        (
            PARTNER,
            {"name": "x", "parent_id": {"id": 3}},
            BAD_VALUE,
            'a relation is {"key": ..., "external_id": ...}',
        ),
        (TEMPLATE, {"list_price": "1"}, REFUSED, "name"),
    ],
)
def test_hostile_and_wrong_input_is_refused_and_odoo_untouched(
    branch: Branch, rpc: Rpc, model: str, fields: dict[str, Any], code: str, why: str
) -> None:
    answer = branch.deliver(model, 66, fields)

    assert isinstance(answer, Rejected)
    assert (answer.code, why in answer.message) == (code, True), answer
    assert "Traceback" not in answer.message
    assert rpc.named(branch.source) == {}
    if code != REFUSED:
        assert branch.wrote == []
