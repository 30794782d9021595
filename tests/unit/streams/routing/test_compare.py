"""What another file would send of the same events."""

from __future__ import annotations

from dataclasses import replace

from schemas.document import Read
from schemas.event import Document, Event
from streams.routing.compare import Comparison, Count, Side, differing
from streams.routing.routes import Routes
from tests.documents import event_of, order, shape_of
from tests.unit.streams.routing.test_dispatch import event, image, route, routes

LINE = ("orders", "webshop")


def compared(old: Routes, new: Routes, *events: Event) -> Comparison:
    made = Comparison(old, new)
    for each in events:
        made.take(each)
    return made


def counts(comparison: Comparison, line: tuple[str, str] = LINE) -> dict[str, int]:
    return {k.value: n for k, n in comparison.table()[line].items() if n}


def test_the_same_file_sends_the_same() -> None:
    made = compared(routes(), routes(), event(None, image("sale")))

    assert counts(made) == {"same": 1}
    assert made.differences == []


def test_what_differs_is_named_with_both_values() -> None:
    new = routes(route(map={"name": "name", "status": "state"}, target_model="x.order"))

    made = compared(routes(), new, event(None, image("sale")))

    (one,) = made.differences
    assert one.old is not None
    assert one.new is not None
    assert counts(made) == {"different": 1}
    assert differing(one.old, one.new) == [
        ("target_model", "sale.order", "x.order"),
        ("fields.total", '"10.00"', ""),
        ("fields.status", "", '"sale"'),
    ]


def test_digits_and_types_are_told_apart() -> None:
    made = compared(routes(), routes(decimals="number"), event(None, image("sale")))

    (one,) = made.differences
    assert one.old == Side("create", "sale.order", {"name": '"S00042"', "total": '"10.00"'})
    assert one.new == Side("create", "sale.order", {"name": '"S00042"', "total": "10.00"})


def test_a_wider_domain_lets_records_enter_and_a_narrower_one_leave() -> None:
    old, new = routes(route(state="sale")), routes(route(state="done"))
    before, after = image("sale"), image("done")

    made = compared(old, new, event(before, after))

    assert counts(made) == {"different": 1, "enter": 1}  # leave by the one, create by the other
    assert made.moved() == {LINE: {Count.ENTER: [42]}}
    assert counts(compared(new, old, event(before, after))) == {"different": 1, "leave": 1}


def test_as_a_record_stands_last_it_enters_or_not() -> None:
    old, new = routes(route(state="sale")), routes(route(state="done"))
    first = event(None, image("done"))
    last = event(image("done"), image("draft"))

    made = compared(old, new, first, last)

    assert counts(made) == {"only_new": 2}
    assert made.moved() == {}


def test_routes_that_only_one_file_has() -> None:
    made = compared(routes(), routes(route("others")), event(None, image("sale")))

    assert counts(made) == {"only_old": 1, "leave": 1}
    assert counts(made, ("others", "webshop")) == {"only_new": 1, "enter": 1}


def test_what_an_event_does_not_show_is_not_known() -> None:
    narrow = shape_of([Read("name"), Read("state"), Read("amount_total")])
    new = routes(route(map={"rate": "rate"}))

    made = compared(routes(), new, event_of(None, order(narrow, state="sale"), narrow))

    assert counts(made) == {"only_old": 1, "unknown": 1}
    assert made.moved() == {}


def test_a_type_that_has_changed_since_is_not_known_either() -> None:
    new = routes(route(map={"x": {"path": "name", "lang": "fr_FR"}}))  # no translated field

    made = compared(routes(), new, event(None, image("sale")))

    assert counts(made) == {"only_old": 1, "unknown": 1}


def test_a_value_that_cannot_be_sent_is_said() -> None:
    new = routes(route(map={"s": {"path": "name", "table": {"a": "b"}}}))
    what: Document = image("sale")

    made = compared(routes(), new, event(None, what))

    assert counts(made) == {"unsendable": 1}
    (one,) = made.differences
    assert one.new is not None
    assert "S00042" in one.new.refused
    assert counts(compared(new, routes(), event(None, what))) == {"only_new": 1}


def test_every_line_of_both_files_is_in_the_table() -> None:
    made = compared(routes(), routes(route(targets=("webshop", "erp"))))

    assert set(made.table()) == {LINE, ("orders", "erp")}


def test_what_odoo_is_asked_for_is_not_compared_and_named() -> None:
    shape = shape_of([Read("name"), Read("state"), Read("external_id"), Read("margin", live=True)])
    new = replace(routes(route(map={"name": "name", "margin": "margin"})), live=True)
    old = routes(route(map={"name": "name"}))

    made = compared(old, new, event_of(None, order(shape, name="S1", state="sale"), shape))

    assert counts(made) == {"same": 1}
    assert made.live == {LINE: {"margin"}}
