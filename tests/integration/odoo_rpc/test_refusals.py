"""What is refused, and by which class of error a client knows it."""

from __future__ import annotations

from typing import Any

import odoorpc
import pytest

from tests.odoo_client import Odoo, Rpc

pytestmark = pytest.mark.integration

GONE = 987_654
VALUE, VALIDATION = "builtins.ValueError", "odoo.exceptions.ValidationError"
MISSING, ACCESS = "odoo.exceptions.MissingError", "odoo.exceptions.AccessError"
USER = "odoo.exceptions.UserError"


@pytest.fixture
def partner(rpc: Rpc) -> int:
    return int(rpc("res.partner", "create", {"name": "Somebody"}))


@pytest.mark.parametrize(
    ("model", "values", "name"),
    [
        ("res.partner", {"name": "x", "nmae": 1}, VALUE),
        ("res.partner", {"name": "x", "type": "nonsense"}, VALUE),
        ("res.partner", {"name": "x", "color": "abc"}, VALUE),
        ("res.partner", {"name": "x", "category_id": "abc"}, VALUE),
        ("res.partner", {"ref": "x"}, VALIDATION),
        ("product.template", {"list_price": 1}, VALIDATION),
        ("product.template", {"name": "x", "list_price": "abc"}, VALUE),
        ("sale.order", {"client_order_ref": "x"}, VALIDATION),
        ("sale.order", {"partner_id": 1, "date_order": "2026-01-01T10:00:00"}, VALUE),
        ("sale.order", {"partner_id": 1, "date_order": "2026-01-01 10:00:00Z"}, VALUE),
        ("sale.order", {"partner_id": 1, "validity_date": "01/02/2026"}, VALUE),
        ("sale.order", {"partner_id": 1, "order_line": [[0, 0, {"nmae": 1}]]}, VALUE),
        ("purchase.order", {"partner_ref": "x"}, VALIDATION),
    ],
    ids=str,
)
def test_a_wrong_value_is_refused(rpc: Rpc, model: str, values: dict[str, Any], name: str) -> None:
    error = rpc.refused(model, "create", values)

    assert error.name == name
    assert "Traceback" not in error.message
    assert "Traceback" in error.debug


@pytest.mark.parametrize(
    "link", [{"category_id": [[6, 0, [GONE]]]}, {"parent_id": GONE}, {"country_id": GONE}], ids=str
)
@pytest.mark.parametrize("method", ["create", "write"])
def test_a_link_to_what_is_gone_is_refused(
    rpc: Rpc, partner: int, method: str, link: dict[str, Any]
) -> None:
    args = [{"name": "x"} | link] if method == "create" else [[partner], link]

    error = rpc.refused("res.partner", method, *args)

    assert error.name in {MISSING, VALIDATION}  # the database says it, or who reads the record


def test_a_field_that_has_no_value_is_named(rpc: Rpc) -> None:
    error = rpc.refused("sale.order", "create", {"client_order_ref": "x"})

    assert "sale.order" in error.message
    assert "(partner_id)" in error.message


def test_a_refused_row_is_not_shown(rpc: Rpc, module: str) -> None:
    row = {"ref": module, "email": "hidden@example.com"}
    loaded = rpc.load("res.partner", ["ref", "email"], list(row.values()))["messages"][0]

    for message in (rpc.refused("res.partner", "create", row).message, loaded["message"]):
        assert module not in message
        assert "hidden" not in message


def test_an_unknown_field_is_named_wherever_it_stands(rpc: Rpc, partner: int) -> None:
    for call in (
        ("create", {"name": "x", "nmae": 1}),
        ("write", [partner], {"nmae": 1}),
        ("read", [partner], ["nmae"]),
        ("search", [["nmae", "=", 1]]),
    ):
        error = rpc.refused("res.partner", *call)
        assert error.name == VALUE
        assert "nmae" in error.message
        assert "res.partner" in error.message


def test_an_unknown_operator_is_refused(rpc: Rpc) -> None:
    assert rpc.refused("res.partner", "search", [["name", "==", 1]]).name == VALUE


@pytest.mark.parametrize("call", [("write", {"name": "x"}), ("unlink",)], ids=["write", "unlink"])
def test_a_record_that_is_gone_is_missing(rpc: Rpc, partner: int, call: tuple[Any, ...]) -> None:
    error = rpc.refused("res.partner", call[0], [partner, GONE], *call[1:])

    assert error.name == MISSING
    assert f"res.partner({GONE},)" in error.message
    assert rpc.one("res.partner", partner, "name")["name"] == "Somebody"


def test_a_write_to_none_changes_nothing(rpc: Rpc) -> None:
    assert rpc("res.partner", "write", [], {"name": "x"}) is True


