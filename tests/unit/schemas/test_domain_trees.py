"""`child_of` and `parent_of`, on the recorded rows; what the recorded cases leave open."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import mapping
from schemas.document import NotShown, Read
from schemas.domain import Context, check, compile_domain, implied_reads, parse, reads, unfit
from schemas.fields import Field, Kind, Model, Models
from schemas.shaping import build
from tests.recorded import MODELS, ROWS, document_of


def found(model: str, written: Any, *, active_test: bool = False) -> list[int]:
    """Ask a domain about the recorded rows."""
    domain = parse(written)
    assert not check(domain, MODELS, model, Context())
    implied = implied_reads(domain, MODELS, model, Context(), active_test=active_test)
    shape = build(MODELS, model, [*reads(domain), *implied])
    matches = compile_domain(domain, shape, Context(), active_test=active_test)
    return [row["id"] for row in ROWS[shape.table] if matches(document_of(shape, row))]


@pytest.mark.parametrize(
    ("model", "written", "expected"),
    [
        pytest.param(
            "product.category", [["id", "child_of", 9002]], [9002, 9003], id="itself and below"
        ),
        pytest.param(
            "product.category",
            [["parent_id", "child_of", 9002]],
            [9002, 9003],
            id="a many2one to the same model speaks of the record itself",
        ),
        pytest.param(
            "product.category",
            [["child_id", "child_of", 9002]],
            [9002, 9003],
            id="and so does a one2many",
        ),
        pytest.param(
            "product.category", [["id", "child_of", [9003, 90010]]], [9003, 90010], id="several"
        ),
        pytest.param("product.category", [["id", "child_of", 9]], [], id="ids are whole"),
        pytest.param("product.category", [["id", "child_of", 0]], [], id="none"),
        pytest.param("product.category", [["id", "parent_of", False]], [], id="above none"),
        pytest.param(
            "product.category", ["!", ["id", "child_of", 9002]], [9001, 90010], id="not below"
        ),
        pytest.param(
            "product.category",
            ["!", ["id", "child_of", []]],
            [9001, 9002, 9003, 90010],
            id="not below none",
        ),
        pytest.param(
            "product.category",
            [["parent_id.parent_id", "child_of", 9001]],
            [9002, 9003],
            id="a path speaks of the record before its end",
        ),
        pytest.param(
            "product.template", ["!", ["categ_id", "child_of", 9001]], [9003], id="not in a tree"
        ),
        pytest.param(
            "product.template",
            [["categ_id", "any", [["id", "child_of", 9002]]]],
            [9001, 9002],
            id="inside any",
        ),
        pytest.param(
            "sale.order",
            [["order_line.product_id.categ_id", "child_of", 9003]],
            [9001, 9003],
            id="through related fields",
        ),
        pytest.param(
            "res.partner",
            ["!", ["category_id", "child_of", 9001]],
            [9002, 9003, 9005, 9006],
            id="not, of a list",
        ),
    ],
)
def test_a_tree_is_read_from_the_path_of_each_record(
    model: str, written: Any, expected: list[int]
) -> None:
    assert found(model, written) == expected


def test_archived_records_of_a_list_are_below_nothing_under_active_test() -> None:
    below = [["active", "in", [True, False]], ["category_id", "child_of", 9003]]

    assert found("res.partner", below) == [9002, 9004, 9005]
    assert found("res.partner", below, active_test=True) == [9002]


@pytest.mark.parametrize("path", [None, "9/"])
@pytest.mark.parametrize("negated", [False, True])
def test_not_keeps_sqls_third_value(path: str | None, *, negated: bool) -> None:
    term = ["id", "child_of", 7]
    domain = parse(["!", term] if negated else [term])
    shape = build(MODELS, "product.category", [Read("parent_path")])
    matches = compile_domain(domain, shape, Context())

    assert matches({"id": 9, "parent_path": path}) is (negated and path is not None)


def test_not_below_does_not_match_where_the_many2one_is_empty() -> None:
    domain = parse(["!", ["categ_id", "child_of", 7]])
    shape = build(MODELS, "product.template", [Read("categ_id.parent_path")])
    matches = compile_domain(domain, shape, Context())

    assert not matches({"id": 1, "categ_id": None})
    assert matches({"id": 1, "categ_id": {"id": 9, "parent_path": None}})
    assert matches({"id": 1, "categ_id": {"id": 9, "parent_path": "9/"}})


@pytest.mark.parametrize(
    ("model", "term", "message", "remedy"),
    [
        pytest.param(
            "res.partner",
            ["id", "child_of", 7],
            "res.partner has no parent_path",
            '"|", ["id", "in", [7]], "|", ["parent_id", "in", [7]],'
            ' ["parent_id.parent_id", "in", [7]]',
            id="no path",
        ),
        pytest.param(
            "sale.order",
            ["partner_id", "child_of", 7],
            "no parent_path",
            '["partner_id.id", "in", [7]], "|", ["partner_id.parent_id", "in", [7]],',
            id="through",
        ),
        pytest.param("sale.order", ["id", "child_of", 7], "is no tree", "in", id="no tree"),
        pytest.param(
            "product.category", ["name", "child_of", 7], "place in a tree", "id", id="a text"
        ),
        pytest.param(
            "product.category", ["id", "child_of", "F"], "names of other", "ids", id="a name"
        ),
        pytest.param("product.category", ["id", "child_of", True], "no id", "ids", id="true"),
        pytest.param(
            "product.category", ["id", "child_of", [7, False]], "no id", "ids", id="false inside"
        ),
        pytest.param(
            "product.template", ["categ_id", "parent_of", 7], "above a record", "in", id="above"
        ),
        pytest.param(
            "product.product", ["taxes_id", "child_of", 7], "no tree", "ids", id="no tree behind"
        ),
    ],
)
def test_a_tree_that_documents_do_not_show_is_refused(
    model: str, term: list[Any], message: str, remedy: str
) -> None:
    [fault] = check(parse([term]), MODELS, model, Context())

    assert message in fault.message
    assert remedy in fault.remedy
    assert fault.key == "[0]"


def test_an_event_without_the_path_says_nothing_of_the_tree() -> None:
    domain = parse([["categ_id", "child_of", 7]])
    older = build(MODELS, "product.template", [Read("categ_id.name")])

    assert not unfit(domain, older, Context())
    with pytest.raises(NotShown):
        compile_domain(domain, older, Context())


def test_a_related_list_is_refused_and_its_path_is_not() -> None:
    tree = Model(
        "a.tree", "a_tree", {"parent_path": Field("parent_path", "char", Kind.TEXT, stored=True)}
    )
    many = Field(
        "tree_ids",
        "many2many",
        relation="a.tree",
        table="rel",
        column1="a",
        column2="b",
        stored=True,
    )
    owner = Model("an.owner", "an_owner", {"tree_ids": many})
    own = {
        "owner_id": Field("owner_id", "many2one", relation="an.owner", stored=True),
        "tree_ids": Field("tree_ids", "many2many", related="owner_id.tree_ids"),
    }
    models = Models({"a.tree": tree, "an.owner": owner, "a": Model("a", "a", own)})

    [fault] = check(parse([["tree_ids", "child_of", 7]]), models, "a", Context())

    assert "whether archived records count" in fault.message
    assert "owner_id.tree_ids" in fault.remedy
    assert not check(parse([["owner_id.tree_ids", "child_of", 7]]), models, "a", Context())


def test_domains_of_parts_imply_their_paths() -> None:
    each = {
        "each": "order_line",
        "domain": [["product_id.categ_id", "child_of", 9002]],
        "map": {"k": "key"},
    }

    found = mapping.implied_reads(
        mapping.parse_map({"lines": each}), MODELS, "sale.order", Context()
    )

    assert found == [
        Read("order_line.product_id.product_tmpl_id.categ_id.parent_path", asked=True)
    ]


def test_archived_records_of_a_one2many_are_below_also_under_active_test() -> None:
    tree = {
        "parent_path": Field("parent_path", "char", Kind.TEXT, stored=True),
        "active": Field("active", "boolean", Kind.BOOLEAN, stored=True),
        "a_id": Field("a_id", "many2one", relation="a", stored=True),
    }
    own = {"tree_ids": Field("tree_ids", "one2many", relation="a.tree", inverse="a_id")}
    models = Models({"a.tree": Model("a.tree", "a_tree", tree), "a": Model("a", "a", own)})
    domain = parse([["tree_ids", "child_of", 7]])

    assert implied_reads(domain, models, "a", Context(), active_test=True) == [
        Read("tree_ids.parent_path", asked=True)
    ]
    shape = build(models, "a", [Read("tree_ids.parent_path"), Read("tree_ids.active")])
    matches = compile_domain(domain, shape, Context(), active_test=True)
    assert matches({"id": 1, "tree_ids": [{"id": 8, "parent_path": "7/8/", "active": False}]})
