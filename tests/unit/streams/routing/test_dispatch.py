from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

import pytest

from schemas import domain, mapping
from schemas.config import Route
from schemas.conflict import Policy
from schemas.delivery import Want
from schemas.document import Read, Shape
from schemas.event import Document, Event, Mode
from schemas.keys import split_delivery_id
from schemas.mapping import Writing
from schemas.message import MAX_BODY, TOO_LARGE, UNSENDABLE
from streams.routing.address import OVERSIZE
from streams.routing.dispatch import Dispatched, dispatch
from streams.routing.routes import Routes
from tests.documents import event_of, order, shape_of

SHAPE = shape_of([Read(p) for p in ("name", "state", "amount_total", "rate", "external_id")])
OnLeave = Literal["leave", "delete", "ignore"]


def route(name: str = "orders", state: str = "sale", index: int = 0, **settings: Any) -> Route:
    """Return a route of orders in one state."""
    values = settings.pop("map", {"name": "name", "total": "amount_total"})
    chosen: dict[str, Any] = {"targets": ("webshop",), "target_model": "sale.order", **settings}
    return Route(
        name=name,
        model="sale.order",
        domain=domain.parse([["state", "=", state]]),
        mapping=mapping.parse_map(values),
        index=index,
        **chosen,
    )


def routes(*given: Route, decimals: str = "string") -> Routes:
    return Routes(Writing("odoo_a", decimals=decimals), given or (route(),))


def image(state: str, name: str = "S00042", total: str = "10.00", **more: Any) -> Document:
    return order(SHAPE, state=state, name=name, amount_total=total, **more)


def event(before: Document | None, after: Document | None, **about: Any) -> Event:
    return event_of(before, after, SHAPE, **about)


def sent(dispatched: Dispatched) -> list[dict[str, Any]]:
    assert not dispatched.stillborn
    return [json.loads(delivery.body)["data"] for delivery in dispatched.deliveries]


def said(dispatched: Dispatched) -> list[tuple[str, Any, Any]]:
    """Return what each delivery asks, the names it calls changed, and the fields it carries."""
    return [
        (one["record"]["operation"], one["record"]["changed"], one["fields"])
        for one in sent(dispatched)
    ]


OLD = {"name": "S00042", "total": "10.00"}
NEW = {"name": "S00043", "total": "10.00"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(image("draft"), image("sale"), [("create", None, OLD)], id="enters"),
        pytest.param(None, image("sale"), [("create", None, OLD)], id="is born matching"),
        pytest.param(
            image("sale"), image("sale", "S00043"), [("update", ["name"], NEW)], id="differs"
        ),
        pytest.param(image("sale"), image("sale", total="10.0"), [], id="the same by value"),
        pytest.param(image("sale"), image("sale", rate=1.5), [], id="differs elsewhere"),
        pytest.param(
            image("sale"), image("cancel", "S00043"), [("leave", ["name"], OLD)], id="leaves"
        ),
        pytest.param(image("sale"), None, [("delete", None, OLD)], id="is deleted"),
        pytest.param(image("draft"), image("cancel"), [], id="never matched"),
        pytest.param(image("draft"), None, [], id="is deleted unmatched"),
        pytest.param(None, image("draft"), [], id="is born unmatched"),
    ],
)
def test_before_and_after_decide_what_is_sent(
    before: Document | None, after: Document | None, expected: list[Any]
) -> None:
    dispatched = dispatch(event(before, after), routes())

    assert said(dispatched) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(image("sale"), [("update", None, OLD)], id="matching"),
        pytest.param(image("cancel"), [("leave", None, OLD)], id="not matching"),
        pytest.param(None, [("delete", None, {})], id="gone"),
    ],
)
def test_without_a_known_before_the_target_is_told_how_things_stand(
    after: Document | None, expected: list[Any]
) -> None:
    dispatched = dispatch(event(None, after, before_known=False), routes())

    assert said(dispatched) == expected


