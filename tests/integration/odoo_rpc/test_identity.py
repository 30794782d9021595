"""External ids and `load`: how a record is found again, in a real Odoo as in the stand-in."""

from __future__ import annotations

import pytest

from tests.odoo_client import Odoo, Rpc

pytestmark = pytest.mark.integration

PARTNER = ["id", "name", "ref"]
LINES = [
    "id",
    "partner_id/.id",
    "order_line/id",
    "order_line/product_id/.id",
    "order_line/name",
    "order_line/product_uom_qty",
    "order_line/price_unit",
]
GONE = 987_654


@pytest.fixture
def partner(rpc: Rpc) -> int:
    return int(rpc("res.partner", "create", {"name": "Buyer"}))


@pytest.fixture
def variant(rpc: Rpc) -> int:
    template = rpc("product.template", "create", {"name": "Chair", "list_price": 10.0})
    (number,) = rpc.one("product.template", template, "product_variant_ids")["product_variant_ids"]
    return int(number)


def test_loading_creates_a_record_and_names_it(rpc: Rpc, module: str) -> None:
    answer = rpc.load("res.partner", PARTNER, [f"{module}.res_partner_1", "One", "R1"])

    assert answer["messages"] == []
    (number,) = answer["ids"]
    assert rpc.named(module) == {"res_partner_1": ("res.partner", number)}
    row = rpc.one("res.partner", number, "name", "ref")
    assert row == {"id": number, "name": "One", "ref": "R1"}


def test_loading_again_writes_the_same_record(rpc: Rpc, module: str) -> None:
    first = rpc.loaded("res.partner", PARTNER, [f"{module}.p", "One", "R1"])

    again = rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "Two"])

    assert again == first
    assert rpc.one("res.partner", first[0], "name", "ref")["name"] == "Two"
    assert rpc.one("res.partner", first[0], "ref")["ref"] == "R1"


def test_what_is_archived_is_found_and_written(rpc: Rpc, module: str) -> None:
    first = rpc.loaded("res.partner", PARTNER, [f"{module}.p", "One", "R1"])
    rpc("res.partner", "action_archive", first)

    again = rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "Two"])

    assert again == first
    assert rpc.one("res.partner", first[0], "active", "name")["active"] is False


def test_one_bad_row_undoes_the_whole_call(rpc: Rpc, module: str) -> None:
    answer = rpc.load(
        "res.partner",
        ["id", "name", "type"],
        [f"{module}.good", "One", "contact"],
        [f"{module}.bad", "Two", "nonsense"],
    )

    assert answer["ids"] is False
    (message,) = answer["messages"]
    assert message["type"] == "error"
    assert message["record"] == 1
    assert message["rows"] == {"from": 1, "to": 1}
    assert message["field"] == "type"
    assert "'nonsense'" in message["message"]
    assert rpc.named(module) == {}
    assert (
        rpc("res.partner", "search_count", [["name", "in", ["One"]], ["type", "=", module]]) == 0
    )


def test_every_bad_row_is_told(rpc: Rpc, module: str) -> None:
    answer = rpc.load(
        "res.partner",
        ["id", "name", "type", "color"],
        [f"{module}.a", "One", "nonsense", "x"],
        [f"{module}.b", "Two", "contact", "y"],
        [f"{module}.c", "", "contact", "1"],
        [f"{module}.d", "Four", "contact", "1"],
    )

    assert answer["ids"] is False
    told = [(message["record"], message.get("field")) for message in answer["messages"]]
    assert told == [(0, "type"), (0, "color"), (1, "color"), (2, None)]
    assert rpc.named(module) == {}


def test_a_column_that_is_no_field_is_raised(rpc: Rpc, module: str) -> None:
    error = rpc.refused("res.partner", "load", ["id", "nmae"], [[f"{module}.p", "One"]])

    assert error.name in {"builtins.ValueError", "builtins.KeyError"}  # since 18, before it
    assert "nmae" in error.message


