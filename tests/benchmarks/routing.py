"""What an event costs in routing: the pure function from an event to its deliveries."""

from __future__ import annotations

import time
from typing import Any, Final

from schemas import domain, mapping
from schemas.config import Route
from schemas.document import Read
from schemas.event import Document
from schemas.mapping import Writing
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from tests.benchmarks.figures import Figure
from tests.benchmarks.place import Place
from tests.documents import behind, event_of, order, record, shape_of

EVENTS: Final = 5_000  # in one run
LINES: Final = 5  # of an order
SIMPLE: Final = {"number": "name", "total": "amount_total"}
NESTED: Final = {
    "number": "name",
    "customer": "partner_id.name",
    "lines": {
        "each": "order_line",
        "map": {"sku": "product_id.default_code", "price": "price_unit", "name": "name"},
    },
}
_PATHS: Final = (
    *("name", "state", "amount_total", "external_id", "partner_id.name", "order_line.name"),
    *("order_line.price_unit", "order_line.product_id.default_code"),
)
SHAPE: Final = shape_of([Read(path) for path in _PATHS])


def routing(place: Place, runs: int) -> list[Figure]:
    """Return events per second of CPU time, of many routes of which one matches."""
    figures = []
    for name, written in (("simple", SIMPLE), ("nested", NESTED)):
        for number in (1, 10, 100):
            place.say(f"{number} {name} routes")
            routes = _routes(number, written)
            rates = tuple(_rate(routes) for _ in range(runs))
            budget = "above 20,000" if (name, number) == ("simple", 1) else ""
            what = f"routing: {number} {name} routes, one of them matches"
            figures.append(Figure(what, "1/s", rates, budget))
    return figures


def _rate(routes: Routes) -> float:
    event = event_of(_order("S00042"), _order("S00042/1"), SHAPE)
    assert len(dispatch(event, routes).deliveries) == 1
    began = time.process_time()
    for _ in range(EVENTS):
        dispatch(event, routes)
    return EVENTS / (time.process_time() - began)


def _routes(number: int, written: dict[str, Any]) -> Routes:
    states = ["sale", *(f"state{n}" for n in range(1, number))]
    return Routes(
        Writing("odoo_a"),
        tuple(
            Route(
                name=f"orders-{index}",
                model=SHAPE.model,
                domain=domain.parse([["state", "=", state]]),
                mapping=mapping.parse_map(written),
                targets=("webshop",),
                target_model=SHAPE.model,
                index=index,
            )
            for index, state in enumerate(states)
        ),
    )


def _order(name: str) -> Document:
    lines = behind(SHAPE, "order_line")
    products = behind(lines, "product_id")
    return order(
        SHAPE,
        name=name,
        state="sale",
        amount_total="10.00",
        partner_id=record(behind(SHAPE, "partner_id"), 7, name="Azure Interior"),
        order_line=[
            record(
                lines,
                number,
                name=f"Desk {number}",
                price_unit="1.50",
                product_id=record(products, number, default_code=f"FURN_{number:04}"),
            )
            for number in range(1, LINES + 1)
        ],
    )