@pytest.mark.parametrize(
    ("on_leave", "operations"), [("leave", ["leave"]), ("delete", ["delete"]), ("ignore", [])]
)
def test_the_route_says_what_leaving_means(on_leave: OnLeave, operations: list[str]) -> None:
    leaving = event(image("sale"), image("cancel"))

    dispatched = dispatch(leaving, routes(route(on_leave=on_leave)))

    assert [one[0] for one in said(dispatched)] == operations


def test_what_a_domain_keeps_from_a_target_does_not_reach_it_with_the_farewell() -> None:
    leaving = event(image("sale"), image("cancel", name="secret"))

    for on_leave in ("leave", "delete"):
        dispatched = dispatch(leaving, routes(route(on_leave=on_leave)))
        assert b"secret" not in dispatched.deliveries[0].body


USERS = {"sync": 7, "other": 9}


@pytest.mark.parametrize(
    ("writers", "ignored"),
    [
        pytest.param((7,), True, id="the sync alone"),
        pytest.param((7, 9), False, id="the sync and another"),
        pytest.param((9,), False, id="another"),
        pytest.param((7, None), True, id="a row is gone, and the sync wrote the others"),
        pytest.param((9, None), False, id="a row is gone, and another wrote the others"),
        pytest.param((None,), False, id="a row is gone: nobody knows by whom"),
        pytest.param((), False, id="nobody is known"),
    ],
)
def test_what_only_ignored_users_wrote_is_not_sent(
    writers: tuple[int | None, ...], *, ignored: bool
) -> None:
    given = routes(route(ignore_writes_by=("sync",)), route("all", index=1))
    wrote = replace(event(image("sale"), image("sale", "x")), writers=writers, users=USERS)

    made = dispatch(wrote, given)

    assert made.ignored == (("orders",) if ignored else ())
    assert [each.route for each in made.deliveries] == (["all"] if ignored else ["orders", "all"])


def test_several_ignored_users_are_one_and_a_login_that_nobody_knows_ignores_nothing() -> None:
    wrote = replace(event(image("sale"), None), writers=(7, 9), users=USERS)

    assert dispatch(wrote, routes(route(ignore_writes_by=("sync", "other")))).ignored
    assert not dispatch(wrote, routes(route(ignore_writes_by=("sync", "unknown")))).ignored
    older = replace(wrote, users={})  # its schema was written when no route named anybody
    assert not dispatch(older, routes(route(ignore_writes_by=("sync", "other")))).ignored


@pytest.mark.parametrize("mode", [Mode.SNAPSHOT, Mode.RESEND, Mode.RECOVER])
def test_how_things_stand_is_told_whoever_wrote_it(mode: Mode) -> None:
    told = event(None, image("sale"), mode=mode)
    told = replace(told, writers=(7,), users=USERS)

    assert dispatch(told, routes(route(ignore_writes_by=("sync",)))).deliveries


@pytest.mark.parametrize(
    ("initial_load", "state", "operations"),
    [(True, "sale", ["create"]), (True, "draft", []), (False, "sale", [])],
)
def test_the_initial_load_creates_what_matches(
    initial_load: bool,  # noqa: FBT001 - a parameter of cases
    state: str,
    operations: list[str],
) -> None:
    loading = event(None, image(state), mode=Mode.SNAPSHOT)

    dispatched = dispatch(loading, routes(route(initial_load=initial_load)))

    assert [one[0] for one in said(dispatched)] == operations


@pytest.mark.parametrize(
    ("before", "after", "operation"),
    [
        pytest.param(image("sale"), image("sale"), "update", id="nothing differs"),
        pytest.param(None, image("draft"), "leave", id="it does not match"),
        pytest.param(None, None, "delete", id="it is gone"),
    ],
)
def test_a_resend_tells_the_target_how_things_stand(
    before: Document | None, after: Document | None, operation: str
) -> None:
    dispatched = dispatch(event(before, after, mode=Mode.RESEND), routes())

    assert [(one[0], one[1]) for one in said(dispatched)] == [(operation, None)]


