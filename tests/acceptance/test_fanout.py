"""One row that many documents look up changes: they go out in portions, behind live changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from tests import faulty
from tests.fix_services import Database
from tests.fix_wso2 import RespondSlowly, Wso2StandIn
from tests.programs import FAULTY, Program, Programs, said, sync_yaml, until

if TYPE_CHECKING:
    from embedded.kafka import Kafka

pytestmark = pytest.mark.acceptance

MANY: Final = 2_000  # partners: some portions
FIRST: Final = 5_001
OWN, LIVE, GONE, NEXT = FIRST + 10, FIRST + MANY - 1, FIRST + MANY - 2, FIRST + MANY - 3
ROUTES: Final = """
routes:
  - {name: partners, model: res.partner, domain: [["ref", "=", "own"]], targets: [shop],
     fields: [name, country_id.name], initial_load: false, ignore_writes_by: [sync]}
"""
NAMES: Final = "UPDATE res_country SET name = jsonb_build_object('en_US', %s::text) WHERE id = %s"


@pytest.fixture
def country(odoo_database: Database) -> int:
    """Return one that so many partners look up."""
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        found = connection.execute("SELECT min(id) FROM res_country").fetchone()
        assert found is not None
        connection.execute(
            "INSERT INTO res_partner (id, name, ref, country_id)"
            " SELECT n, n::text, 'own', %s FROM generate_series(%s::int, %s::int) n",
            [found[0], FIRST, FIRST + MANY - 1],
        )
        connection.execute(NAMES.encode(), ["First", found[0]])
    return int(found[0])


@pytest.fixture
def sync(odoo_database: Database, country: int) -> int:  # noqa: ARG001  of a partner of there
    """Return a user whose writes the route ignores."""
    with psycopg.connect(odoo_database.dsn, autocommit=True) as connection:
        made = connection.execute(
            "INSERT INTO res_users (login, partner_id, company_id, active)"
            " VALUES ('sync', %s, 1, true) RETURNING id",
            [FIRST],
        ).fetchone()
        assert made is not None
        return int(made[0])


@pytest.fixture
def programs(
    odoo_database: Database,
    sync: int,  # noqa: ARG001  it is there before the first load
    kafka: Kafka,
    kafka_prefix: str,
    tmp_path: Path,
    wso2: Wso2StandIn,
) -> Iterator[Programs]:
    text = sync_yaml(
        source=kafka_prefix,
        dsn=odoo_database.dsn,
        kafka=kafka.bootstrap,
        targets=("shop",),
        routes=ROUTES,
        wso2=wso2.url,
        more={
            "source": {"name": kafka_prefix, "dsn": odoo_database.dsn, "fanout_limit": 100},
            "wso2": {"url": wso2.url, "timeout": "5s", "concurrency": 8},
        },
    )
    with Programs(tmp_path, text) as made:
        made.run("setup")
        made.caught_up()
        yield made


def run(database: Database, *statements: tuple[str, list[Any]]) -> None:
    """Run statements in one transaction."""
    with psycopg.connect(database.dsn) as connection:
        for statement, values in statements:
            connection.execute(statement.encode(), values)


def named(name: str, record: int) -> tuple[str, list[Any]]:
    return "UPDATE res_partner SET name = %s WHERE id = %s", [name, record]


def sent(wso2: Wso2StandIn) -> dict[str, dict[str, Any]]:
    """Return the data of every delivery by its id, in the order of their first coming."""
    found: dict[str, dict[str, Any]] = {}
    for request in wso2.taken():
        body = request.json
        first = found.setdefault(request.id, body["data"] | {"sequence": body["sequence"]})
        assert first == body["data"] | {"sequence": body["sequence"]}
    return found


def of(wso2: Wso2StandIn, record: int) -> list[dict[str, Any]]:
    return [each for each in sent(wso2).values() if each["record"]["id"] == record]


def fields(name: object, country: str) -> dict[str, Any]:
    return {"name": str(name), "country_id.name": country}


def held_to_laws(wso2: Wso2StandIn) -> None:
    """Every document once, whole and as a change of the stream; chains in their order."""
    chains: dict[int, list[dict[str, Any]]] = {}
    for each in sent(wso2).values():
        assert each["routing"]["mode"] == "stream"
        chains.setdefault(each["record"]["id"], []).append(each)
    for chain in chains.values():
        sequences = [each["sequence"] for each in chain]
        assert sequences == sorted(sequences)
    assert chains.keys() == set(range(FIRST, FIRST + MANY))
    for record in chains.keys() - {OWN, LIVE, GONE, NEXT}:
        (once,) = chains[record]
        assert once["fields"] == fields(record, "Second")
        assert once["record"]["changed"] == ["country_id.name"]


def test_live_changes_overtake_what_one_row_shows_in(
    programs: Programs, odoo_database: Database, country: int, wso2: Wso2StandIn
) -> None:
    wso2.otherwise = RespondSlowly(0.02)
    worker, capture = programs.start("stream", "--worker", "one"), programs.start("capture")
    capture.until_said("action=following")
    worker.until_said("action=assigned")

    run(odoo_database, (NAMES, ["Second", country]), named("Own", OWN))
    until(lambda: len(sent(wso2)) > 20, capture)
    run(odoo_database, named("Live", LIVE))
    run(odoo_database, ("DELETE FROM res_partner WHERE id = %s", [GONE]))
    until(lambda: of(wso2, LIVE) and of(wso2, GONE), capture)
    overtaken = len(sent(wso2))
    until(lambda: len(sent(wso2)) == MANY, capture)
    capture.until_said("res.partner: what was put off is published")
    run(odoo_database, named("Next", NEXT))
    until(lambda: len(of(wso2, NEXT)) == 2, capture)

    held_to_laws(wso2)
    assert overtaken < MANY - 200
    (own,), (live,), (gone,) = of(wso2, OWN), of(wso2, LIVE), of(wso2, GONE)
    assert own["sequence"] == min(each["sequence"] for each in sent(wso2).values())
    for both, name in ((own, "Own"), (live, "Live")):
        assert both["fields"] == fields(name, "Second")
        assert both["record"]["changed"] == ["name", "country_id.name"]
    assert gone["record"]["operation"] == "delete"
    assert gone["fields"] == fields(GONE, "First")
    assert of(wso2, NEXT)[1]["record"]["changed"] == ["name"]


def test_law_1_whose_writes_are_ignored_takes_no_turn_of_others_and_is_not_put_off(
    programs: Programs, odoo_database: Database, country: int, sync: int, wso2: Wso2StandIn
) -> None:
    wso2.otherwise = RespondSlowly(0.02)
    worker, capture = programs.start("stream", "--worker", "one"), programs.start("capture")
    capture.until_said("action=following")
    worker.until_said("action=assigned")
    by_sync = "UPDATE res_country SET write_uid = %s, name = %s WHERE id = %s"
    again = "UPDATE res_partner SET name = 'Live', write_uid = %s WHERE id = %s"

    run(odoo_database, (NAMES, ["Second", country]))
    until(lambda: len(sent(wso2)) > 20, capture)
    run(odoo_database, (again, [sync, LIVE]))
    until(lambda: len(sent(wso2)) == MANY, capture)
    assert [each["fields"] for each in of(wso2, LIVE)] == [fields("Live", "Second")]

    capture.until_said("what was put off is published")
    run(odoo_database, (by_sync, [sync, '{"en_US": "Third"}', country]))
    run(odoo_database, named("Next", NEXT))
    until(lambda: len(of(wso2, NEXT)) == 2, capture)
    assert of(wso2, NEXT)[1]["fields"] == fields("Next", "Third")
    assert len(sent(wso2)) == MANY + 1
    assert said(capture, "action=put_off") == 1


@pytest.mark.parametrize(
    ("point", "number"),
    [
        pytest.param(faulty.PUBLISHED, 700, id="while a portion is published"),
        pytest.param(faulty.AFTER_KAFKA, 3, id="before it is noted that it is"),
        pytest.param(faulty.AFTER_COMMIT, 3, id="when it is"),
    ],
)
def test_law_1_a_capture_that_is_killed_meanwhile_sends_the_rest_and_nothing_else(
    programs: Programs,
    odoo_database: Database,
    country: int,
    wso2: Wso2StandIn,
    point: str,
    number: int,
) -> None:
    worker = programs.start("stream", "--worker", "one")
    killed = programs.start("capture", launcher=(*FAULTY, point, str(number)))
    killed.until_said("action=following")
    worker.until_said("action=assigned")

    run(odoo_database, (NAMES, ["Second", country]))
    assert killed.wait() == -9
    run(odoo_database, named("Live", LIVE))
    capture: Program = programs.start("capture")

    until(lambda: len(sent(wso2)) >= MANY, capture)
    until(lambda: of(wso2, LIVE)[-1]["fields"] == fields("Live", "Second"), capture)
    until(lambda: "what was put off is published" in capture.tail(), capture)
    held_to_laws(wso2)
