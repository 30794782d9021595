"""Callers at the same time, and each call as one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import odoorpc
import psycopg
import pytest

from tests.odoo_client import Odoo, Rpc

pytestmark = pytest.mark.integration

CALLERS = 4
COULD_NOT = "could not serialize access"


def together(odoo: Odoo, work: Callable[[Rpc, int], Any]) -> list[Any]:
    """Do it as several clients at once; an error's class stands for its answer."""
    clients, barrier = [odoo.client() for _ in range(CALLERS)], threading.Barrier(CALLERS)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return work(clients[number], number)
        except odoorpc.error.RPCError as error:
            return error.info["data"]["name"]

    with ThreadPoolExecutor(CALLERS) as pool:
        return list(pool.map(one, range(CALLERS)))


def test_one_external_id_loaded_at_once_makes_one_record(
    odoo_rpc: Odoo, rpc: Rpc, module: str
) -> None:
    for turn in range(5):
        name = f"p{turn}"
        answers = together(
            odoo_rpc,
            lambda client, number, name=name: client.load(
                "res.partner", ["id", "name", "ref"], [f"{module}.{name}", f"P{number}", name]
            ),
        )

        made = {tuple(each["ids"]) for each in answers if each["ids"]}
        assert len(made) == 1
        refused = [each["messages"][0]["message"] for each in answers if not each["ids"]]
        assert all(message.startswith(COULD_NOT) for message in refused)
        (mine,) = made
        assert rpc.named(module)[name] == ("res.partner", mine[0])
        assert rpc("res.partner", "search", [["ref", "=", name], ["id", ">=", mine[0]]]) == [*mine]


def test_one_name_given_at_once_is_given_once(odoo_rpc: Odoo, module: str) -> None:
    values = {"module": module, "name": "p", "model": "res.partner", "res_id": 1}

    answers = together(odoo_rpc, lambda client, _: client("ir.model.data", "create", values))

    assert sum(isinstance(each, int) for each in answers) == 1
    assert answers.count("odoo.exceptions.ValidationError") == CALLERS - 1


def test_writes_to_one_record_all_succeed(odoo_rpc: Odoo, rpc: Rpc) -> None:
    number = rpc("res.partner", "create", {"name": "Shared"})

    def write(client: Rpc, caller: int) -> list[bool]:
        names = [f"{caller}-{turn}" for turn in range(3)]
        return [client("res.partner", "write", [number], {"name": name}) for name in names]

    answers = together(odoo_rpc, write)

    assert answers == [[True] * 3] * CALLERS
    assert rpc.one("res.partner", number, "name")["name"].endswith("-2")


def test_a_call_that_fails_leaves_nothing(rpc: Rpc, module: str) -> None:
    values = [{"name": module}, {"name": module, "type": "nonsense"}]

    rpc.refused("res.partner", "create", values)

    assert rpc("res.partner", "search_count", [["name", "=", module]]) == 0


def test_rows_of_one_call_have_one_time_and_one_writer(odoo_rpc: Odoo, rpc: Rpc) -> None:
    partner = rpc("res.partner", "create", {"name": "Buyer"})
    product = rpc("product.product", "create", {"name": "Chair"})
    lines = [[0, 0, {"product_id": product}], [0, 0, {"product_id": product}]]
    order = rpc("sale.order", "create", {"partner_id": partner, "order_line": lines})

    with psycopg.connect(odoo_rpc.dsn) as connection:
        rows = connection.execute(
            "SELECT DISTINCT o.write_date, o.create_date, l.write_date, o.write_uid, l.write_uid"
            " FROM sale_order o JOIN sale_order_line l ON l.order_id = o.id WHERE o.id = %s",
            [order],
        ).fetchall()

    (row,) = rows
    assert len(set(row[:3])) == 1
    assert set(row[3:]) == {rpc.odoo.env.uid}


def test_a_write_waits_for_a_lock_and_comes_through(odoo_rpc: Odoo, rpc: Rpc) -> None:
    number = rpc("res.partner", "create", {"name": "Locked"})
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock'"
    )

    with (
        ThreadPoolExecutor(1) as pool,
        psycopg.connect(odoo_rpc.dsn) as holder,
        psycopg.connect(odoo_rpc.dsn, autocommit=True) as watcher,
    ):
        holder.execute("UPDATE res_partner SET ref = 'theirs' WHERE id = %s", [number])
        answer = pool.submit(rpc, "res.partner", "write", [number], {"name": "Ours"})
        while watcher.execute(waiting).fetchone() == (0,):
            assert not answer.done()
        holder.commit()
        assert answer.result() is True

    row = rpc.one("res.partner", number, "name", "ref")
    assert (row["name"], row["ref"]) == ("Ours", "theirs")


def test_two_odoos_share_nothing(
    new_odoo_rpc: Callable[[], Odoo], odoo_rpc: Odoo, rpc: Rpc, module: str
) -> None:
    other = new_odoo_rpc()

    rpc.loaded("res.partner", ["id", "name"], [f"{module}.p", "One"])

    assert other.kind == odoo_rpc.kind
    assert other.client().named(module) == {}