def test_a_missing_value_names_its_field(rpc: Rpc, module: str) -> None:
    answer = rpc.load("sale.order", ["id", "client_order_ref"], [f"{module}.so", "X"])

    assert answer["ids"] is False
    assert answer["messages"][0]["field"] == "partner_id"
    assert "(partner_id)" in answer["messages"][0]["message"]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("country_id/id", "nowhere.at_all", "external id 'nowhere.at_all'"),
        ("country_id/.id", str(GONE), f"database id '{GONE}'"),
    ],
    ids=["by external id", "by database id"],
)
def test_a_relation_that_is_not_there_is_named(
    rpc: Rpc, module: str, column: str, value: str, said: str
) -> None:
    answer = rpc.load("res.partner", ["id", "name", column], [f"{module}.p", "One", value])

    assert answer["ids"] is False
    assert answer["messages"][0]["field"] == "country_id"
    assert said in answer["messages"][0]["message"]
    assert rpc.named(module) == {}


def test_relations_are_given_by_external_id_or_database_id(rpc: Rpc, module: str) -> None:
    (parent,) = rpc.loaded("res.partner", ["id", "name"], [f"{module}.above", "Above"])

    by_name = rpc.loaded(
        "res.partner",
        ["id", "name", "parent_id/id"],
        [f"{module}.a", "A", f"{module}.above"],
        [f"{module}.b", "B", ""],
    )
    by_number = rpc.loaded(
        "res.partner", ["id", "name", "parent_id/.id"], [f"{module}.c", "C", parent]
    )

    parents = rpc("res.partner", "read", by_name + by_number, ["parent_id"], load=False)
    assert [row["parent_id"] for row in parents] == [parent, False, parent]


def test_an_external_id_of_another_model_is_refused(rpc: Rpc, module: str) -> None:
    rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "One"])

    as_a_tag = rpc.load("res.partner.category", ["id", "name"], [f"{module}.p", "Tag"])
    as_a_country = rpc.load(
        "res.partner", ["id", "name", "country_id/id"], [f"{module}.q", "Two", f"{module}.p"]
    )

    for answer in (as_a_tag, as_a_country):
        assert answer["ids"] is False
        assert f"{module}.p" in answer["messages"][0]["message"]
    assert list(rpc.named(module)) == ["p"]


def test_an_unknown_external_id_makes_a_second_record_whatever_the_database_id_says(
    rpc: Rpc, module: str, partner: int
) -> None:
    (made,) = rpc.loaded(
        "res.partner", [".id", "id", "name"], [str(partner), f"{module}.p", "Other"]
    )

    assert made != partner
    assert rpc.one("res.partner", partner, "name")["name"] == "Buyer"


def test_a_record_that_is_there_is_named_by_hand(rpc: Rpc, module: str, partner: int) -> None:
    name = {"module": module, "name": "p", "model": "res.partner", "res_id": partner}
    rpc("ir.model.data", "create", name)

    assert rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "Named"]) == [partner]


def test_a_name_is_given_once(rpc: Rpc, module: str, partner: int) -> None:
    name = {"module": module, "name": "p", "model": "res.partner", "res_id": partner}
    rpc("ir.model.data", "create", name)

    error = rpc.refused("ir.model.data", "create", {**name, "res_id": partner + 1})

    assert error.name == "odoo.exceptions.ValidationError"
    assert "already exists" in error.message
    assert rpc.named(module) == {"p": ("res.partner", partner)}


def test_a_record_may_have_several_names(rpc: Rpc, module: str, partner: int) -> None:
    for name in ("one", "two.with.points"):
        values = {"module": module, "name": name, "model": "res.partner", "res_id": partner}
        rpc("ir.model.data", "create", values)

    assert set(rpc.named(module)) == {"one", "two.with.points"}
    loaded = rpc.loaded("res.partner", ["id", "name"], [f"{module}.two.with.points", "Both"])
    assert loaded == [partner]


def test_a_name_goes_with_its_record(rpc: Rpc, module: str) -> None:
    first = rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "One"])

    rpc("res.partner", "unlink", first)

    assert rpc.named(module) == {}
    assert rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "New"]) != first


def test_a_name_of_what_is_gone_is_given_anew(rpc: Rpc, module: str) -> None:
    name = {"module": module, "name": "p", "model": "res.partner", "res_id": GONE}
    rpc("ir.model.data", "create", name)

    (number,) = rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "New"])

    assert rpc.named(module) == {"p": ("res.partner", number)}


