"""Routes that change while tables are read and transactions come: events and shadow stay right."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cdc.shadow.store import Shadow
from schemas.document import Read, Shape
from schemas.event import Event
from tests.documents import shape_of
from tests.engine import ORDER, PARTNER, TERM, World
from tests.property.test_engine import TRANSACTIONS, played
from tests.refitting import Refitted, loaded

SMALL_ORDER = shape_of([Read("name"), Read("partner_id.name"), Read("tag_ids.name")])
LINES = shape_of([Read("order_line", each=True), Read("order_line.product_id.name")])
SMALL_PARTNER = shape_of([Read("name")], "res.partner")
TERMS = shape_of(
    [Read("name"), Read("property_payment_term_id.name")], "res.partner", default=TERM + 1
)
SHAPES = st.sampled_from(
    [
        (ORDER,),
        (SMALL_ORDER,),
        (PARTNER, ORDER),
        (SMALL_PARTNER, ORDER),
        (SMALL_PARTNER, LINES),
        (TERMS, SMALL_ORDER),
        (TERMS,),
    ]
)
STEPS = st.lists(
    st.one_of(
        TRANSACTIONS.map(lambda found: ("write", found[0])),
        TRANSACTIONS.map(lambda found: ("write", found[-1])),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("mark"), st.none()),
        st.tuples(st.just("restart"), st.none()),
        st.tuples(st.just("want"), SHAPES),
    ),
    min_size=8,
    max_size=40,
)


def expected(shapes: tuple[Shape, ...], before: World, after: World) -> list[tuple[Any, ...]]:
    """Return what differs, in the order of (model, id)."""
    found = []
    for shape in sorted(shapes, key=lambda shape: shape.model):
        for row in range(1, 4):
            was, is_ = before.document(shape, row), after.document(shape, row)
            if was != is_:
                found.append((shape.model, row, was, is_))
    return found


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    return [(event.model, event.id, event.before, event.after) for event in events]


def finished(tried: Refitted, world: World) -> dict[str, object]:
    """Read all that is to be read; return what is held then."""
    while tried.reading:
        tried.read(world, 2)
        tried.mark()
    assert tried.shapes == tried.wanted.selection.shapes
    return tried.contents()


def step(tried: Refitted, world: World, what: str, how: Any) -> None:
    match what:
        case "write":
            before = copy.deepcopy(world)
            shapes = tried.shapes
            events = tried.commit(list(played(world, how)))
            wanted = expected(shapes, before, world)
            if before.tables["res_users"] == world.tables["res_users"]:
                assert told(events) == wanted
            else:  # a looked-up login alone makes no event
                assert all(one in wanted for one in told(events))
        case "read":
            tried.read(world, how)
        case "mark":
            tried.mark()
        case "restart":
            tried.restart()
        case "want":
            tried.want(how)


@given(TRANSACTIONS, SHAPES, SHAPES, STEPS)
def test_law_4_events_are_whole_and_the_shadow_is_right_while_routes_change(
    first: list[Any], begun: tuple[Shape, ...], then: tuple[Shape, ...], steps: list[Any]
) -> None:
    world = World()
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as other,
        Shadow(Path(folder)) as shadow,
        Shadow(Path(other)) as fresh,
    ):
        for changes in first:
            list(played(world, changes))
        tried = loaded(shadow, begun, world)
        for what, how in [("want", then), *steps]:
            step(tried, world, what, how)
        held = finished(tried, world)
        assert held == loaded(fresh, tried.shapes, world).contents()


def test_law_1_what_changes_while_no_route_shows_it_is_there_for_the_next_file(
    tmp_path: Path,
) -> None:
    world, order = World(), {"id": "1", "write_date": "2026-11-23 10:00:00"}
    list(played(world, [("sale_order", True, {**order, "name": "old", "partner_id": "3"})]))
    with Shadow(tmp_path / "tried") as shadow, Shadow(tmp_path / "fresh") as fresh:
        tried = loaded(shadow, (ORDER,), world)
        tried.want((SMALL_PARTNER, LINES))  # it shows neither name nor partner of an order
        changes = [("sale_order", True, {**order, "name": "new", "partner_id": "2"})]
        assert not tried.commit(list(played(world, changes)))
        tried.want((SMALL_ORDER,))

        held = finished(tried, world)

        assert held == loaded(fresh, tried.shapes, world).contents()
