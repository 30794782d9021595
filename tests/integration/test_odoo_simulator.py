"""The simulator does to tables what Odoo does, and always the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest

from embedded.odoo.plays import PLAYS
from embedded.odoo.simulator import Simulator, Step
from tests.fix_services import Database
from tests.odoo_dump import dump

pytestmark = pytest.mark.integration

Rows = list[tuple[object, ...]]


@pytest.fixture
def simulator(odoo_database: Database) -> Iterator[Simulator]:
    with Simulator(odoo_database.dsn, seed=7) as played:
        yield played


@pytest.fixture
def ask(odoo_database: Database) -> Iterator[Callable[[str], Rows]]:
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        yield lambda query: connection.execute(query.encode()).fetchall()


def test_the_same_seed_does_the_same_to_every_table(
    odoo_databases: Callable[[], Database],
) -> None:
    copies = [odoo_databases(), odoo_databases()]

    kinds = []
    for copy in copies:
        with Simulator(copy.dsn, seed=3) as simulator:
            kinds.append([simulator.step().kind for _ in range(150)])

    assert kinds[0] == kinds[1]
    assert dump(copies[0].dsn) == dump(copies[1].dsn)


def test_another_seed_does_something_else(odoo_databases: Callable[[], Database]) -> None:
    kinds = []
    for seed in (1, 2):
        with Simulator(odoo_databases().dsn, seed) as simulator:
            kinds.append([simulator.step().kind for _ in range(30)])

    assert kinds[0] != kinds[1]


def test_a_day_at_the_office_has_everything(simulator: Simulator) -> None:
    missing, steps = set(PLAYS), 0
    while missing and steps < 3_000:
        missing.discard(simulator.step().kind)
        steps += 1

    assert missing == set()


@pytest.mark.parametrize("kind", [kind for kind in PLAYS if kind != "rolled back"])
def test_every_kind_is_one_transaction_that_commits(simulator: Simulator, kind: str) -> None:
    first, second = simulator.play(kind), simulator.play("nothing changed")

    assert first.commit is not None
    assert second.commit is not None
    assert first.commit < second.commit


def test_a_rollback_leaves_nothing_but_burned_ids(
    simulator: Simulator, ask: Callable[[str], Rows]
) -> None:
    before = ask("SELECT count(*), max(id) FROM sale_order")[0]

    assert simulator.play("rolled back") == Step("rolled back", None)

    assert ask("SELECT count(*), max(id) FROM sale_order")[0] == before
    simulator.play("quotation")
    assert ask("SELECT count(*) - 1, max(id) - 2 FROM sale_order")[0] == before


def test_all_rows_of_a_transaction_have_its_time(
    simulator: Simulator, ask: Callable[[str], Rows]
) -> None:
    simulator.play("quotation")

    times = ask(
        "SELECT DISTINCT o.write_date, o.create_date, l.write_date FROM sale_order o"
        " JOIN sale_order_line l ON l.order_id = o.id"
        " WHERE o.id = (SELECT max(id) FROM sale_order)"
    )
    assert len(times) == 1
    assert len(set(times[0])) == 1


def test_an_order_is_what_its_lines_come_to(
    simulator: Simulator, ask: Callable[[str], Rows]
) -> None:
    for kind in ("quotation", "line changed", "line added", "line removed") * 10:
        simulator.play(kind)

    wrong = ask(
        "SELECT o.id FROM sale_order o WHERE amount_untaxed <> (SELECT coalesce(sum("
        " round(product_uom_qty * price_unit, 2)), 0) FROM sale_order_line WHERE order_id = o.id)"
        " OR amount_total <> amount_untaxed + amount_tax"
    )
    assert wrong == []


def test_a_merged_partner_is_nowhere_any_more(
    simulator: Simulator, ask: Callable[[str], Rows]
) -> None:
    before = {row[0] for row in ask("SELECT id FROM res_partner")}

    simulator.play("partner merged")

    (gone,) = before - {row[0] for row in ask("SELECT id FROM res_partner")}
    assert ask(f"SELECT FROM sale_order WHERE partner_id = {gone}") == []
    assert ask("SELECT FROM res_partner WHERE parent_id = id") == []


def test_a_long_text_is_not_sent_again_when_the_rest_of_its_row_changes(
    simulator: Simulator, odoo_database: Database
) -> None:
    slot = f"seen_{odoo_database.name}"  # dropped with its database
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        connection.execute("CREATE PUBLICATION seen FOR TABLE res_partner")
        connection.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [slot])
        for _ in range(12):
            simulator.play("long text kept")
        sizes = connection.execute(
            "SELECT length(data) FROM pg_logical_slot_get_binary_changes(%s, NULL, NULL,"
            " 'proto_version', '1', 'publication_names', 'seen')"
            " WHERE get_byte(data, 0) = ascii('U')",
            [slot],
        ).fetchall()

    assert len(sizes) == 12
    assert any(size < 1_000 for (size,) in sizes)  # although the rows hold more than 8,000


def test_a_mass_edit_writes_no_more_than_it_may(
    odoo_database: Database, ask: Callable[[str], Rows]
) -> None:
    with Simulator(odoo_database.dsn, bulk=10) as simulator:
        simulator.play("partners written in bulk")

    assert ask("SELECT count(*) FROM res_partner WHERE ref LIKE 'B%-%'") == [(10,)]


def test_running_ends_when_it_is_told_to(simulator: Simulator) -> None:
    stop, seen = threading.Event(), list[Step]()

    def each(step: Step) -> None:
        seen.append(step)
        if len(seen) == 5:
            stop.set()

    assert simulator.run(1_000, 60, each=each, stop=stop) == 5
    assert len(seen) == 5
