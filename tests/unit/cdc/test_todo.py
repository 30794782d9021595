from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from cdc.postgres.grants import grants, script, slot
from cdc.postgres.publication import PublicationState, Published
from cdc.postgres.rights import Rights
from cdc.postgres.slot import SlotState
from cdc.selection import reader
from cdc.todo import Todo, lift, unfit, unite
from cdc.topics import TopicPlan

GOOD = SlotState("s", exists=True, plugin="pgoutput", slot_type="logical", database="odoo")


def test_steps_stand_in_the_order_in_which_they_are_done_with_who_may() -> None:
    topic = TopicPlan("src.dead", 8, 1)
    todo = Todo((topic,), (topic,), ("CREATE PUBLICATION p",), "s", "s")

    steps = todo.steps()

    assert [step.what for step in steps] == [
        "make the topic src.dead, 8 partitions",
        "change the settings of the topic src.dead",
        "CREATE PUBLICATION p",
        "create the replication slot s",
        "have the replication slot s synchronised",
    ]
    assert all(step.needs for step in steps)
    assert Todo().steps() == []


STATE: Final = PublicationState(
    "p",
    exists=True,
    tables={
        "a": Published(("id", "x"), listed=True, member=1),
        "b": Published(("id", "y"), member=2),
        "elsewhere.c": Published(("id",)),
    },
)


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ({"a": ("id", "z")}, {"a": ("id", "z", "x"), "b": ()}),
        ({"a": (), "b": ("id",)}, {"a": (), "b": ()}),
        ({"b": (), "d": ("id",)}, {"a": ("id", "x"), "b": (), "d": ("id",)}),
    ],
    ids=["another column", "whole, and to be listed", "another table"],
)
def test_law_1_nothing_is_taken_from_a_capture_that_goes_by_another_file(
    lists: dict[str, tuple[str, ...]], expected: dict[str, tuple[str, ...]]
) -> None:
    assert unite(lists, STATE) == expected


def test_who_reads_is_told_by_what_it_reads() -> None:
    name = reader({"a": ("id", "x"), "b": ("id",)})

    assert name == reader({"b": ["id"], "a": ["x", "id"]})
    assert name != reader({"a": ("id",), "b": ("id", "x")})
    assert name.startswith("odoo-cdc-capture ")
    assert len(name) < 64  # Postgres cuts it there


def test_lifting_publishes_whole_what_is_published_and_nothing_else() -> None:
    lifted = 'ALTER PUBLICATION "p" SET TABLE ONLY "public"."a", ONLY "public"."b"'

    assert lift(STATE).statements == (lifted,)
    assert lift(replace(STATE, tables={"b": STATE.tables["b"]})).steps() == []
    assert lift(PublicationState("p")).steps() == []


@pytest.mark.parametrize(
    ("state", "why"),
    [
        pytest.param(GOOD, "", id="one of ours"),
        pytest.param(replace(GOOD, slot_type="physical"), "physical", id="a physical one"),
        pytest.param(replace(GOOD, plugin="wal2json"), "wal2json", id="another plugin"),
        pytest.param(replace(GOOD, database="crm"), "crm", id="another database"),
        pytest.param(replace(GOOD, two_phase=True), "two_phase", id="prepared transactions"),
        pytest.param(replace(GOOD, temporary=True), "temporary", id="a temporary one"),
    ],
)
def test_a_slot_that_capture_cannot_read_is_told(state: SlotState, why: str) -> None:
    found = unfit(state, "odoo")

    assert bool(found) == bool(why)
    assert why in found


def test_grants_name_no_more_than_the_columns_that_are_read() -> None:
    assert grants("cdc", {"res_partner": ("id", "name"), "ir_model": ()}) == [
        'GRANT SELECT ON "public"."ir_model" TO "cdc"',
        'GRANT SELECT ("id", "name") ON "public"."res_partner" TO "cdc"',
    ]


def test_names_that_need_quotes_cannot_break_out_of_the_script() -> None:
    (line,) = grants('a"; DROP TABLE x; --', {"t": ('c"',)})

    assert line == 'GRANT SELECT ("c""") ON "public"."t" TO "a""; DROP TABLE x; --"'


def test_the_script_says_before_each_part_who_runs_it_and_ends_with_the_slot() -> None:
    nobody = Rights("cdc", "odoo")
    lines = script(nobody, {"t": ("id",)}, ["CREATE PUBLICATION p"], slot("it's", failover=False))

    assert lines == [
        "-- As a superuser, or who may make roles.",
        'CREATE ROLE "cdc" WITH LOGIN REPLICATION;',
        "",
        "-- As the database's owner.",
        'GRANT CONNECT ON DATABASE "odoo" TO "cdc";',
        'GRANT USAGE ON SCHEMA "public" TO "cdc";',
        "",
        "-- As the owner of Odoo's tables (Odoo's own role), which needs CREATE on the",
        "-- database to make a publication.",
        'GRANT SELECT ("id") ON "public"."t" TO "cdc";',
        "CREATE PUBLICATION p;",
        "",
        "-- As the role itself, last: Postgres keeps WAL for the slot from then on.",
        "SELECT pg_create_logical_replication_slot('it''s', 'pgoutput');",
    ]


ALL: Final = Rights(
    "cdc",
    "odoo",
    exists=True,
    login=True,
    replication=True,
    connect=True,
    usage=True,
    readable={"t": frozenset({"id", "name"}), "u": frozenset({"a", "b"})},
    whole=frozenset({"u"}),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, "-- Nothing is missing.", id="nothing"),
        pytest.param({"login": False}, 'ALTER ROLE "cdc" WITH LOGIN;', id="login"),
        pytest.param(
            {"replication": False}, 'ALTER ROLE "cdc" WITH REPLICATION;', id="replication"
        ),
        pytest.param(
            {"replication": False, "login": False},
            'ALTER ROLE "cdc" WITH LOGIN REPLICATION;',
            id="both",
        ),
        pytest.param(
            {"replication": False, "amazon": True},
            'GRANT rds_replication TO "cdc";',
            id="Amazon RDS",
        ),
        pytest.param(
            {"connect": False}, 'GRANT CONNECT ON DATABASE "odoo" TO "cdc";', id="connect"
        ),
        pytest.param({"usage": False}, 'GRANT USAGE ON SCHEMA "public" TO "cdc";', id="usage"),
        pytest.param(
            {"readable": {"t": frozenset({"id"})}},
            'GRANT SELECT ("name") ON "public"."t" TO "cdc";',
            id="a column that another route reads",
        ),
        pytest.param(
            {"whole": frozenset()}, 'GRANT SELECT ON "public"."u" TO "cdc";', id="a whole table"
        ),
    ],
)
def test_the_script_asks_for_no_more_than_is_missing(
    changes: dict[str, Any], expected: str
) -> None:
    lines = script(replace(ALL, **changes), {"t": ("id", "name"), "u": ()}, [], "")

    assert lines[-1] == expected
    assert sum(not line.startswith("--") for line in lines) == bool(changes)