def test_a_resend_tells_nothing_of_a_record_that_a_domain_keeps_from_its_target() -> None:
    dispatched = dispatch(event(None, image("draft", "secret"), mode=Mode.RESEND), routes())

    assert said(dispatched) == [("leave", None, {})]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, [("orders", "shop"), ("orders", "erp"), ("all", "erp")]),
        ({"routes": ("all",)}, [("all", "erp")]),
        ({"targets": ("shop",)}, [("orders", "shop")]),
        ({"routes": ("orders",), "targets": ("erp",)}, [("orders", "erp")]),
        ({"routes": ("all",), "targets": ("shop",)}, []),
        ({"routes": ()}, []),
        ({"routes": ("of another file",)}, []),
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", [Mode.RESEND, Mode.SNAPSHOT])
@pytest.mark.parametrize("oversize", [None, 9_000_000])
def test_an_event_for_some_routes_and_targets_is_for_no_others(
    limits: dict[str, Any], expected: list[tuple[str, str]], mode: Mode, oversize: int | None
) -> None:
    given = routes(route(targets=("shop", "erp")), route(name="all", index=1, targets=("erp",)))
    limited = replace(event(None, image("sale"), mode=mode), oversize=oversize, **limits)

    made = dispatch(limited, given)

    of = made.deliveries or [born.delivery for born in made.stillborn]
    assert [(each.route, each.target) for each in of] == expected


def test_recovery_sends_the_difference_without_calling_names_changed() -> None:
    dispatched = dispatch(
        event(image("sale"), image("sale", "S00043"), mode=Mode.RECOVER), routes()
    )

    assert said(dispatched) == [("update", None, NEW)]


# --- the delivery


def test_a_delivery_is_named_by_its_chain_route_and_position() -> None:
    (delivery,) = dispatch(event(None, image("sale")), routes()).deliveries

    chain, name, sequence = split_delivery_id(delivery.id)
    assert (chain, name) == ("odoo_a/webshop/sale.order/42", "orders")
    assert sequence == delivery.sequence == "6743A1F0-00000000016B3748-00000003-0000"
    message = json.loads(delivery.body)
    assert (message["id"], message["partitionkey"]) == (delivery.id, chain)
    assert (delivery.operation, delivery.mode) == ("create", "stream")
    assert delivery.traceparent.startswith("00-")


def test_the_message_names_target_model_and_external_id() -> None:
    named = image("sale", _external_id="wl.order_42")
    purchase = route(target_model="purchase.order")

    (data,) = sent(dispatch(event(None, named), routes(purchase)))

    assert data["record"]["target_model"] == "purchase.order"
    assert data["record"]["external_id"] == "wl.order_42"
    assert data["record"]["key"] == "odoo_a.sale_order_42"


def test_law_3_the_same_event_gives_the_same_deliveries() -> None:
    changing = event(image("sale"), image("sale", "S00043"))

    assert dispatch(changing, routes()) == dispatch(changing, routes())


def test_numbers_reach_the_body_with_their_digits() -> None:
    (delivery,) = dispatch(event(None, image("sale")), routes(decimals="number")).deliveries

    assert b'"total":10.00}' in delivery.body


# --- several routes and targets


def test_every_target_of_a_route_gets_the_same_fields() -> None:
    dispatched = dispatch(event(None, image("sale")), routes(route(targets=("a", "b"))))

    assert [delivery.target for delivery in dispatched.deliveries] == ["a", "b"]
    first, second = sent(dispatched)
    assert first["fields"] == second["fields"]


