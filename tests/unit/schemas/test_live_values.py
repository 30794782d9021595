"""Values that no column holds: where a mapping may have them, and what it wants of Odoo."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.delivery import Want
from schemas.document import Live, Shape
from schemas.domain import Context
from schemas.mapping import (
    Renderer,
    Writing,
    changed,
    check,
    compile_mapping,
    live_paths,
    parse_map,
    reads,
    unfit,
)
from schemas.mapping.live import place_of, steps_of
from schemas.shaping import InModels, Unreadable
from tests.documents import MODELS, behind, order, record, shape_of

EARLY, LATE = "2026-11-23T10:00:00.123456Z", "2026-11-23T10:00:05Z"


def made(values: dict[str, Any]) -> tuple[Renderer, Shape]:
    mapping = parse_map(values)
    shape = shape_of(reads(mapping))
    return compile_mapping(mapping, shape, Writing("odoo_a")), shape


def faults(value: Any, *, live: bool = True) -> list[Any]:
    return check(parse_map({"x": value}), MODELS, "sale.order", Context(), live=live)


# --- where they may stand


def test_a_live_value_is_shown_with_the_date_that_tells_when_it_may_have_changed() -> None:
    shape = shape_of(reads(parse_map({"m": "margin", "i": "partner_id.image_1920"})))

    partner = shape.link("partner_id")
    assert shape.live == (Live("margin", "float"),)
    assert [column.name for column in shape.columns] == ["write_date"]
    assert partner is not None
    assert partner.shape.live == (Live("image_1920", "binary"),)
    assert Shape.from_json(shape.to_json()) == shape


def test_shapes_without_live_values_are_written_as_if_there_were_none() -> None:
    assert "live" not in shape_of(reads(parse_map({"n": "name"}))).to_json()


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("margin", id="computed"),
        pytest.param("partner_id.image_1920", id="an image behind a many2one"),
        pytest.param("expected", id="a computed relation"),
        pytest.param({"each": "order_line", "map": {"m": "margin"}}, id="of parts"),
        pytest.param({"path": "partner_id.image_1920", "follow": False}, id="not followed"),
    ],
)
def test_a_mapping_may_have_it_where_odoo_can_be_asked(value: Any) -> None:
    assert faults(value) == []


def test_law_10_without_source_odoo_the_remedy_names_it() -> None:
    (fault,) = faults("margin", live=False)

    assert "no column" in fault.message
    assert "source.odoo" in fault.remedy


@pytest.mark.parametrize(
    ("value", "key", "says", "remedy"),
    [
        pytest.param({"path": "margin", "table": {1: 2}}, "", "`table`", "leave", id="table"),
        pytest.param({"path": "margin", "default": ""}, "", "`default`", "leave", id="default"),
        pytest.param({"path": "margin", "mask": "last4"}, "", "`mask`", "leave", id="mask"),
        pytest.param({"path": "margin", "lang": "fr_FR"}, "", "`lang`", "leave", id="lang"),
        pytest.param({"path": "margin", "company": 1}, "", "`company`", "leave", id="company"),
        pytest.param("order_line.margin", "", "one record at a time", "each", id="a list"),
        pytest.param({"ref": "expected"}, "", "not stored", "stored", id="ref"),
        pytest.param("expected.key", "", "not stored", "stored", id="key"),
        pytest.param({"ref": "margin"}, "", "no column", "stored", id="ref of a value"),
        pytest.param(
            {"match": {"m": "margin"}}, ".match.m", "cannot be searched", "stored", id="match"
        ),
        pytest.param("margin.x", "", "leads nowhere", "End", id="beyond it"),
        pytest.param(
            {"each": "order_line", "domain": [["margin", ">", 5]], "map": {"n": "name"}},
            ".domain[0]",
            "no column",
            "stored",
            id="a domain",
        ),
        pytest.param(
            {"each": "order_line", "map": {"i": "product_id.product_tmpl_id.image_1920"}},
            ".map.i",
            "no write_date",
            "stored",
            id="a model that keeps no write_date",
        ),
    ],
)
def test_law_10_what_cannot_be_had_of_it_is_refused_with_a_remedy(
    value: Any, key: str, says: str, remedy: str
) -> None:
    (fault,) = faults(value)

    assert fault.key == f"map.x{key}"
    assert says in fault.message
    assert remedy in fault.remedy


def test_every_live_value_of_a_route_is_named() -> None:
    mapping = parse_map(
        {
            "m": "margin",
            "n": "name",
            "lines": {"each": "order_line", "map": {"m": "margin"}},
            "i": "partner_id.image_1920",
        }
    )

    assert live_paths(mapping, MODELS, "sale.order") == [
        ("sale.order", "margin", "map.m"),
        ("sale.order.line", "margin", "map.lines.map.m"),
        ("res.partner", "image_1920", "map.i"),
    ]


def test_law_10_a_worker_that_cannot_ask_odoo_refuses_the_route_as_check_does() -> None:
    mapping = parse_map({"x": "margin"})
    shape = shape_of(reads(mapping))

    assert unfit(mapping, shape, Context(), live=True) == []
    (fault,) = unfit(mapping, shape, Context())
    assert "source.odoo" in fault.remedy


def test_a_database_alone_does_not_show_it() -> None:
    with pytest.raises(Unreadable, match="no column"):
        InModels(MODELS, "sale.order").shape("margin")


# --- what is wanted


def test_the_fields_have_null_where_odoo_is_to_be_asked() -> None:
    renderer, shape = made(
        {
            "a/b": "margin",
            "image": "partner_id.image_1920",
            "lines": {
                "each": "order_line",
                "domain": [["name", "!=", "x"]],
                "map": {"m": "margin"},
            },
        }
    )
    lines = [
        record(behind(shape, "order_line"), n, name=name, write_date=LATE)
        for n, name in ((7, "x"), (8, "y"))
    ]
    partner = record(behind(shape, "partner_id"), 3, write_date=None)
    document = order(shape, write_date=EARLY, partner_id=partner, order_line=lines)

    assert renderer.render(document) == {"a/b": None, "image": None, "lines": [{"m": None}]}
    assert renderer.wants(document) == (
        Want("/a~1b", "sale.order", 42, "margin", "float", EARLY),
        Want("/image", "res.partner", 3, "image_1920", "binary", None),
        Want("/lines/0/m", "sale.order.line", 8, "margin", "monetary", LATE),
    )


def test_nothing_is_wanted_of_a_record_that_is_not_there() -> None:
    renderer, shape = made({"image": "partner_id.image_1920"})

    assert renderer.wants(order(shape, partner_id=None)) == ()


def test_a_place_comes_back_as_the_names_that_it_is_made_of() -> None:
    place = place_of(place_of(place_of("", "a/b~1"), 0), "c")

    assert place == "/a~1b~01/0/c"
    assert steps_of(place) == ["a/b~1", "0", "c"]


# --- what counts as a change


def test_it_may_have_changed_where_its_record_was_written() -> None:
    renderer, shape = made({"n": "name", "m": "margin"})
    before, after = order(shape, write_date=EARLY), order(shape, write_date=LATE)

    assert renderer.compared(before) != renderer.compared(after)
    assert renderer.compared(before) == renderer.compared(dict(before))
    assert changed(renderer, before, after) == ["m"]


@pytest.mark.parametrize("follow", [True, False])
def test_without_follow_a_write_on_the_record_behind_alone_is_no_change(*, follow: bool) -> None:
    renderer, shape = made({"i": {"path": "partner_id.image_1920", "follow": follow}})
    at = behind(shape, "partner_id")
    before, after = (
        order(shape, partner_id=record(at, 3, write_date=date)) for date in (EARLY, LATE)
    )

    assert (renderer.compared(before) != renderer.compared(after)) is follow
