"""What is written, what is read back, and in which form."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from tests.odoo_client import Odoo, Rpc

pytestmark = pytest.mark.integration

MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
FRENCH = {"lang": "fr_FR"}
SHOWN = {"active_test": False}


@pytest.fixture
def partner(rpc: Rpc) -> int:
    return int(rpc("res.partner", "create", {"name": "Somebody"}))


@pytest.fixture
def product(rpc: Rpc) -> int:
    return int(rpc("product.template", "create", {"name": "Chair", "list_price": 10.0}))


def variant(rpc: Rpc, product: int) -> int:
    (number,) = rpc.one("product.template", product, "product_variant_ids", **SHOWN)[
        "product_variant_ids"
    ]
    return int(number)


def tags(rpc: Rpc, *names: str) -> list[int]:
    return list(rpc("res.partner.category", "create", [{"name": name} for name in names]))


def test_reads_have_odoos_forms(rpc: Rpc, partner: int) -> None:
    child = rpc("res.partner", "create", {"name": "Kid", "parent_id": partner})

    row = rpc.one(
        "res.partner",
        child,
        *("name", "ref", "parent_id", "country_id", "category_id", "child_ids"),
        *("active", "color", "create_date", "write_uid", "partner_latitude", "display_name"),
    )

    assert row["name"] == "Kid"
    assert row["ref"] is False
    assert row["parent_id"] == [partner, "Somebody"]
    assert row["country_id"] is False
    assert row["category_id"] == row["child_ids"] == []
    assert row["active"] is True
    assert row["color"] == 0
    assert row["partner_latitude"] == 0.0
    assert MOMENT.fullmatch(row["create_date"])
    assert row["write_uid"][0] == rpc.odoo.env.uid
    assert row["display_name"] == "Somebody, Kid"


def test_load_none_gives_bare_ids(rpc: Rpc, partner: int) -> None:
    child = rpc("res.partner", "create", {"name": "Kid", "parent_id": partner})

    (row,) = rpc("res.partner", "read", [child], ["parent_id", "country_id"], load=None)

    assert row == {"id": child, "parent_id": partner, "country_id": False}


def test_a_record_that_is_gone_is_not_read(rpc: Rpc, partner: int) -> None:
    assert [r["id"] for r in rpc("res.partner", "read", [987_654, partner], ["name"])] == [partner]


def test_one_or_many_are_created(rpc: Rpc) -> None:
    one = rpc("res.partner", "create", {"name": "One"})
    many = rpc("res.partner", "create", [{"name": "Two"}, {"name": "Three"}])

    assert isinstance(one, int)
    assert len(many) == 2
    assert rpc("res.partner", "create", []) == []


@pytest.mark.parametrize(
    ("given", "held"),
    [(12.345, 12.35), (99.999, 100.0), (0.1 + 0.2, 0.3), ("15.5", 15.5), (False, 0.0)],
    ids=["half up", "carried", "float noise", "text", "empty"],
)
def test_prices_have_two_digits(rpc: Rpc, product: int, given: Any, held: float) -> None:
    rpc("product.template", "write", [product], {"list_price": given})

    assert rpc.one("product.template", product, "list_price")["list_price"] == held


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ("", ""),
        (False, False),
        ("<p>a<script>alert(1)</script><b>b</b></p>", "<p>a<b>b</b></p>"),
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("plain & text < 3", "<p>plain &amp; text &lt; 3</p>"),
        ("a\nb", "<p>a\nb</p>"),
    ],
    ids=["empty text", "nothing", "script", "handler", "plain", "line break"],
)
def test_html_is_cleaned(rpc: Rpc, partner: int, given: Any, held: Any) -> None:
    rpc("res.partner", "write", [partner], {"comment": given})

    assert rpc.one("res.partner", partner, "comment")["comment"] == held


@pytest.mark.parametrize(
    ("field", "given", "held"),
    [
        ("ref", "", ""),
        ("ref", None, False),
        ("ref", 12, "12"),
        ("is_company", "abc", True),
        ("country_id", "abc", False),
        ("country_id", 0, False),
        ("color", "7", 7),
    ],
)
def test_values_of_another_type_are_taken_as_odoo_takes_them(
    rpc: Rpc, partner: int, field: str, given: Any, held: Any
) -> None:
    rpc("res.partner", "write", [partner], {field: given})

    assert rpc.one("res.partner", partner, field)[field] == held


def test_id_and_dates_of_creation_are_passed_over(rpc: Rpc, partner: int) -> None:
    assert rpc("res.partner", "write", [partner], {"id": 5, "create_date": "2020-01-01 00:00:00"})

    row = rpc.one("res.partner", partner, "create_date")
    assert row["id"] == partner
    assert not row["create_date"].startswith("2020")


def test_many2many_commands(rpc: Rpc, partner: int) -> None:
    one, two = tags(rpc, "One", "Two")
    held = []

    for commands in (
        [[6, 0, [one, two]]],
        [[3, one]],
        [[4, one]],
        [[4, one]],
        [[5]],
        [one, two],
        [[1, one, {"name": "Renamed"}]],
        [[2, two]],
        [[9, 0, 0]],
        [],
        False,
    ):
        assert rpc("res.partner", "write", [partner], {"category_id": commands})
        held.append(rpc.one("res.partner", partner, "category_id")["category_id"])

    both = [one, two]
    assert held[:8] == [both, [two], both, both, [], both, both, [one]]
    assert held[8:10] == [[one], [one]]
    assert rpc.one("res.partner.category", one, "name")["name"] == "Renamed"
    assert rpc("res.partner.category", "search_count", [["id", "=", two]]) == 0


def test_a_created_tag_is_linked(rpc: Rpc, partner: int) -> None:
    rpc("res.partner", "write", [partner], {"category_id": [[0, 0, {"name": "Made"}]]})

    (tag,) = rpc.one("res.partner", partner, "category_id")["category_id"]
    assert rpc.one("res.partner.category", tag, "name")["name"] == "Made"


def test_tags_show_what_stands_above_them(rpc: Rpc) -> None:
    (above,) = tags(rpc, "Above")
    below = rpc("res.partner.category", "create", {"name": "Below", "parent_id": above})

    row = rpc.one("res.partner.category", below, "display_name", "parent_path")

    assert row["display_name"] == "Above / Below"
    assert row["parent_path"] == f"{above}/{below}/"
    rpc("res.partner.category", "unlink", [above])
    assert rpc("res.partner.category", "search", [["id", "=", below]]) == []


def test_a_first_text_is_english_too(rpc: Rpc) -> None:
    number = rpc("product.template", "create", {"name": "Chaise"}, context=FRENCH)
    assert rpc.one("product.template", number, "name")["name"] == "Chaise"

    rpc("product.template", "write", [number], {"name": "Chair"})

    assert rpc.one("product.template", number, "name")["name"] == "Chair"
    assert rpc.one("product.template", number, "name", **FRENCH)["name"] == "Chaise"


def test_a_language_without_a_text_shows_the_english_one(rpc: Rpc, product: int) -> None:
    assert rpc.one("product.template", product, "name", **FRENCH)["name"] == "Chair"

    rpc("product.template", "write", [product], {"description_sale": "Oui"}, context=FRENCH)

    assert rpc.one("product.template", product, "description_sale")["description_sale"] == "Oui"


def test_loading_writes_the_language_of_the_context(rpc: Rpc, module: str) -> None:
    columns, name = ["id", "name"], f"{module}.t"
    (number,) = rpc.load("product.template", columns, [name, "Lamp"])["ids"]

    rpc.load("product.template", columns, [name, "Lampe"], lang="fr_FR")

    assert rpc.one("product.template", number, "name")["name"] == "Lamp"
    assert rpc.one("product.template", number, "name", **FRENCH)["name"] == "Lampe"


def test_all_languages_of_a_field_are_written_at_once(rpc: Rpc, product: int) -> None:
    model, method = "product.template", "update_field_translations"

    assert rpc(model, method, [product], "name", {"en_US": "Stool", "fr_FR": "Tabouret"})
    both, _ = rpc(model, "get_field_translations", [product], "name")
    assert {"lang": "fr_FR", "source": "Stool", "value": "Tabouret"} in both

    assert rpc(model, method, [product], "name", {"fr_FR": False})
    assert rpc.one(model, product, "name", **FRENCH)["name"] == "Stool"
    assert rpc(model, method, [product], "default_code", {"fr_FR": "x"}) is False


def test_a_text_in_a_language_that_is_not_active_is_refused(rpc: Rpc, product: int) -> None:
    texts = {"de_DE": "Stuhl"}
    error = rpc.refused("product.template", "update_field_translations", [product], "name", texts)

    assert error.name == "odoo.exceptions.UserError"
    assert "de_DE" in error.message


def test_a_context_in_a_language_that_is_not_active_is_refused(
    odoo_rpc: Odoo, rpc: Rpc, product: int
) -> None:
    odoo_rpc.since(18, "it reads as English")
    read = ("read", [product], ["name"])

    error = rpc.refused("product.template", *read, context={"lang": "de_DE"})

    assert error.name == "odoo.exceptions.UserError"
    assert "de_DE" in error.message


def test_a_product_has_one_variant_that_shares_its_code(rpc: Rpc) -> None:
    values = {"name": "Desk", "barcode": "777", "default_code": "D", "standard_price": 3.456}
    number = rpc("product.template", "create", values | {"weight": 1.239, "list_price": 5})
    shared = ("barcode", "default_code", "standard_price", "weight")

    template = rpc.one("product.template", number, *shared, "product_variant_count")
    row = rpc.one("product.product", variant(rpc, number), *shared, "lst_price", "name")

    assert template.pop("product_variant_count") == 1
    assert row.pop("lst_price") == 5.0
    assert row.pop("name") == "Desk"
    assert [row[name] for name in shared] == ["777", "D", 3.46, 1.24]
    assert [template[name] for name in shared] == ["777", "D", 3.46, 1.24]
    rpc("product.template", "unlink", [number])


def test_a_variant_writes_through_to_its_template(rpc: Rpc, product: int) -> None:
    values = {"name": "By variant", "lst_price": 44.444, "default_code": "VV"}
    rpc("product.product", "write", [variant(rpc, product)], values)

    row = rpc.one("product.template", product, "name", "list_price", "default_code")
    assert (row["name"], row["list_price"], row["default_code"]) == ("By variant", 44.44, "VV")


def test_a_variant_makes_its_template(rpc: Rpc) -> None:
    number = rpc("product.product", "create", {"name": "Made", "default_code": "PP"})

    (template, _) = rpc.one("product.product", number, "product_tmpl_id")["product_tmpl_id"]
    row = rpc.one("product.template", template, "name", "default_code", "product_variant_ids")
    assert (row["name"], row["default_code"]) == ("Made", "PP")
    assert row["product_variant_ids"] == [number]

    rpc("product.product", "unlink", [number])
    assert rpc("product.template", "search", [["id", "=", template]], context=SHOWN) == []


@pytest.mark.parametrize("how", ["write", "method"])
def test_archiving_a_template_archives_its_variants(rpc: Rpc, product: int, how: str) -> None:
    number = variant(rpc, product)
    seen = []

    for active, method in ((False, "action_archive"), (True, "action_unarchive")):
        if how == "method":
            rpc("product.template", method, [product])
        else:
            rpc("product.template", "write", [product], {"active": active})
        seen.append(rpc.one("product.product", number, "active")["active"])

    assert seen == [False, True]


def test_archiving_the_last_variant_archives_the_template(rpc: Rpc, product: int) -> None:
    rpc("product.product", "action_archive", [variant(rpc, product)])

    assert rpc.one("product.template", product, "active")["active"] is False


def test_what_is_archived_is_read_but_not_found(rpc: Rpc, product: int) -> None:
    rpc("product.template", "action_archive", [product])
    me = [["id", "=", product]]

    assert rpc.one("product.template", product, "active")["active"] is False
    assert rpc("product.template", "search", me) == []
    assert rpc("product.template", "search", me, context=SHOWN) == [product]
    assert rpc("product.template", "search", [*me, ["active", "=", False]]) == [product]


def test_a_new_product_has_the_companys_taxes(odoo_rpc: Odoo, rpc: Rpc, product: int) -> None:
    odoo_rpc.since(17, "no taxes without a chart of accounts")
    row = rpc.one("product.template", product, "taxes_id", "supplier_taxes_id", "type", "sale_ok")

    kinds = {
        name: rpc("account.tax", "read", row[name], ["type_tax_use"])
        for name in ("taxes_id", "supplier_taxes_id")
    }
    assert [each["type_tax_use"] for each in kinds["taxes_id"]] == ["sale"]
    assert [each["type_tax_use"] for each in kinds["supplier_taxes_id"]] == ["purchase"]
    assert (row["type"], row["sale_ok"]) == ("consu", True)


def test_names_of_contacts_follow_their_company(odoo_rpc: Odoo, rpc: Rpc, partner: int) -> None:
    odoo_rpc.since(17, "complete names are not stored")
    child = rpc("res.partner", "create", {"name": "Kid", "parent_id": partner})

    rpc("res.partner", "write", [partner], {"name": "Renamed"})

    row = rpc.one("res.partner", child, "complete_name", "commercial_partner_id")
    assert row["complete_name"] == "Renamed, Kid"
    assert row["commercial_partner_id"] == [partner, "Renamed"]


def test_a_write_that_changes_nothing_touches_its_record(odoo_rpc: Odoo, rpc: Rpc) -> None:
    number = rpc("res.partner", "create", {"name": "Same"})
    query = "SELECT xmin::text, write_date FROM res_partner WHERE id = %s"
    with psycopg.connect(odoo_rpc.dsn, autocommit=True) as connection:
        before = connection.execute(query, [number]).fetchone()
        rpc("res.partner", "write", [number], {"name": "Same"})
        after = connection.execute(query, [number]).fetchone()
        rpc("res.partner", "write", [number], {})
        empty = connection.execute(query, [number]).fetchone()

    assert before
    assert after
    assert empty
    assert len({before[0], after[0], empty[0]}) == 3
    assert before[1] < after[1] < empty[1]


def test_tracking_disable_makes_no_messages(rpc: Rpc) -> None:
    def messages(model: str, number: int) -> int:
        mine = [["model", "=", model], ["res_id", "=", number]]
        return int(rpc("mail.message", "search_count", mine))

    loud = rpc("res.partner", "create", {"name": "L"}, context={"tracking_disable": False})
    quiet = rpc("res.partner", "create", {"name": "Q"})
    order = rpc("sale.order", "create", {"partner_id": quiet})
    rpc("sale.order", "action_confirm", [order])

    assert messages("res.partner", loud) == 1
    assert messages("res.partner", quiet) == 0
    assert messages("sale.order", order) == 0


def test_searches_have_domains_orders_and_pages(rpc: Rpc, module: str) -> None:
    values = [{"name": name, "ref": module, "color": n} for n, name in enumerate("CABD")]
    ids = rpc("res.partner", "create", values)
    mine = ["ref", "=", module]

    def found(*domain: Any, **options: Any) -> list[str]:
        rows = rpc("res.partner", "search_read", [mine, *domain], ["name"], **options)
        return [row["name"] for row in rows]

    assert found() == ["A", "B", "C", "D"]
    assert found(order="name desc", limit=2, offset=1) == ["C", "B"]
    assert found(["name", "in", ["A", "D"]]) == ["A", "D"]
    assert found("|", ["name", "=", "A"], ["color", ">=", 3]) == ["A", "D"]
    assert found("!", ["name", "ilike", "a"]) == ["B", "C", "D"]
    assert found(["color", "!=", 0]) == ["A", "B", "D"]
    assert found(["color", "=", 0]) == ["C"]
    assert found(["parent_id", "=", False]) == ["A", "B", "C", "D"]
    assert found(["create_uid.login", "=", "admin"], ["id", "<", ids[1]]) == ["C"]
    assert rpc("res.partner", "search_count", [mine]) == 4
    assert rpc("res.partner", "search", [mine, ["name", "not in", ["A", "B", "C"]]]) == ids[3:]


def test_relations_are_searched(rpc: Rpc, partner: int) -> None:
    one, two = tags(rpc, "One", "Two")
    rpc("res.partner", "write", [partner], {"category_id": [[6, 0, [one]]], "ref": "tagged"})
    me = ["id", "=", partner]

    def matches(*term: Any) -> bool:
        return bool(rpc("res.partner", "search_count", [me, list(term)]))

    assert matches("category_id", "in", [one, two])
    assert not matches("category_id", "in", [two])
    assert matches("category_id.name", "=", "One")
    assert not matches("category_id", "=", None)
    assert matches("category_id", "not in", [two])


def test_a_product_is_found_by_what_it_shares(rpc: Rpc, module: str) -> None:
    number = rpc("product.product", "create", {"name": module, "barcode": module})

    for domain in ([["name", "=", module]], [["barcode", "=", module]]):
        assert rpc("product.product", "search", domain) == [number]
    (template, _) = rpc.one("product.product", number, "product_tmpl_id")["product_tmpl_id"]
    for name in ("barcode", "product_variant_ids.barcode"):
        assert rpc("product.template", "search", [[name, "=", module]]) == [template]


def test_fields_say_what_they_are(rpc: Rpc) -> None:
    asked = ["type", "required", "readonly", "relation", "relation_field", "translate", "store"]
    names = ["name", "partner_id", "order_line", "state", "amount_total", "tag_ids", "note"]
    fields = rpc("sale.order", "fields_get", names, attributes=[*asked, "selection"])
    product = rpc("product.template", "fields_get", ["name", "taxes_id"], attributes=asked)

    assert set(fields) == set(names)
    assert {name: one["type"] for name, one in fields.items()} == {
        "name": "char",
        "partner_id": "many2one",
        "order_line": "one2many",
        "state": "selection",
        "amount_total": "monetary",
        "tag_ids": "many2many",
        "note": "html",
    }
    assert fields["partner_id"]["relation"] == "res.partner"
    assert fields["partner_id"]["required"] is True
    assert fields["order_line"]["relation"] == "sale.order.line"
    assert fields["order_line"]["relation_field"] == "order_id"
    assert {key for key, _ in fields["state"]["selection"]} >= {"draft", "sent", "sale", "cancel"}
    assert fields["state"]["readonly"] is True
    assert fields["note"]["readonly"] is False
    assert product["name"]["translate"] is True
    assert product["taxes_id"]["relation"] == "account.tax"


def test_models_fields_and_languages_are_read(rpc: Rpc) -> None:
    models = rpc("ir.model", "search_read", [["model", "=", "sale.order"]], ["model", "transient"])
    (field,) = rpc(
        "ir.model.fields",
        "search_read",
        [["model", "=", "sale.order"], ["name", "=", "order_line"]],
        ["ttype", "relation", "relation_field"],
    )
    languages = rpc("res.lang", "search_read", [], ["code", "active"])

    assert [(each["model"], each["transient"]) for each in models] == [("sale.order", False)]
    assert (field["ttype"], field["relation"]) == ("one2many", "sale.order.line")
    assert field["relation_field"] == "order_id"
    assert {row["code"] for row in languages} == {"en_US", "fr_FR"}


def test_the_context_begins_with_the_users(rpc: Rpc) -> None:
    context = rpc("res.users", "context_get")

    assert context["uid"] == rpc.odoo.env.uid
    assert context["lang"] == "en_US"


def test_a_company_of_another_is_refused(rpc: Rpc) -> None:
    (company,) = rpc("res.company", "search", [], limit=1, order="id")
    mine, others = {"allowed_company_ids": [company]}, {"allowed_company_ids": [99]}

    order = rpc("sale.order", "create", {"partner_id": 1}, context=mine)

    assert rpc.one("sale.order", order, "company_id")["company_id"][0] == company
    refused = rpc.refused("sale.order", "search", [], context=others)
    assert refused.name == "odoo.exceptions.AccessError"
