"""The oracle's SQL and the player, on rows made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.fix_services import Database
from tests.oracle import QUESTIONS, Oracle, per_target, routes_yaml
from tests.workload import Player, Transaction

pytestmark = pytest.mark.integration

# Only what the queries read, with Odoo's types.
TABLES = """
CREATE TABLE ir_model_data (id int PRIMARY KEY, module text, name text, model text, res_id int);
CREATE TABLE res_country (id int PRIMARY KEY, code text, name jsonb);
CREATE TABLE res_currency (id int PRIMARY KEY, name text);
CREATE TABLE res_partner (
    id int PRIMARY KEY, name text, complete_name text, email text, ref text, is_company bool,
    active bool, type text, parent_id int, country_id int, create_date timestamp);
CREATE TABLE res_partner_category (id int PRIMARY KEY, name jsonb);
CREATE TABLE res_partner_res_partner_category_rel (category_id int, partner_id int);
CREATE TABLE account_tax (id int PRIMARY KEY, name jsonb);
CREATE TABLE product_category (id int PRIMARY KEY, complete_name text);
CREATE TABLE product_template (
    id int PRIMARY KEY, name jsonb, description_sale jsonb, list_price numeric,
    default_code text, sale_ok bool, active bool, categ_id int);
CREATE TABLE product_taxes_rel (prod_id int, tax_id int);
CREATE TABLE product_product (
    id int PRIMARY KEY, product_tmpl_id int, default_code text, barcode text, active bool);
CREATE TABLE sale_order (
    id int PRIMARY KEY, name text, state text, locked bool, partner_id int, currency_id int,
    date_order timestamp, validity_date date, amount_total numeric);
CREATE TABLE sale_order_line (
    id int PRIMARY KEY, order_id int, sequence int, product_id int, name text,
    product_uom_qty numeric, price_unit numeric, price_tax float8, display_type text);
CREATE TABLE account_tax_sale_order_line_rel (sale_order_line_id int, account_tax_id int);
"""

ROWS = """
INSERT INTO res_country VALUES (1, 'FR', '{"en_US": "France"}'),
    (2, 'DE', '{"en_US": "Germany", "fr_FR": "Allemagne"}');
INSERT INTO res_currency VALUES (1, 'EUR');
INSERT INTO res_partner VALUES
    (1, 'Azure', 'Azure', 'a@x.example', NULL, true, true, 'contact', NULL, 2,
     '2026-11-23 10:00:00.5'),
    (2, 'Bob', 'Azure, Bob', NULL, '', NULL, true, 'contact', 1, NULL, '2026-11-23 10:00:00'),
    (3, 'Carol', 'Carol', NULL, NULL, false, true, 'contact', NULL, 1, '2026-11-23 10:00:00'),
    (4, 'Gone', 'Gone', NULL, NULL, true, NULL, 'contact', NULL, NULL, '2026-11-23 10:00:00');
INSERT INTO ir_model_data VALUES (1, 'sale', 'azure', 'res.company', 1),
    (3, 'late', 'azure', 'res.partner', 1), (2, 'base', 'azure', 'res.partner', 1);
INSERT INTO res_partner_category VALUES (1, '{"en_US": "Gold", "fr_FR": "Or"}'),
    (2, '{"en_US": "Old"}');
INSERT INTO res_partner_res_partner_category_rel VALUES (2, 1), (1, 1);
INSERT INTO account_tax VALUES (1, '{"en_US": "15%"}'), (2, '{"en_US": "5%"}');
INSERT INTO product_category VALUES (1, 'All / Saleable');
INSERT INTO product_template VALUES
    (1, '{"en_US": "Desk", "fr_FR": "Bureau"}', '{"en_US": "Large"}', 100.00, 'D', true, true, 1),
    (2, '{"en_US": "Chair"}', NULL, 7.5, '', true, true, 1),
    (3, '{"en_US": "Old"}', NULL, 1, NULL, true, false, 1),
    (4, '{"en_US": "Part"}', NULL, 1, NULL, NULL, true, 1);
INSERT INTO product_taxes_rel VALUES (1, 2), (1, 1);
INSERT INTO product_product VALUES (11, 1, 'D-1', '999', true), (10, 1, NULL, NULL, NULL);
INSERT INTO sale_order VALUES
    (1, 'S1', 'sale', NULL, 1, 1, '2026-11-23 10:00:00.123', '2026-12-01', 12.50),
    (2, 'S2', 'cancel', true, 1, 1, '2026-11-23 10:00:00', NULL, 0),
    (3, 'S3', NULL, true, 3, NULL, '2026-11-23 10:00:00', NULL, NULL);
INSERT INTO sale_order_line VALUES
    (5, 1, 20, 11, 'Desk', 1.0, 10.00, 0.3700000000000001, NULL),
    (6, 1, 10, NULL, 'Section', 0, 0, NULL, 'line_section'),
    (7, 1, 20, 10, 'Desk without a code', 2, 1.25, 2, NULL);
