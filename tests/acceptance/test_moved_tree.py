"""A category moves with all below it: what `child_of` asks of products, from commit to WSO2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.category_tree import MOVED, ORDERS, TREE, Shop, put
from tests.fix_services import Database
from tests.fix_wso2 import Wso2StandIn
from tests.programs import Programs, sync_yaml
from tests.stand_ins import Received

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

ROUTES: Final = """
routes:
  - name: shown
    model: product.template
    domain: [["categ_id", "child_of", {sold}]]
    targets: [shop]
    fields: [name, default_code, categ_id.complete_name]
  - name: deleted
    model: product.template
    domain: [["categ_id", "child_of", {sold}]]
    targets: [erp]
    on_leave: delete
    fields: [default_code]
  - name: ignored
    model: product.template
    domain: [["categ_id", "child_of", [{sold}]]]
    targets: [erp]
    on_leave: ignore
    fields: [default_code]
  - name: outside
    model: product.template
    domain: [["default_code", "=like", "TREE-%"], "!", ["categ_id", "child_of", {sold}]]
    targets: [erp]
    fields: [default_code]
  - name: orders
    model: sale.order
    domain: [["order_line.product_id.categ_id", "child_of", {sold}]]
    targets: [shop]
    follow_lookups: false
    map:
      name: name
      ref: client_order_ref
      lines: {{each: order_line, map: {{quantity: product_uom_qty}}}}
