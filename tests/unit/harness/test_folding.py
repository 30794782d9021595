"""The judge of the main acceptance test, judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.position import Lsn, Position
from tests.folding import Folded, Told, as_of, differences, distinct, out_of_order, report

ORDERS = ("shop", "orders")


def told(
    operation: str,
    lsn: int,
    fields: dict[str, Any],
    record: int = 42,
    changed: list[str] | None = None,
) -> Told:
    position = Position(1, Lsn(lsn), 1)
    return Told(
        f"odoo_a/shop/sale.order/{record}/orders/{position.sequence}",
        ORDERS,
        record,
        position,
        operation,
        "stream",
        fields,
        changed,
    )


def message(lsn: int, fields: dict[str, Any]) -> bytes:
    sequence = Position(1, Lsn(lsn), 1).sequence
    return json.dumps(
        {
            "id": f"odoo_a/shop/sale.order/42/orders/{sequence}",
            "sequence": sequence,
            "data": {
                "routing": {"target": "shop", "route": "orders", "mode": "stream"},
                "record": {"id": 42, "operation": "update", "changed": ["name"]},
                "fields": fields,
            },
        }
    ).encode()


def test_create_and_update_set_leave_and_delete_remove() -> None:
    folded = Folded()

    folded.take(told("create", 1, {"name": "a"}))
    folded.take(told("update", 2, {"name": "b"}))
    folded.take(told("create", 3, {"name": "c"}, record=43))
    folded.take(told("create", 4, {"name": "d"}, record=44))
    folded.take(told("leave", 5, {"name": "c"}, record=43))
    folded.take(told("delete", 6, {"name": "d"}, record=44))

    assert folded.held == {ORDERS: {42: {"name": "b"}}}


def test_a_target_forgets_what_it_never_knew() -> None:
    folded = Folded()

    folded.take(told("leave", 1, {"name": "a"}))

    assert folded.held == {ORDERS: {}}


def test_each_mark_sees_what_was_committed_up_to_it() -> None:
    history = [told("update", 20, {"n": 2}), told("create", 10, {"n": 1})]

    seen = [
        dict(folded.held.get(ORDERS, {}))
        for _, folded in as_of(history, [Lsn(9), Lsn(10), Lsn(19), Lsn(20)])
    ]

    assert seen == [{}, {42: {"n": 1}}, {42: {"n": 1}}, {42: {"n": 2}}]


@pytest.mark.parametrize(
    ("first", "second", "doubt"),
    [
        pytest.param(("create", None), ("create", None), "create of what is held", id="created"),
        pytest.param(None, ("update", ["name"]), "update of what is not held", id="unknown"),
        pytest.param(None, ("leave", None), "leave of what is not held", id="left unknown"),
        pytest.param(None, ("delete", None), "delete of what is not held", id="deleted unknown"),
        pytest.param(("create", None), ("update", ["name"]), "changed is", id="said too little"),
        pytest.param(("create", None), ("update", ["name", "qty", "x"]), "changed is", id="much"),
    ],
)
def test_what_does_not_follow_from_what_is_held_is_noticed(
    first: tuple[str, list[str] | None] | None, second: tuple[str, list[str] | None], doubt: str
) -> None:
    folded = Folded()
    if first:
        folded.take(told(first[0], 1, {"qty": "1", "name": "a", "x": 1}))

    folded.take(told(second[0], 2, {"qty": "2", "name": "b", "x": 1}, changed=second[1]))

    assert len(folded.doubts) == 1
    assert doubt in folded.doubts[0]


def test_an_update_that_tells_nothing_is_noticed() -> None:
    folded = Folded()
    folded.take(told("create", 1, {"qty": "1.0", "name": "a"}))

    folded.take(told("update", 2, {"qty": "1.00", "name": "a"}, changed=[]))

    assert "tells nothing" in folded.doubts[0]


def test_what_follows_is_not_in_doubt() -> None:
    folded = Folded()

    folded.take(told("create", 1, {"qty": "1.0", "name": "a"}))
    folded.take(told("update", 2, {"qty": "1.00", "name": "b"}, changed=["name"]))
    folded.take(told("leave", 3, {}))
    folded.take(told("create", 4, {}))
    folded.take(told("delete", 5, {}))

    assert folded.doubts == []


def test_a_second_copy_is_not_applied() -> None:
    folded = Folded()
    for _ in range(2):
        folded.take(told("create", 1, {"name": "a"}))

    assert len(folded.repeated) == 1


def test_an_older_one_after_a_newer_fails() -> None:
    folded = Folded()
    folded.take(told("create", 2, {}))

    with pytest.raises(AssertionError, match="came after"):
        folded.take(told("update", 1, {}))


def test_messages_of_an_id_are_read_once_and_must_be_equal() -> None:
    one, two = message(1, {"name": "a"}), message(2, {"name": "b"})

    assert [each.fields["name"] for each in distinct([one, two, one])] == ["a", "b"]
    with pytest.raises(AssertionError, match="other bytes"):
        distinct([one, message(1, {"name": "c"})])


def test_order_is_that_of_first_arrival_within_a_chain_and_route() -> None:
    other = told("create", 1, {}, record=43)
    late = told("update", 2, {})

    assert out_of_order([told("create", 1, {}), told("update", 3, {}), other]) == []
    assert out_of_order([told("create", 1, {}), told("update", 3, {}), late]) == [late.id]


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="equal"),
        pytest.param({"a": 1}, {"a": 2}, ["a: 1, held 2"], id="a value"),
        pytest.param({"a": True}, {"a": 1}, ["a: True, held 1"], id="true is not one"),
        pytest.param({"a": None}, {}, ["a: None, held 'nothing'"], id="null is not absent"),
        pytest.param({}, {"a": None}, ["a: 'nothing', held None"], id="one too many"),
        pytest.param({"qty": "1.0"}, {"qty": "1.00"}, [], id="equal numbers"),
        pytest.param({"qty": "1"}, {"qty": "2"}, ["qty: '1', held '2'"], id="other numbers"),
        pytest.param({"qty": "1"}, {"qty": 1}, ["qty: '1', held 1"], id="a number is no text"),
        pytest.param({"code": "1"}, {"code": "1.0"}, ["code: '1', held '1.0'"], id="no number"),
        pytest.param(
            {"lines": [{"qty": "1"}, {"qty": "2"}]},
            {"lines": [{"qty": "1"}, {"qty": "3"}]},
            ["lines[1].qty: '2', held '3'"],
            id="inside a list",
        ),
        pytest.param(
            {"t": [1, 2]}, {"t": [2, 1]}, ["t[0]: 1, held 2", "t[1]: 2, held 1"], id="an order"
        ),
        pytest.param({"t": [1]}, {"t": []}, ["t: [1], held []"], id="lengths"),
    ],
)
def test_differences_name_the_value(
    wanted: dict[str, Any], there: dict[str, Any], found: list[str]
) -> None:
    lines = differences({ORDERS: {42: wanted}}, {ORDERS: {42: there}})

    assert lines == [f"shop/orders 42 {one}" for one in found]


def test_differences_name_records_on_one_side_only() -> None:
    lines = differences({ORDERS: {1: {}, 2: {}}}, {ORDERS: {2: {}, 3: {}}})

    assert lines == ["shop/orders 1: not held", "shop/orders 3: held, and must not be"]
    assert report(lines).startswith("2 differences:\nshop/orders 1")