def test_of_several_routes_to_a_target_leave_and_delete_go_first_then_file_order() -> None:
    given = [
        route("third", "sale", 3),
        route("second", "sale", 2),
        route("first", "draft", 1),
        route("last", "draft", 4, on_leave="delete"),
    ]

    dispatched = dispatch(event(image("draft"), image("sale")), routes(*given))

    assert [(one.route, one.operation) for one in dispatched.deliveries] == [
        ("first", "leave"),
        ("last", "delete"),
        ("second", "create"),
        ("third", "create"),
    ]
    assert len({delivery.chain for delivery in dispatched.deliveries}) == 1


def test_routes_of_other_models_have_nothing_to_say() -> None:
    other = Route(
        name="partners",
        model="res.partner",
        domain=domain.parse([]),
        targets=("webshop",),
        target_model="res.partner",
        mapping=mapping.parse_map({"name": "name"}),
    )

    assert dispatch(event(None, image("sale")), routes(other)) == Dispatched()


def test_a_route_starts_at_the_first_event_that_carries_its_fields() -> None:
    newer = route("newer", map={"partner": "partner_id.name"}, index=1)

    dispatched = dispatch(event(None, image("sale")), routes(route(), newer))

    assert [delivery.route for delivery in dispatched.deliveries] == ["orders"]
    (later,) = dispatched.later
    assert later.route == "newer"
    assert "partner_id" in later.why


# --- what cannot be sent


def test_law_10_a_value_that_cannot_be_sent_is_a_dead_letter_for_each_target() -> None:
    table = {"x": {"path": "name", "table": {"a": "b"}}}
    tabled = route(map=table, targets=("a", "b"))

    dispatched = dispatch(event(None, image("sale")), routes(tabled, route("fine", index=1)))

    assert [delivery.route for delivery in dispatched.deliveries] == ["fine"]
    assert [letter.delivery.target for letter in dispatched.stillborn] == ["a", "b"]
    for letter in dispatched.stillborn:
        assert letter.code == UNSENDABLE
        assert "'S00042' is not in its table" in letter.why
        assert "`else`" in letter.why
        assert letter.delivery.body == b""


def test_an_update_from_what_could_not_be_sent_is_sent() -> None:
    table = {"x": {"path": "name", "table": {"a": "b"}}}

    dispatched = dispatch(
        event(image("sale", "odd"), image("sale", "a")), routes(route(map=table))
    )

    assert said(dispatched) == [("update", None, {"x": "b"})]


@pytest.mark.parametrize("after", [image("cancel"), None], ids=["leaves", "is deleted"])
def test_a_target_can_forget_what_could_not_be_sent(after: Document | None) -> None:
    table = {"x": {"path": "name", "table": {"a": "b"}}}

    dispatched = dispatch(event(image("sale"), after), routes(route(map=table)))

    assert [one[2] for one in said(dispatched)] == [{}]


def padded(length: int) -> Event:
    return event(None, image("sale", name="x" * length))


def test_law_10_a_message_of_the_largest_size_is_sent_and_a_larger_one_is_a_dead_letter() -> None:
    (small,) = dispatch(padded(0), routes()).deliveries
    room = MAX_BODY - len(small.body)

    (largest,) = dispatch(padded(room), routes()).deliveries
    (letter,) = dispatch(padded(room + 1), routes()).stillborn

    assert len(largest.body) == MAX_BODY
    assert letter.code == TOO_LARGE
    assert str(MAX_BODY + 1) in letter.why
    assert "the next change of sale.order 42 sends it" in letter.why


@pytest.mark.parametrize(
    ("mode", "targets"),
    [(Mode.STREAM, ["a", "b", "c"]), (Mode.SNAPSHOT, ["a", "b"])],
)
def test_law_10_an_event_without_images_is_a_dead_letter_for_whoever_may_miss_it(
    mode: Mode, targets: list[str]
) -> None:
    given = routes(route(targets=("a", "b")), route("other", targets=("c",), initial_load=False))

    dispatched = dispatch(event(None, None, mode=mode, oversize=9_000_000), given)

    assert dispatched.deliveries == ()
    assert [letter.delivery.target for letter in dispatched.stillborn] == targets
    for letter in dispatched.stillborn:
        assert letter.code == OVERSIZE
        assert "9000000 bytes" in letter.why
        assert "the next change of sale.order 42 sends it" in letter.why


