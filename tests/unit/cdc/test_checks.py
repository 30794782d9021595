"""What `check` says of facts: no database, no broker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdc.checks import failover, languages, server, stream, tables
from cdc.postgres.facts import Facts, OldTransaction, Role
from cdc.postgres.publication import OPERATIONS, PublicationState, Published
from cdc.postgres.slot import SlotState
from cdc.status import warnings
from schemas.config import load
from schemas.finding import Finding
from schemas.shaping import build
from tests.programs import sync_yaml
from tests.recorded import MODELS
from tests.source_facts import MEGABYTE, PUBLICATION, SELECTION, SLOT, facts, table

ROUTES = "routes: [{name: o, model: sale.order, domain: [], targets: [t], fields: [name]}]"


def one(found: Iterable[Finding]) -> Finding:
    (finding,) = list(found)
    assert finding.remedy
    return finding


def test_a_server_as_it_should_be_has_no_finding() -> None:
    assert server.findings(facts(), SLOT) == []
    assert tables.findings(facts(), SELECTION, PUBLICATION) == []
    assert list(stream.of_publication(SELECTION, PUBLICATION, SLOT, captured=True)) == []
    assert list(stream.of_slot(facts(), SLOT, captured=True)) == []


@pytest.mark.parametrize(
    ("changes", "slot", "level", "message"),
    [
        pytest.param({"version": 140011}, SLOT, "error", "Postgres 14 is too old", id="too old"),
        pytest.param({"in_recovery": True}, SLOT, "error", "standby", id="a standby"),
        pytest.param({"wal_level": "replica"}, SLOT, "error", "wal_level", id="wal_level"),
        pytest.param({"encoding": "SQL_ASCII"}, SLOT, "error", "SQL_ASCII", id="no encoding"),
        pytest.param(
            {"replication_slots": 10},
            SlotState("s", exists=False, active_pid=1),
            "error",
            "all 10 replication slots",
            id="no slot left",
        ),
        pytest.param(
            {"wal_senders": 10},
            replace(SLOT, active_pid=None),
            "error",
            "all 10 WAL senders",
            id="no walsender left",
        ),
        pytest.param(
            {"role": Role("cdc", superuser=False, replication=False, creates=True)},
            SLOT,
            "error",
            "may not replicate",
            id="no right to replicate",
        ),
        pytest.param(
            {"max_slot_wal_keep_size": None}, SLOT, "warning", "without limit", id="endless WAL"
        ),
        pytest.param(
            {"idle_replication_slot_timeout": 600.0},
            SLOT,
            "warning",
            "10 minutes",
            id="slots that expire",
        ),
        pytest.param(
            {"oldest_write": OldTransaction(4000.0, 12, "odoo (psql)")},
            SLOT,
            "warning",
            "process 12 odoo (psql)",
            id="an old transaction",
        ),
        pytest.param(
            {"oldest_write": OldTransaction(4000.0, None, "gid-1")},
            SLOT,
            "warning",
            "prepared transaction gid-1",
            id="an old prepared transaction",
        ),
    ],
)
def test_what_is_wrong_with_a_server_is_said_with_its_remedy(
    changes: dict[str, Any], slot: SlotState, level: str, message: str
) -> None:
    found = one(server.findings(facts(**changes), slot))

    assert found.level == level
    assert message in found.message


def test_a_slot_that_is_there_needs_no_room() -> None:
    assert server.findings(facts(replication_slots=10, wal_senders=10), SLOT) == []


@pytest.mark.parametrize(
    ("given", "message", "remedy"),
    [
        pytest.param(lambda: facts(tables={}), "no table", "upgrade", id="missing"),
        pytest.param(lambda: table(kind="v"), "a view", "routes", id="a view"),
        pytest.param(lambda: table(logged=False), "unlogged", "SET LOGGED", id="unlogged"),
        pytest.param(
            lambda: table(primary_key=(), identified=False),
            "no replica identity",
            "ADD PRIMARY KEY (id)",
            id="no primary key",
        ),
        pytest.param(
            lambda: table("rel", primary_key=(), identified=False),
            "no replica identity",
            "ADD PRIMARY KEY (a, b)",
            id="a relation without a primary key",
        ),
        pytest.param(
            lambda: table(replica_identity="n", identified=False),
            "no replica identity",
            "REPLICA IDENTITY DEFAULT",
            id="identity switched off",
        ),
        pytest.param(
            lambda: table(primary_key=("uuid",)), "(uuid), not (id)", "(id)", id="another key"
        ),
        pytest.param(
            lambda: table(readable=frozenset({"id"})),
            "may not read res_partner (name)",
            'GRANT SELECT ("name")',
            id="an unreadable column",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_remedy(
    given: Callable[[], Facts], message: str, remedy: str
) -> None:
    found = tables.findings(given(), SELECTION, PUBLICATION)

    assert found
    assert all(message in each.message for each in found)
    assert all(each.level == "error" and remedy in each.remedy for each in found)


def test_ownership_matters_only_while_something_is_left_to_publish() -> None:
    foreign = table(owned=False)

    assert tables.findings(foreign, SELECTION, PUBLICATION) == []
    found = one(tables.findings(foreign, SELECTION, PublicationState("p")))
    assert "does not own res_partner" in found.message
    assert "setup --sql" in found.remedy


@pytest.mark.parametrize("captured", [False, True], ids=["before the first start", "afterwards"])
def test_what_is_not_there_is_a_step_before_the_first_start_and_a_loss_afterwards(
    captured: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    gone = SlotState("s", exists=False)
    slot = one(stream.of_slot(facts(), gone, captured=captured))
    publication = one(
        stream.of_publication(SELECTION, PublicationState("p"), gone, captured=captured)
    )

    assert {slot.level, publication.level} == {"error" if captured else "warning"}
    assert "odoo-cdc setup" in slot.remedy
    assert "odoo-cdc setup" in publication.remedy


def test_a_slot_that_would_be_older_than_its_publication_is_an_error() -> None:
    found = one(stream.of_publication(SELECTION, PublicationState("p"), SLOT, captured=False))

    assert found.level == "error"
    assert "pg_drop_replication_slot" in found.remedy


@pytest.mark.parametrize(
    ("changes", "level", "message"),
    [
        pytest.param({"all_tables": True}, "error", "all tables", id="for all tables"),
        pytest.param({"tables": {}}, "warning", "lacks rel, res_partner", id="tables missing"),
        pytest.param(
            {"operations": OPERATIONS - {"delete"}}, "error", "delete", id="operations missing"
        ),
        pytest.param({"schemas": ("x",)}, "warning", "schemas: x", id="whole schemas"),
        pytest.param(
            {"tables": {**PUBLICATION.tables, "rel": Published(("a",), listed=True)}},
            "error",
            "column lists",
            id="a column list",
        ),
    ],
)
def test_what_is_wrong_with_a_publication_is_said_with_its_remedy(
    changes: dict[str, Any], level: str, message: str
) -> None:
    state = replace(PUBLICATION, **changes)
    found = one(stream.of_publication(SELECTION, state, SLOT, captured=False))

    assert found.level == level
    assert message in found.message


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        pytest.param(
            {"version": 160009}, SLOT, [("error", "Postgres 16 synchronises no")], id="16"
        ),
        pytest.param(
            {},
            replace(SLOT, failover=False),
            [("warning", '"s" is not synchronised'), ("warning", "physical replication slot")],
            id="nothing is as it should be",
        ),
        pytest.param(
            {"standby_slots": ("b",)},
            replace(SLOT, failover=True),
            [("warning", "synchronized_standby_slots is empty")],
            id="capture would be ahead of the standby",
        ),
        pytest.param(
            {"standby_slots": ("b",), "waits_for": "b"},
            replace(SLOT, failover=True),
            [],
            id="all is as it should be",
        ),
    ],
)
def test_what_a_slot_needs_to_be_on_a_standby_is_told(
    changes: dict[str, Any], state: SlotState, said: list[tuple[str, str]]
) -> None:
    found = list(failover.findings(facts(**changes), state))

    assert [each.level for each in found] == [level for level, _ in said]
    assert all(text in each.message for each, (_, text) in zip(found, said, strict=True))
    assert all(each.remedy for each in found)


LISTED = {
    "res_partner": Published(("id", "name"), listed=True, hidden=frozenset({"ref"})),
    "rel": Published(("a", "b"), listed=True),
}


@pytest.mark.parametrize(
    ("partner", "said"),
    [
        pytest.param({}, [], id="as wanted"),
        pytest.param(
            {"attnames": ("id",), "hidden": frozenset({"name"})},
            [("error", "lacks res_partner (name)")],
            id="a column is missing",
        ),
        pytest.param(
            {"attnames": ("id", "name", "ref")},
            [("warning", "no route selects: res_partner (ref)")],
            id="a column too many",
        ),
        pytest.param(
            {"listed": False, "hidden": frozenset()},
            [("warning", "no column lists for res_partner:")],
            id="lifted",
        ),
    ],
)
def test_column_lists_are_held_against_what_the_routes_read(
    partner: dict[str, Any], said: list[tuple[str, str]]
) -> None:
    tables = {**LISTED, "res_partner": replace(LISTED["res_partner"], **partner)}
    state = replace(PUBLICATION, tables=tables)
    found = list(stream.of_publication(SELECTION, state, SLOT, captured=True, lists=True))

    assert [each.level for each in found] == [level for level, _ in said]
    assert all(text in each.message for each, (_, text) in zip(found, said, strict=True))
    assert all("odoo-cdc setup" in each.remedy for each in found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replica_identity": "f"}, "REPLICA IDENTITY FULL"),
        ({"replica_identity": "i", "identity_index": ("id", "ref")}, "identified by ref too"),
        ({"replica_identity": "i", "identity_index": ("id", "name")}, ""),
    ],
    ids=["full", "an index of another column", "an index of what is selected"],
)
def test_law_6_a_table_that_odoo_could_not_change_with_a_list_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    given = table(**changes)

    assert tables.findings(given, SELECTION, PUBLICATION) == []
    found = tables.findings(given, SELECTION, PUBLICATION, lists=True)
    assert [message in each.message for each in found] == [True] * bool(message)
    assert all("publish: tables" in each.remedy for each in found)


@pytest.mark.parametrize(
    ("changes", "level", "message"),
    [
        pytest.param({"wal_status": "lost"}, "error", "is lost", id="lost"),
        pytest.param({"invalidation_reason": "idle_timeout"}, "error", "idle", id="invalidated"),
        pytest.param({"plugin": "wal2json"}, "error", "wal2json", id="another plugin"),
        pytest.param(
            {"wal_status": "unreserved", "safe_wal_size": 3 * MEGABYTE},
            "warning",
            "3 MiB more and it is lost",
            id="about to be lost",
        ),
    ],
)
def test_what_is_wrong_with_a_slot_is_said_with_its_remedy(
    changes: dict[str, Any], level: str, message: str
) -> None:
    found = one(stream.of_slot(facts(), replace(SLOT, **changes), captured=True))

    assert found.level == level
    assert message in found.message


@pytest.mark.parametrize(
    ("held", "warned"), [(499, False), (501, True)], ids=["below half", "above half"]
)
def test_law_1_status_warns_from_half_of_what_postgres_keeps(held: int, *, warned: bool) -> None:
    found = list(warnings(facts(), replace(SLOT, wal_held=held * MEGABYTE)))

    assert bool(found) is warned
    assert all("of the 1000 MiB" in each for each in found)


@pytest.mark.parametrize(
    ("lang", "active", "expected"),
    [
        ("fr_XX", {"en_US", "fr_FR"}, ["routes[0].map.title.lang", 'did you mean "fr_FR"?']),
        ("zz_ZZ", {"fr_FR"}, ["routes[0].map.title.lang", "write one of en_US, fr_FR"]),
        ("fr_FR", {"fr_FR"}, []),
        ("en_US", set(), []),
        ("*", set(), []),
        ("fr_XX", None, []),
    ],
    ids=["near", "far", "active", "english", "all", "nobody may look"],
)
def test_a_language_that_odoo_has_not_is_warned_of(
    tmp_path: Path, lang: str, active: set[str] | None, expected: list[str]
) -> None:
    routes = f"""