def test_a_name_is_looked_up_as_a_reference(rpc: Rpc, module: str) -> None:
    (number,) = rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "One"])

    assert rpc.odoo.env.ref(f"{module}.p").id == number
    missing = rpc.refused("ir.model.data", "check_object_reference", module, "nothing")
    assert missing.name == "builtins.ValueError"


def test_an_order_and_its_lines_are_made_and_named_in_one_call(
    rpc: Rpc, module: str, partner: int, variant: int
) -> None:
    (order,) = rpc.loaded(
        "sale.order",
        LINES,
        [f"{module}.so", partner, f"{module}.l1", variant, "First", "2", "10.50"],
        ["", "", f"{module}.l2", variant, "Second", 3, 7.25],
    )

    lines = rpc.one("sale.order", order, "order_line")["order_line"]
    assert rpc.named(module) == {
        "so": ("sale.order", order),
        "l1": ("sale.order.line", lines[0]),
        "l2": ("sale.order.line", lines[1]),
    }
    rows = rpc("sale.order.line", "read", lines, ["name", "product_uom_qty", "price_unit"])
    assert [(r["name"], r["product_uom_qty"], r["price_unit"]) for r in rows] == [
        ("First", 2.0, 10.5),
        ("Second", 3.0, 7.25),
    ]
    assert rpc.one("sale.order", order, "amount_untaxed")["amount_untaxed"] == 42.75


def test_lines_that_are_not_listed_stay(rpc: Rpc, module: str, partner: int, variant: int) -> None:
    head = [f"{module}.so", partner]
    first = ["", "", f"{module}.l2", variant, "Second", "1", "1"]
    rpc.loaded("sale.order", LINES, [*head, f"{module}.l1", variant, "First", "1", "1"], first)

    (order,) = rpc.loaded(
        "sale.order",
        LINES,
        [*head, f"{module}.l1", variant, "Changed", "5", "1"],
        ["", "", f"{module}.l3", variant, "Third", "1", "1"],
    )

    lines = rpc("sale.order.line", "search_read", [["order_id", "=", order]], ["name"])
    assert [row["name"] for row in lines] == ["Changed", "Second", "Third"]
    assert set(rpc.named(module)) == {"so", "l1", "l2", "l3"}


def test_a_bad_line_undoes_its_order(rpc: Rpc, module: str, partner: int) -> None:
    answer = rpc.load(
        "sale.order",
        ["id", "partner_id/.id", "order_line/id", "order_line/product_id/id"],
        [f"{module}.so", partner, f"{module}.l1", f"{module}.nothing"],
    )

    assert answer["ids"] is False
    assert answer["messages"][0]["field"] == "order_line"
    assert f"'{module}.nothing'" in answer["messages"][0]["message"]
    assert rpc.named(module) == {}


def test_the_name_of_another_orders_line_moves_that_line(
    rpc: Rpc, module: str, partner: int, variant: int
) -> None:
    line = [f"{module}.l1", variant, "Line", "1", "1"]
    (one,) = rpc.loaded("sale.order", LINES, [f"{module}.one", partner, *line])

    (other,) = rpc.loaded("sale.order", LINES, [f"{module}.other", partner, *line])

    assert rpc.one("sale.order", one, "order_line")["order_line"] == []
    number = rpc.named(module)["l1"][1]
    assert rpc.one("sale.order", other, "order_line")["order_line"] == [number]


def test_lines_are_loaded_by_their_own_model_too(
    rpc: Rpc, module: str, partner: int, variant: int
) -> None:
    rpc.loaded("sale.order", ["id", "partner_id/.id"], [f"{module}.so", partner])
    columns = ["id", "order_id/id", "product_id/.id", "product_uom_qty"]

    first = rpc.loaded("sale.order.line", columns, [f"{module}.l", f"{module}.so", variant, "4"])
    again = rpc.loaded("sale.order.line", ["id", "product_uom_qty"], [f"{module}.l", "6"])

    assert again == first
    assert rpc.one("sale.order.line", first[0], "product_uom_qty")["product_uom_qty"] == 6.0