def test_what_is_sold_is_not_deleted(rpc: Rpc, partner: int) -> None:
    product = rpc("product.product", "create", {"name": "Sold"})
    (template, _) = rpc.one("product.product", product, "product_tmpl_id")["product_tmpl_id"]
    line = [[0, 0, {"product_id": product}]]
    order = rpc("sale.order", "create", {"partner_id": partner, "order_line": line})
    rpc("sale.order", "action_confirm", [order])

    for model, number in (
        ("product.product", product),
        ("product.template", template),
        ("res.partner", partner),
    ):
        error = rpc.refused(model, "unlink", [number])
        assert error.name == VALIDATION
        assert rpc("product.product", "search_count", [["id", "=", product]]) == 1


def test_a_partner_takes_quotations_along(odoo_rpc: Odoo, rpc: Rpc, partner: int) -> None:
    odoo_rpc.since(17, "a quotation keeps its partner")
    order = rpc("sale.order", "create", {"partner_id": partner})

    assert rpc("res.partner", "unlink", [partner]) is True

    assert rpc("sale.order", "search", [["id", "=", order]]) == []


def test_a_users_partner_is_not_deleted(rpc: Rpc) -> None:
    (mine, _) = rpc.one("res.users", rpc.odoo.env.uid, "partner_id")["partner_id"]

    error = rpc.refused("res.partner", "unlink", [mine])

    assert error.name.startswith("odoo.exceptions.")


def test_a_contact_is_not_below_itself(rpc: Rpc, partner: int) -> None:
    error = rpc.refused("res.partner", "write", [partner], {"parent_id": partner})

    assert error.name == VALIDATION


def test_a_barcode_is_one_products(rpc: Rpc, module: str) -> None:
    rpc("product.product", "create", {"name": "One", "barcode": module})

    error = rpc.refused("product.product", "create", {"name": "Two", "barcode": module})

    assert error.name == VALIDATION
    assert module in error.message


def test_an_external_id_without_spaces(rpc: Rpc, module: str, partner: int) -> None:
    values = {"module": module, "name": "a b", "model": "res.partner", "res_id": partner}

    assert rpc.refused("ir.model.data", "create", values).name == VALIDATION


def test_models_and_methods_that_are_not_there(rpc: Rpc, partner: int) -> None:
    assert rpc.refused("res.nosuch", "search", []).name == USER
    assert rpc.refused("res.partner", "nosuch", [partner]).name == "builtins.AttributeError"
    assert rpc.refused("res.partner", "_compute_display_name", [partner]).name == ACCESS


def test_who_may_only_read_reads(odoo_rpc: Odoo, rpc: Rpc, partner: int) -> None:
    reader = odoo_rpc.client_of_reader()

    assert reader.one("res.partner", partner, "name")["name"] == "Somebody"
    assert reader("res.partner", "check_access_rights", "write", raise_exception=False) is False
    assert rpc("res.partner", "check_access_rights", "write", raise_exception=False) is True
    for call in (
        ("res.partner", "write", [partner], {"name": "x"}),
        ("res.partner", "create", {"name": "x"}),
        ("res.partner", "unlink", [partner]),
        ("res.partner", "check_access_rights", "write"),
        ("product.template", "create", {"name": "x"}),
        ("ir.model.data", "search_count", []),
    ):
        assert reader.refused(*call).name == ACCESS
    assert rpc.one("res.partner", partner, "name")["name"] == "Somebody"


def test_a_wrong_login_is_no_error_of_the_server(odoo_rpc: Odoo) -> None:
    with pytest.raises(odoorpc.error.RPCError) as caught:
        Rpc(odoo_rpc, odoo_rpc.user, "wrong")

    assert not caught.value.info
    assert "login" in str(caught.value)


def test_a_key_that_is_taken_back_is_denied(rpc: Rpc) -> None:
    rpc.odoo._password = "wrong"  # noqa: SLF001 - as if it was right at the login

    assert rpc.refused("res.partner", "search", []).name == "odoo.exceptions.AccessDenied"


def test_an_unknown_database_is_an_error_of_the_driver(odoo_rpc: Odoo) -> None:
    with pytest.raises(odoorpc.error.RPCError) as caught:
        Rpc(odoo_rpc._replace(database="no_such_database"), odoo_rpc.user, odoo_rpc.api_key)

    assert caught.value.info["data"]["name"] == "psycopg2.OperationalError"
    assert "no_such_database" in str(caught.value)


def test_the_version_is_told_without_a_login(odoo_rpc: Odoo) -> None:
    version = odoorpc.ODOO("127.0.0.1", port=int(odoo_rpc.url.rpartition(":")[2])).version

    assert version.split(".")[0] in {"16", "17", "18"}