INSERT INTO account_tax_sale_order_line_rel VALUES (5, 2), (5, 1);
"""


@pytest.fixture
def oracle(database: Database) -> Iterator[Oracle]:
    with psycopg.connect(database.dsn) as connection:
        connection.execute(TABLES + ROWS)
    with Oracle(database.dsn, "src") as asked:
        yield asked


def line(number: int, **values: Any) -> dict[str, Any]:
    return {"key": f"src.sale_order_line_{number}", "taxes": [], "display_type": None} | values


def test_products_show_translations_taxes_variants_and_their_category(oracle: Oracle) -> None:
    answers = oracle.ask()["products"]

    desk: dict[str, Any] = {
        "key": "src.product_template_1",
        "name": "Desk",
        "name_fr": "Bureau",
        "descriptions": {"en_US": "Large"},
        "list_price": "100.00",
        "code": "D",
        "category": "All / Saleable",
        "taxes": ["15%", "5%"],
        "variants": [
            {"key": "src.product_product_10", "code": None, "barcode": None, "active": False},
            {"key": "src.product_product_11", "code": "D-1", "barcode": "999", "active": True},
        ],
    }
    desk["variants"] = [{**each, "name": "Desk"} for each in desk["variants"]]
    chair: dict[str, Any] = {
        "key": "src.product_template_2",
        "name": "Chair",
        "name_fr": "Chair",
        "descriptions": None,
        "list_price": "7.5",
        "code": "-",
        "category": "All / Saleable",
        "taxes": [],
        "variants": [],
    }
    assert answers == {1: desk, 2: chair}


def test_orders_show_their_lines_in_order(oracle: Oracle) -> None:
    answers = oracle.ask()["orders"]

    assert set(answers) == {1, 3}  # cancelled ones do not match, those without state do
    lines = answers[1].pop("lines")
    assert answers[1] == {
        "name": "S1",
        "state": "sale",
        "status": "sold",
        "locked": False,
        "date_order": "2026-11-23T10:00:00.123Z",
        "validity_date": "2026-12-01",
        "amount_total": "12.50",
        "currency": "EUR",
        "partner": {"key": "src.res_partner_1", "external_id": "base.azure"},
        "partner_id": 1,
        "partner_name": "Azure",
        "country": "DE",
        "country_fr": "Allemagne",
    }
    desk: dict[str, Any] = {"sequence": 20, "product_name": "Desk"}
    assert lines == [
        line(6, name="Section", sequence=10, qty="0", price_unit="0", price_tax=None)
        | {"display_type": "line_section", "product": None, "product_name": None},
        line(5, name="Desk", qty="1.0", price_unit="10.00", price_tax=0.3700000000000001)
        | {"product": "D-1", "taxes": ["15%", "5%"]}
        | desk,
        line(7, name="Desk without a code", qty="2", price_unit="1.25", price_tax=2.0)
        | {"product": None}
        | desk,
    ]


def test_an_order_of_which_little_is_known_is_full_of_nulls(oracle: Oracle) -> None:
    assert oracle.ask()["orders"][3] == {
        "name": "S3",
        "state": None,
        "status": "other",
        "locked": True,
        "date_order": "2026-11-23T10:00:00Z",
        "validity_date": None,
        "amount_total": None,
        "currency": None,
        "partner": {"key": "src.res_partner_3", "external_id": "src.res_partner_3"},
        "partner_id": 3,
        "partner_name": "Carol",
        "country": "FR",
        "country_fr": "France",
        "lines": [],
    }


def test_partners_are_companies_and_those_without_parent_that_are_active(oracle: Oracle) -> None:
    answers = oracle.ask()["partners"]

    assert set(answers) == {1, 3}
    assert answers[1] == {
        "name": "Azure",
        "complete_name": "Azure",
        "email": "a@x.example",
        "ref": None,
        "is_company": True,
        "active": True,
        "type": "contact",
        "create_date": "2026-11-23T10:00:00.5Z",
        "country_id.code": "DE",
        "category_id.name": ["Gold", "Old"],
        "parent_id.name": None,
        "external_id": "base.azure",
    }


def test_purchases_have_the_lines_whose_product_can_be_matched(oracle: Oracle) -> None:
    assert oracle.ask()["sale-to-purchase"] == {
        1: {
            "partner_ref": "S1",
            "partner_id": {"external_id": "base.main_partner"},
            "date_order": "2026-11-23T10:00:00.123Z",
            "order_line": [
                {
                    "key": "src.sale_order_line_5",
                    "product_id": {"match": {"default_code": "D-1"}},
                    "product_qty": "1.0",
                    "price_unit": "10.00",
                    "name": "Desk",
                }
            ],
        }
    }


def test_every_target_of_a_route_must_hold_the_same(oracle: Oracle) -> None:
    places = per_target(oracle.ask())

    assert {target for target, route in places if route == "partners"} == {"shop", "erp"}
    assert len(places) == sum(len(question.targets) for question in QUESTIONS)


def test_an_answer_is_of_the_moment_of_its_question(database: Database, oracle: Oracle) -> None:
    before = oracle.ask()["orders"][1]["state"]

    with Player(database.dsn) as player:
        sql = b"BEGIN;\nUPDATE sale_order SET state = 'draft' WHERE id = 1;\nCOMMIT;"
        first, second = player.play([Transaction(1, "draft", sql), Transaction(2, "again", sql)])

    assert (before, oracle.ask()["orders"][1]["state"]) == ("sale", "draft")
    assert first.lsn < second.lsn


def test_a_transaction_that_fails_stops_the_player(database: Database) -> None:
    with Player(database.dsn) as player, pytest.raises(AssertionError, match=r"op 7 bad.*nowhere"):
        player.commit(Transaction(7, "bad", b"BEGIN;\nDELETE FROM nowhere;\nCOMMIT;"))


def test_routes_are_yaml() -> None:
    assert routes_yaml().startswith("routes:\n  - name: products\n    targets: [shop]\n    model:")
