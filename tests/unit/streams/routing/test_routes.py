"""Routes against the shapes of the events that there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schemas import domain, mapping
from schemas.config import Route
from schemas.document import Read, Shape
from schemas.domain import Context
from schemas.mapping import Writing
from streams.routing.routes import Routes, UnfitRoute
from tests.documents import MODELS, shape_of

SHAPE = shape_of([Read("name"), Read("priority"), Read("order_line.name", each=True)])
OLDER = shape_of([Read("name")])
WRONG = [["priority", "=", "high"]]


def routes(written: list[Any] | None = None, values: dict[str, Any] | None = None) -> Routes:
    made = Route(
        name="orders",
        model="sale.order",
        domain=domain.parse(written or []),
        mapping=mapping.parse_map(values or {"name": "name"}),
        targets=("webshop",),
        target_model="sale.order",
        index=3,
    )
    return Routes(Writing("odoo_a"), (made,))


@pytest.mark.parametrize(
    ("written", "values", "where"),
    [
        pytest.param(WRONG, None, "routes[3].domain[0]", id="value that the field never has"),
        pytest.param([["id", "parent_of", 7]], None, "routes[3].domain[0]", id="operator"),
        pytest.param(
            None,
            {"x": {"each": "order_line", "domain": [["name", ">", 5]], "map": {"n": "name"}}},
            "routes[3].map.x.domain[0]",
            id="domain of parts",
        ),
        pytest.param(None, {"x": {"ref": "name"}}, "routes[3].map.x", id="no relation"),
        pytest.param(
            None,
            {"x": {"path": "priority", "table": {"high": 1}}},
            "routes[3].map.x.table.high",
            id="table",
        ),
    ],
)
def test_law_10_what_events_cannot_answer_is_found_in_the_words_of_check(
    written: list[Any] | None, values: dict[str, Any] | None, where: str
) -> None:
    unfit = routes(written, values)

    [found] = unfit.findings([SHAPE])

    asked = unfit.routes[0]
    checked = [
        *domain.check(asked.domain, MODELS, "sale.order", Context()),
        *mapping.check(asked.mapping, MODELS, "sale.order", Context()),
    ]
    assert found.where == where
    assert [(found.message, found.remedy)] == [(fault.message, fault.remedy) for fault in checked]


@pytest.mark.parametrize(
    ("written", "shapes"),
    [
        pytest.param(WRONG, [], id="no shape is known"),
        pytest.param(WRONG, [OLDER], id="no shape shows it"),
        pytest.param(WRONG, [OLDER, SHAPE], id="one does not show it"),
        pytest.param([["priority", "=", 1]], [SHAPE], id="it can be answered"),
    ],
)
def test_what_no_shape_refutes_is_taken_on_trust(written: list[Any], shapes: list[Shape]) -> None:
    assert routes(written).findings(shapes) == []


def test_law_10_an_event_that_a_route_cannot_read_stops_with_the_route_and_the_remedy() -> None:
    with pytest.raises(UnfitRoute, match=r'route "orders": .*domain.*"high"') as raised:
        routes(WRONG).of(SHAPE)

    assert raised.value.exit_code == 2
    assert "odoo-cdc check" in raised.value.hint


def test_what_an_older_event_does_not_show_the_former_route_of_that_name_answers() -> None:
    before = routes(values={"title": "name"})
    after = routes(values={"title": "priority"})
    after.former = before

    older, newer = after.of(OLDER), after.of(SHAPE)

    assert older.later == ()
    assert [each.route.mapping for each in older.ready] == [before.routes[0].mapping]
    assert [each.route.mapping for each in newer.ready] == [after.routes[0].mapping]
    assert [one.route for one in routes(values={"x": "priority"}).of(OLDER).later] == ["orders"]


def test_a_former_file_answers_for_no_route_that_it_did_not_have() -> None:
    after = routes(values={"title": "priority"})
    after.former = replace(routes(), routes=(replace(routes().routes[0], name="others"),))

    assert [each.route for each in after.of(OLDER).later] == ["orders"]
