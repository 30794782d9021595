from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.pace import LEAST, PORTION, Lane, Look, Lot, Pace, queues

ORDERS, PARTNERS, SHOP, ERP = (
    "s.sale.order",
    "s.res.partner",
    "s.deliveries.shop",
    "s.deliveries.erp",
)
LANES = [
    Lane("sale.order", ORDERS, SHOP, takes_existing=True),
    Lane("res.partner", PARTNERS, ERP, takes_existing=True),
]
SALES, CONTACTS = Lot("sale.order"), Lot("res.partner")
EMPTY = dict.fromkeys((ORDERS, PARTNERS, SHOP, ERP), 0)


def look(at: float, done: int = 0, **left: int) -> Look:
    """Look with `done` records done in every topic; `left` by the topic's last word."""
    named = {name: left.get(name.rpartition(".")[2], 0) for name in EMPTY}
    return Look(at, dict.fromkeys(EMPTY, done), named)


@pytest.fixture
def pace() -> Pace:
    return Pace(queues(LANES))


def test_nothing_goes_out_before_somebody_has_looked(pace: Pace) -> None:
    assert pace.room(SALES) == 0


def test_two_portions_go_out_at_once_and_the_third_waits_for_them(pace: Pace) -> None:
    pace.saw(look(0.0))
    assert pace.room(SALES) == PORTION

    pace.filled(SALES, PORTION, 0.1)
    pace.filled(SALES, PORTION, 0.1)

    assert pace.room(SALES) == 0


def test_a_look_that_began_before_a_portion_does_not_count_as_having_seen_it(pace: Pace) -> None:
    pace.saw(look(0.0))
    pace.filled(SALES, 2 * PORTION, 0.2)

    pace.saw(look(0.1))
    assert pace.room(SALES) == 0

    pace.saw(look(0.3))
    assert pace.room(SALES) == PORTION


@pytest.mark.parametrize("where", ["order", "shop"], ids=["events", "deliveries"])
def test_what_is_left_in_either_topic_holds_a_portion_back(pace: Pace, where: str) -> None:
    pace.saw(look(0.0, **{where: 2 * PORTION}))

    assert pace.room(SALES) == 0
    assert pace.room(CONTACTS) == PORTION, "it goes to another target"


def test_events_that_became_deliveries_but_are_not_committed_count_once(pace: Pace) -> None:
    pace.saw(look(0.0, order=700, shop=700))

    assert pace.room(SALES) == 2 * PORTION - 700


def test_models_of_one_target_share_its_queue() -> None:
    lanes = [*LANES, Lane("res.partner", PARTNERS, SHOP, takes_existing=True)]
    pace = Pace(queues(lanes))

    pace.saw(look(0.0, order=2 * PORTION))

    assert pace.room(CONTACTS) == 0, "the events of orders will be deliveries to the shop"


def test_a_route_without_initial_load_holds_no_load_back_but_fills_the_queue() -> None:
    live = Lane("res.partner", PARTNERS, SHOP, takes_existing=False)
    pace = Pace(queues([*LANES, live]))

    pace.saw(look(0.0, shop=2 * PORTION))
    assert pace.room(CONTACTS) == PORTION

    pace.saw(look(0.1, partner=2 * PORTION))
    assert pace.room(SALES) == 0


def test_queues_hold_what_the_workers_do_in_three_seconds(pace: Pace) -> None:
    for second in range(4):
        pace.saw(look(float(second), done=400 * second, shop=900))
    assert pace.room(SALES) == 3 * 400 - 900


def test_events_that_are_quickly_deliveries_do_not_let_slow_targets_have_more(pace: Pace) -> None:
    for second in range(4):
        read = dict.fromkeys(EMPTY, 400 * second) | {SHOP: 80 * second}
        pace.saw(replace(look(float(second), shop=900), done=read))

    assert pace.room(SALES) == 2 * PORTION - 900


def test_for_slow_workers_queues_hold_two_portions(pace: Pace) -> None:
    for second in range(4):
        pace.saw(look(float(second), done=second, shop=2 * PORTION - 1))
    assert pace.room(SALES) == LEAST

    pace.saw(look(4.0, done=4, shop=2 * PORTION))
    assert pace.room(SALES) == 0


def test_fast_workers_get_no_more_than_a_portion_at_a_time(pace: Pace) -> None:
    for second in range(4):
        pace.saw(look(float(second), done=9_000 * second))
    assert pace.room(SALES) == PORTION


def test_while_nobody_can_be_asked_nothing_goes_out(pace: Pace) -> None:
    pace.saw(look(0.0))
    pace.saw(None)

    assert pace.room(SALES) == 0


def test_a_full_queue_of_which_nothing_is_done_stands_still_after_a_while(pace: Pace) -> None:
    for second in range(30):
        pace.saw(look(float(second), shop=2_000))
        standing = pace.stands_still(SALES, float(second))
        assert standing == (second > 10)
        assert not pace.stands_still(CONTACTS, float(second))


def test_a_slow_queue_does_not_stand_still(pace: Pace) -> None:
    for second in range(30):
        pace.saw(look(float(second), done=second // 5, shop=2_000, erp=2_000))
        assert not pace.stands_still(SALES, float(second))


def test_what_goes_to_all_routes_waits_for_those_too_that_want_nothing_that_exists() -> None:
    live = Lane("sale.order", ORDERS, ERP, takes_existing=False)
    pace = Pace(queues([*LANES, live]))

    pace.saw(look(0.0, erp=2 * PORTION))

    assert pace.room(SALES) == PORTION
    assert pace.room(Lot("sale.order", to_all=True)) == 0
