from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.postgres.grants import grants, script
from cdc.postgres.slot import SlotState
from cdc.todo import Todo, unfit
from cdc.topics import TopicPlan

GOOD = SlotState("s", exists=True, plugin="pgoutput", slot_type="logical", database="odoo")


def test_steps_stand_in_the_order_in_which_they_are_done_with_who_may() -> None:
    topic = TopicPlan("src.dead", 8, 1)
    todo = Todo((topic,), (topic,), ("CREATE PUBLICATION p",), "s")

    steps = todo.steps()

    assert [step.what for step in steps] == [
        "make the topic src.dead, 8 partitions",
        "change the settings of the topic src.dead",
        "CREATE PUBLICATION p",
        "create the replication slot s",
    ]
    assert all(step.needs for step in steps)
    assert Todo().steps() == []


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
    lines = script("cdc", {"t": ("id",)}, ["CREATE PUBLICATION p"], "it's")

    assert lines[0].startswith("-- As a superuser")
    assert any(line.startswith("-- As the owner") for line in lines)
    assert "CREATE PUBLICATION p;" in lines
    assert lines[-1] == "SELECT pg_create_logical_replication_slot('it''s', 'pgoutput');"
    assert "pg_create" not in "".join(script("cdc", {}, [], ""))