# --- lookups


def partner_shape() -> Shape:
    return shape_of([Read("state"), Read("partner_id.name")])


@pytest.mark.parametrize(("follow", "number"), [(True, 1), (False, 0)])
def test_a_route_that_follows_no_lookups_sends_nothing_for_a_renamed_partner(
    follow: bool,  # noqa: FBT001 - a parameter of cases
    number: int,
) -> None:
    shape = partner_shape()
    before, after = (
        order(shape, state="sale", partner_id={"id": 7, "name": name}) for name in ("a", "b")
    )
    given = route(map={"partner": "partner_id.name"}, follow_lookups=follow)

    dispatched = dispatch(event_of(before, after, shape), routes(given))

    assert len(dispatched.deliveries) == number


def test_names_whose_numbers_differ_in_digits_alone_are_not_called_changed() -> None:
    changing = event(image("sale", total="10.0"), image("sale", "S1", total="10.00"))

    assert said(dispatch(changing, routes()))[0][1] == ["name"]


# --- values that no column holds

EARLY, LATE = "2026-11-23T10:00:00.5Z", "2026-11-23T10:00:05Z"
LIVE = {"name": "name", "margin": "margin"}


def live_dispatch(before: Any, after: Any, **settings: Any) -> Dispatched:
    shape = shape_of([Read("name"), Read("state"), Read("external_id"), Read("margin", live=True)])
    images = (None if image is None else order(shape, **image) for image in (before, after))
    mode = settings.pop("mode", Mode.STREAM)
    made = Routes(Writing("odoo_a"), (route(map=LIVE, **settings),), live=True)
    return dispatch(event_of(*images, shape, mode=mode), made)


def test_what_wants_values_of_odoo_is_a_draft_with_null_at_their_place() -> None:
    after = {"name": "S1", "state": "sale", "write_date": LATE}

    (sent,) = live_dispatch(None, after).deliveries

    assert json.loads(sent.body)["data"]["fields"] == {"name": "S1", "margin": None}
    assert sent.wants == (Want("/margin", "sale.order", 42, "margin", "float", LATE),)


def test_a_write_on_the_record_is_enough_for_an_update() -> None:
    before = {"name": "S1", "state": "sale", "write_date": EARLY}

    (sent,) = live_dispatch(before, {**before, "write_date": LATE}).deliveries

    assert json.loads(sent.body)["data"]["record"]["changed"] == ["margin"]
    assert live_dispatch(before, before).unchanged == ("orders",)


@pytest.mark.parametrize(
    "after", [None, {"name": "S1", "state": "done", "write_date": LATE}], ids=["gone", "left"]
)
def test_a_farewell_has_no_values_of_odoo(after: Any) -> None:
    before = {"name": "S1", "state": "sale", "write_date": EARLY}

    (sent,) = live_dispatch(before, after).deliveries

    assert json.loads(sent.body)["data"]["fields"] == {"name": "S1"}
    assert sent.wants == ()


def test_a_route_with_a_policy_says_what_was_there_before() -> None:
    told = event(image("sale", "S1"), image("sale", "S2"))
    written = replace(told, write_date="2026-11-23 10:00:00.9")

    master, later, without = (
        sent(dispatch(written, routes(route(conflict=policy))))[0]
        for policy in (Policy("odoo_a"), Policy(), None)
    )

    assert master["conflict"] == {
        "master": "odoo_a",
        "written": "2026-11-23T10:00:00Z",
        "previous": {"name": "S1", "total": "10.00"},
    }
    assert later["conflict"] == {**master["conflict"], "master": None}
    assert "conflict" not in without