def test_an_order_that_is_deleted_leaves_the_names_of_its_lines(
    rpc: Rpc, module: str, partner: int, variant: int
) -> None:
    row = [f"{module}.so", partner, f"{module}.l1", variant, "Line", "1", "1"]
    order = rpc.loaded("sale.order", LINES, row)
    gone = rpc.named(module)["l1"][1]
    rpc("sale.order", "unlink", order)
    assert rpc.named(module) == {"l1": ("sale.order.line", gone)}

    rpc.loaded("sale.order", LINES, row)

    assert rpc.named(module)["l1"][1] != gone


def test_the_name_of_a_line_goes_with_the_line(
    rpc: Rpc, module: str, partner: int, variant: int
) -> None:
    row = [f"{module}.so", partner, f"{module}.l1", variant, "Line", "1", "1"]
    order = rpc.loaded("sale.order", LINES, row)

    rpc("sale.order", "write", order, {"order_line": [[2, rpc.named(module)["l1"][1]]]})

    assert set(rpc.named(module)) == {"so"}


def test_a_template_and_its_variant_are_named_in_one_call(rpc: Rpc, module: str) -> None:
    columns = ["id", "name", "product_variant_ids/id", "product_variant_ids/default_code"]

    for code in ("C1", "C2"):
        (number,) = rpc.loaded(
            "product.template", columns, [f"{module}.t", "Chair", f"{module}.v", code]
        )
        row = rpc.one("product.template", number, "product_variant_ids", "default_code")
        (variant,) = row["product_variant_ids"]
        assert row["default_code"] == code
        assert rpc.named(module) == {
            "t": ("product.template", number),
            "v": ("product.product", variant),
        }


def test_tags_are_set_exactly(rpc: Rpc, module: str, partner: int) -> None:
    tags = rpc.loaded(
        "res.partner.category", ["id", "name"], [f"{module}.a", "A"], [f"{module}.b", "B"]
    )
    held = []

    for value in (f"{module}.a,{module}.b", f"{module}.b", ""):
        rpc.loaded("res.partner", [".id", "category_id/id"], [str(partner), value])
        held.append(rpc.one("res.partner", partner, "category_id")["category_id"])

    assert held == [tags, tags[1:], []]


@pytest.mark.parametrize(
    ("column", "value"),
    [("color", "abc"), ("is_company", "perhaps"), ("type", "nonsense"), (".id", str(GONE))],
)
def test_text_that_is_no_value_of_its_field_is_told(rpc: Rpc, column: str, value: str) -> None:
    answer = rpc.load("res.partner", ["name", column], ["One", value])

    assert answer["ids"] is False
    assert answer["messages"][0]["field"] == column
    assert value in answer["messages"][0]["message"]


def test_moments_are_read_in_the_time_zone_of_the_context(
    rpc: Rpc, module: str, partner: int
) -> None:
    columns = ["id", "partner_id/.id", "date_order"]
    row = [f"{module}.so", partner, "2026-01-01 10:00:00"]
    seen = []

    for zone in ("UTC", "Europe/Brussels"):
        (order,) = rpc.load("sale.order", columns, row, tz=zone)["ids"]
        seen.append(rpc.one("sale.order", order, "date_order")["date_order"])

    assert seen == ["2026-01-01 10:00:00", "2026-01-01 09:00:00"]


def test_a_moment_of_another_form_is_told(rpc: Rpc, module: str, partner: int) -> None:
    answer = rpc.load(
        "sale.order",
        ["id", "partner_id/.id", "date_order"],
        [f"{module}.so", partner, "2026-01-01T10:00:00Z"],
    )

    assert answer["ids"] is False
    assert answer["messages"][0]["field"] == "date_order"


def test_what_rights_refuse_is_a_message_of_load(odoo_rpc: Odoo, rpc: Rpc, module: str) -> None:
    answer = odoo_rpc.client_of_reader().load(
        "res.partner", ["id", "name"], [f"{module}.p", "One"]
    )

    assert answer["ids"] is False
    assert len(answer["messages"]) == 1
    assert rpc.named(module) == {}