"""


@dataclass
class House:
    """A shop whose records were sent once, and what WSO2 was sent since."""

    shop: Shop
    wso2: Wso2StandIn

    def sent(self, route: str) -> dict[int, list[Any]]:
        """Return the messages of a route by record, in the order in which they came."""
        found: dict[int, list[Any]] = defaultdict(list)
        for message in map(message_of, list(self.wso2.requests)):
            if message["routing"]["route"] == route:
                found[message["record"]["id"]].append(message)
        return found

    def did(self, route: str) -> dict[int, str]:
        """Return the operations of a route by record, "leave create" for instance."""
        return {
            record: " ".join(each["record"]["operation"] for each in messages)
            for record, messages in self.sent(route).items()
        }

    def until(self, what: Callable[[], bool]) -> None:
        self.wso2.until(what, 60.0)

    def mark(self) -> None:
        """Change all that matches, and wait until that was sent: by then all before it was."""
        with self.shop.connect() as connection:
            connection.execute("UPDATE product_template SET default_code = default_code || '!'")
            connection.execute("UPDATE sale_order SET client_order_ref = 'marked'")
        below = self.shop.sold()
        wanted = {
            "shown": below,
            "deleted": below,
            "ignored": below,
            "outside": self.shop.of(*TREE) - below,
            "orders": self.shop.sold(ORDERS),
        }

        def marked(route: str) -> set[int]:
            return {record for record, each in self.sent(route).items() if is_mark(each[-1])}

        self.until(lambda: all(marked(route) == records for route, records in wanted.items()))


def message_of(request: Received) -> Any:
    return request.json["data"]


def is_mark(message: Any) -> bool:
    fields = message["fields"]
    return bool(fields.get("ref") == "marked" or str(fields.get("default_code")).endswith("!"))


@pytest.fixture
def house(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, wso2: Wso2StandIn, tmp_path: Path
) -> Iterator[House]:
    shop = Shop(odoo_database)
    written = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        wso2=wso2.url,
        targets=["shop", "erp"],
        routes=ROUTES.format(sold=shop.categories["Sold"]),
    )
    below = shop.sold()
    first = 3 * len(below) + len(shop.of(*TREE) - below) + len(shop.sold(ORDERS))
    with Programs(tmp_path, written) as programs:
        programs.run("setup")
        programs.start("capture")
        programs.start("stream", "--worker", "one")
        wso2.received(first)
        assert len(wso2.requests) == first
        wso2.forget()
        yield House(shop, wso2)


def test_law_4_what_is_in_a_tree_that_moves_leaves_and_comes_back_whole(house: House) -> None:
    shop = house.shop
    moved, orders = shop.of(*MOVED), shop.sold(ORDERS)
    stays = shop.of("Sold", "Offices")
    before = {product: shop.shows(product) for product in moved}
    assert shop.sold() == moved | stays

    # GIVEN a tree that is not below Sold any more
    with shop.connect() as connection:
        shop.move(connection, "Chairs", "Stock")
    left = orders - shop.sold(ORDERS)
    assert shop.sold() == stays
    assert left < orders
    assert left
    house.until(lambda: set(house.sent("shown")) == moved)

    # WHEN it comes back, to another place
    with shop.connect() as connection:
        shop.move(connection, "Chairs", "Offices")
    there = {product: shop.shows(product) for product in moved}
    house.mark()

    # THEN each record has heard once of each transaction that concerns it, and others of none
    once = dict.fromkeys(stays, "update")
    assert house.did("shown") == dict.fromkeys(moved, "leave create update") | once
    assert house.did("deleted") == dict.fromkeys(moved, "delete create update") | once
    assert house.did("ignored") == dict.fromkeys(moved, "create update") | once
    assert house.did("outside") == dict.fromkeys(moved, "create leave") | dict.fromkeys(
        shop.of("Stock"), "update"
    )
    assert house.did("orders") == dict.fromkeys(left, "leave create update") | (
        dict.fromkeys(orders - left, "update")
    )
    for product in moved:
        away, back, _ = house.sent("shown")[product]
        assert away["fields"] == before[product]
        assert back["fields"] == there[product]
        assert back["record"]["changed"] is None
    for step in (0, 1):
        told = [house.sent("shown")[each][step] for each in moved]
        told += [house.sent("orders")[each][step] for each in left]
        assert len({each["record"]["transaction"]["lsn"] for each in told}) == 1


def test_a_move_inside_its_tree_sends_what_shows_it_and_nothing_else(house: House) -> None:
    shop = house.shop
    orders = shop.sold(ORDERS)

    with shop.connect() as connection:
        shop.move(connection, "Chairs", "Offices")
    with shop.connect() as connection:
        shop.move(connection, "Chairs", "Stock")
        shop.move(connection, "Chairs", "Offices")
    house.mark()

    moved, stays = shop.of(*MOVED), shop.of("Sold", "Offices")
    twice = dict.fromkeys(moved, "update update") | dict.fromkeys(stays, "update")
    assert house.did("shown") == twice
    for product in moved:
        first = house.sent("shown")[product][0]
        assert first["record"]["changed"] == ["categ_id.complete_name"]
        assert first["fields"]["categ_id.complete_name"].startswith("Sold / Offices / Chairs")
    for route in ("deleted", "ignored"):
        assert house.did(route) == dict.fromkeys(moved | stays, "update")
    assert house.did("outside") == dict.fromkeys(shop.of("Stock"), "update")
    assert house.did("orders") == dict.fromkeys(orders, "update")


def test_law_4_what_moves_against_its_tree_in_one_transaction_is_seen_as_of_its_commit(
    house: House,
) -> None:
    shop = house.shop
    (rescued, *_), (lost, *_), (never, *_) = map(sorted, map(shop.of, ("Bars", "Sold", "Stock")))
    leave = shop.of(*MOVED) - {rescued} | {lost}
    stays = shop.of("Sold", "Offices") - {lost} | {rescued}

    with shop.connect() as connection:
        put(connection, lost, shop.categories["Bars"])
        shop.move(connection, "Chairs", "Stock")
        put(connection, rescued, shop.categories["Offices"])
        put(connection, never, shop.categories["Stools"])
    assert shop.sold() == stays
    house.mark()

    did = dict.fromkeys(leave, "leave") | dict.fromkeys(stays, "update")
    assert house.did("shown") == did | {rescued: "update update"}
    assert house.did("deleted") == dict.fromkeys(leave, "delete") | (
        dict.fromkeys(stays, "update")
    )
    assert house.did("ignored") == dict.fromkeys(stays, "update")
    assert house.did("outside") == dict.fromkeys(leave, "create update") | (
        dict.fromkeys(shop.of("Stock"), "update")
    )
