"""Two Odoos that sync orders with their lines to each other: lines settle in both directions."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Final

import pytest

from tests.synced_odoos import Side, Two, until

pytestmark = pytest.mark.acceptance
SALE, LINE, PARTNER = "sale.order", "sale.order.line", "res.partner"
ORDERS: Final = 4  # that both write
ROUNDS: Final = 10  # of a burst


@dataclass
class Orders:
    """The orders of a test: their references and their lines' names begin with `mark`.

    So does the code of the product that their lines have.
    """

    two: Two
    mark: str
    partner: int

    def of(self, side: Side) -> list[int]:
        domain = [["client_order_ref", "=like", f"{self.mark}%"]]
        return list(side.admin(SALE, "search", domain, order="client_order_ref"))

    def lines(self, side: Side, order: int) -> list[int]:
        return list(side.admin.one(SALE, order, "order_line")["order_line"])

    def shown(self, side: Side) -> list[Any]:
        """Return every order with its lines, in their order."""
        fields = ["name", "product_uom_qty", "price_unit"]
        found: list[Any] = []
        for order in self.of(side):
            row = side.admin.one(SALE, order, "client_order_ref")
            lines = side.admin(LINE, "read", self.lines(side, order), fields)
            found.append((row["client_order_ref"], [[one[f] for f in fields] for one in lines]))
        return found

    def variant(self, side: Side) -> int:
        domain = [["default_code", "=", self.mark]]
        (number,) = side.admin("product.product", "search", domain)
        return int(number)

    def line(self, side: Side, name: str, quantity: float = 1) -> Any:
        """Add a line behind the others, as people do."""
        values = {"name": f"{self.mark} {name}", "product_uom_qty": quantity, "price_unit": 3}
        return 0, 0, {"product_id": self.variant(side), "sequence": 90, **values}

    def make(self, side: Side, number: int, *names: str) -> int:
        """Make an order; return its id once the other side has it."""
        reference = f"{self.mark} {number}"
        lines = [self.line(side, name) for name in names]
        values = {"partner_id": self.partner, "client_order_ref": reference, "order_line": lines}
        made = int(side.admin(SALE, "create", values))
        other = next(each for each in self.two.sides() if each is not side)
        domain = [["client_order_ref", "=", reference]]
        until(lambda: bool(other.admin(SALE, "search", domain)))
        return made

    def write(self, side: Side, order: int, *commands: Any, **values: Any) -> None:
        given = {"order_line": list(commands)} if commands else {}
        side.admin(SALE, "write", [order], values | given)

    def names(self, side: Side, place: int = 0) -> list[str]:
        _, lines = self.shown(side)[place]
        return [str(name).removeprefix(f"{self.mark} ") for name, _, _ in lines]

    def equal(self) -> None:
        self.two.settled(f"{self.mark}-{secrets.token_hex(2)}")

        assert self.shown(self.two.a) == self.shown(self.two.b)
        for side in self.two.sides():
            for place, _ in enumerate(self.of(side)):
                names = self.names(side, place)
                assert len(names) == len(set(names)), "a line is there twice"


@pytest.fixture
def orders(two: Two) -> Orders:
    mark = f"m{secrets.token_hex(3)}"
    rows = two.a.admin(PARTNER, "search_read", [], ["name"], context={"active_test": False})
    often = Counter(row["name"] for row in rows)
    partner = next(row["id"] for row in rows if often[row["name"]] == 1)
    two.a.create(name=mark, default_code=mark, list_price=3)
    until(lambda: bool(two.b.found(mark)))
    return Orders(two, mark, int(partner))


def test_lines_of_either_side_come_to_the_other_and_go_from_it(two: Two, orders: Orders) -> None:
    at_a = orders.make(two.a, 1, "one", "two")
    (at_b,) = orders.of(two.b)
    orders.write(two.b, at_b, orders.line(two.b, "three"))
    orders.equal()
    assert orders.names(two.a) == ["one", "two", "three"]

    first, _, last = orders.lines(two.a, at_a)
    orders.write(two.a, at_a, (2, last, 0), (1, first, {"product_uom_qty": 7}))  # theirs, ours
    orders.equal()
    assert orders.names(two.b) == ["one", "two"]

    orders.write(two.b, at_b, (2, orders.lines(two.b, at_b)[0], 0))  # it came from there
    orders.equal()
    assert orders.names(two.a) == ["two"]


def test_the_first_word_of_a_line_from_where_it_came_to_is_that_it_is_gone(
    two: Two, orders: Orders
) -> None:
    orders.make(two.a, 1, "one", "two")
    (at_b,) = orders.of(two.b)

    orders.write(two.b, at_b, (2, orders.lines(two.b, at_b)[0], 0))

    orders.equal()
    assert orders.names(two.a) == ["two"]


def test_lines_change_places_on_either_side(two: Two, orders: Orders) -> None:
    orders.make(two.a, 1, "one", "two", "three")
    (at_b,) = orders.of(two.b)
    lines = orders.lines(two.b, at_b)

    orders.write(two.b, at_b, *((1, each, {"sequence": 90 - n}) for n, each in enumerate(lines)))

    orders.equal()
    assert orders.names(two.a) == ["three", "two", "one"]


def test_both_add_a_line_before_either_hears_of_the_other(two: Two, orders: Orders) -> None:
    """The list that was written later stands, whole; the other one is in the log."""
    at_a = orders.make(two.a, 1, "one")
    (at_b,) = orders.of(two.b)
    with two.apart():
        orders.write(two.a, at_a, orders.line(two.a, "of a"))
        orders.write(two.b, at_b, orders.line(two.b, "of b"))

    orders.equal()
    stands = orders.names(two.a)
    assert stands in (["one", "of a"], ["one", "of b"])
    for side in two.sides():
        (line,) = [line for line in side.conflicts() if orders.mark in line]
        assert f"{orders.mark} of a" in line
        assert f"{orders.mark} of b" in line


def edit(
    orders: Orders, side: Side, order: int, chance: random.Random, turn: int
) -> dict[str, Any]:
    """Return what somebody writes into an order.

    A reference of its own lets no order be as it was before: what is changed back while a
    delivery is on its way looks as if nothing had happened, which docs/configuration.md says.
    """
    there = orders.lines(side, order)
    one = chance.choice(there) if there else 0
    number = side.admin.one(SALE, order, "client_order_ref")["client_order_ref"].split()[1]
    values: dict[str, Any] = {"client_order_ref": f"{orders.mark} {number} {turn} {side.name}"}
    match chance.choice(("add", "add", "change", "delete", "move", "rename")):
        case "change" if one:
            values["order_line"] = [(1, one, {"product_uom_qty": 100 + turn})]
        case "delete" if one:
            values["order_line"] = [(2, one, 0)]
        case "move" if one:
            values["order_line"] = [(1, one, {"sequence": chance.randint(0, 60)})]
        case "rename":
            pass
        case _:
            values["order_line"] = [orders.line(side, f"{side.name} {order} {turn}", turn)]
    return values


def burst(orders: Orders, pairs: list[tuple[int, int]], seed: int, *, apart: bool) -> Counter[str]:
    """Change orders on both sides in every way; return how often each was written.

    Those of which both sides hear meanwhile are changed on one side each: RPC knows no condition
    on a write, and what is written between the target's look and its write would be lost.
    """
    chance = random.Random(seed)  # noqa: S311  any
    writes: Counter[str] = Counter()
    for turn in range(ROUNDS):
        for place, pair in enumerate(pairs):
            for which, (side, order) in enumerate(zip(orders.two.sides(), pair, strict=True)):
                writes[f"{side.name}/{order}"] += 0
                if chance.random() < 0.4 or not (apart or place % 2 == which):
                    continue
                orders.write(side, order, **edit(orders, side, order, chance, turn))
                writes[f"{side.name}/{order}"] += 1
    return writes


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "neither hears of the other"])
@pytest.mark.parametrize("seed", [1, 2])
def test_any_burst_of_edits_settles_with_the_same_lines_in_the_same_order(
    two: Two,
    orders: Orders,
    apart: bool,  # noqa: FBT001  a parameter
    seed: int,
) -> None:
    made = [orders.make(two.a, number, "one", "two") for number in range(1, ORDERS + 1)]
    pairs = list(zip(made, orders.of(two.b), strict=True))
    two.settled(f"{orders.mark}-begin")
    before = {side.name: len(side.sent) for side in two.sides()}
    with two.apart() if apart else nullcontext():
        writes = burst(orders, pairs, seed, apart=apart)

    orders.equal()
    assert len(orders.of(two.a)) == ORDERS
    for side in two.sides():
        fresh = [each.split("/") for each in dict.fromkeys(side.sent[before[side.name] :])]
        sent = Counter(f"{side.name}/{each[3]}" for each in fresh if each[2] == SALE)
        assert all(sent[record] <= writes[record] for record in sent)  # no ping-pong


def test_an_order_that_one_side_deletes_goes_with_its_lines(two: Two, orders: Orders) -> None:
    orders.make(two.a, 1, "one")
    (at_b,) = orders.of(two.b)

    two.b.admin(SALE, "unlink", [at_b])

    orders.equal()
    assert orders.of(two.a) == []