routes:
  - name: a
    model: product.template
    targets: [t]
    map: {{title: {{path: name, lang: "{lang}"}}}}
"""
    file = tmp_path / "sync.yaml"
    text = sync_yaml(source="a", dsn="dbname=a", kafka="k:9092", targets=["t"], routes=routes)
    file.write_text(text, encoding="utf-8")

    found = languages.findings(load(file), active)

    assert [text for each in found for text in (each.where, each.remedy)] == expected
    assert {each.level for each in found} <= {"warning"}


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ({"fr_FR": 1, "en_US": 7}, [("error", "write week_start: monday")]),
        ({"fr_FR": 7}, []),
        ({"en_US": 1}, []),
        (None, [("warning", "let the role of source.dsn SELECT")]),
    ],
    ids=["another day", "the same day", "no such language", "nobody may look"],
)
def test_a_week_that_begins_otherwise_in_odoo_is_told(
    tmp_path: Path, first: dict[str, int] | None, expected: list[tuple[str, str]]
) -> None:
    file = tmp_path / "sync.yaml"
    text = sync_yaml(source="a", dsn="dbname=a", kafka="k:9092", targets=["t"], routes=ROUTES)
    french = text.replace('"dsn"', '"lang": "fr_FR", "dsn"')
    file.write_text(french, encoding="utf-8")

    found = languages.of_week(load(file), first)

    assert [each.where for each in found] == ["source.week_start"] * len(expected)
    for each, (level, remedy) in zip(found, expected, strict=True):
        assert each.level == level
        assert each.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("domain", "counted"),
    [
        ([["date_order.day_of_week", "=", 0]], True),
        ([["order_line.order_id.date_order.day_of_week", "=", 0]], True),
        ([["order_line", "any", [["order_id.date_order.day_of_week", "=", 0]]]], True),
        ([["date_order.day_of_month", "=", 1]], False),
        ([["state", "=", "sale"]], False),
    ],
    ids=["a day of the week", "behind relations", "inside any", "another part", "no part"],
)
def test_the_first_day_matters_where_a_domain_asks_for_days_of_the_week(
    tmp_path: Path, domain: list[Any], *, counted: bool
) -> None:
    file = tmp_path / "sync.yaml"
    text = sync_yaml(source="a", dsn="dbname=a", kafka="k:9092", targets=["t"], routes=ROUTES)
    file.write_text(text.replace("domain: []", f"domain: {json.dumps(domain)}"), encoding="utf-8")
    config = load(file)

    shape = build(MODELS, "sale.order", config.routes[0].reads())
    assert languages.counts_days(config, (shape,)) is counted
