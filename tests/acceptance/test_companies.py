"""Records that a source's company has: followed, indexed and compared as SQL says they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from schemas.config import load
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from tests.fix_services import Database
from tests.kafka_reading import events
from tests.programs import Programs, sync_yaml

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

FIELD: Final = "res.partner.property_payment_term_id"
ROUTES: Final = """
routes:
  - name: partners
    model: res.partner
    domain: [["property_payment_term_id", "!=", false], ["create_date.day_of_month", ">", 0]]
    targets: [shop]
    on_leave: delete
    map: {term: property_payment_term_id, name: property_payment_term_id.name}
"""
WANTED: Final = """
    SELECT p.id, t.id, t.name->>'en_US' FROM res_partner p JOIN account_payment_term t
    ON t.id = (coalesce(p.property_payment_term_id->'1', to_jsonb(1))->>0)::int
    WHERE p.create_date IS NOT NULL
"""
TRANSACTIONS: Final = (
    # The default of all that say nothing of the company.
    """UPDATE account_payment_term SET name = '{"en_US": "At once"}' WHERE id = 1""",
    """UPDATE account_payment_term SET name = '{"en_US": "In a month"}' WHERE id = 2""",
    """UPDATE res_partner SET property_payment_term_id = '{"1": 3, "2": 1}' WHERE id % 3 = 0""",
    """UPDATE res_partner SET property_payment_term_id = '{"1": null}' WHERE id % 5 = 0""",
    """UPDATE res_partner SET property_payment_term_id = '{"2": 3}' WHERE id % 7 = 0""",
    # No foreign key holds it: whoever had it has none.
    "DELETE FROM account_payment_term WHERE id = 3",
    """INSERT INTO account_payment_term (id, name) VALUES (3, '{"en_US": "Again"}')""",
)


def installation(folder: Path, database: Database, kafka: Kafka, source: str) -> Programs:
    text = sync_yaml(
        source=source,
        dsn=database.dsn,
        kafka=kafka.bootstrap,
        targets=["shop"],
        routes=ROUTES,
        more={
            "source": {
                "name": source,
                "dsn": database.dsn,
                "company_defaults": {FIELD: {"1": 1}},
            }
        },
    )
    return Programs(folder, text)


def held(servers: str, config: Path) -> dict[int, Any]:
    """Return what the target holds: the fields of each partner."""
    read = load(config)
    routes, found = Routes.of_config(read), dict[int, Any]()
    for _, event in sorted(
        events(servers, read.source.name, ["res.partner"]), key=lambda each: each[1].position
    ):
        for delivery in dispatch(event, routes).deliveries:
            data = json.loads(delivery.body)["data"]
            if data["record"]["operation"] == "delete":
                found.pop(data["record"]["id"], None)
            else:
                found[data["record"]["id"]] = data["fields"]
    return found


def test_law_4_partners_show_the_record_that_the_company_has(
    odoo_database: Database, kafka: Kafka, kafka_prefix: str, tmp_path: Path
) -> None:
    with (
        installation(tmp_path, odoo_database, kafka, kafka_prefix) as programs,
        psycopg.connect(odoo_database.dsn, autocommit=True) as connection,
    ):
        programs.run("setup")
        programs.caught_up()
        for statement in TRANSACTIONS:
            connection.execute(statement.encode())
            programs.caught_up()

            wanted = {
                row: {"term": term, "name": name}
                for row, term, name in connection.execute(WANTED.encode())
            }
            assert wanted, "nobody has a payment term"
            assert held(kafka.bootstrap, programs.config) == wanted, statement
