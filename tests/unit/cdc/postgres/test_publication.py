from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.postgres.publication import Needs, PublicationState, Published, refuse_gap
from cdc.postgres.publishing import PublicationUnfit, plan
from cdc.postgres.refusals import PublicationMissing

STATE = PublicationState("p", exists=True, tables={"a": Published(("id",)), "b": Published(())})


def test_a_publication_is_made_with_whole_tables() -> None:
    assert plan({"sale_order": (), "res_partner": ()}, PublicationState("cdc")) == [
        (
            'CREATE PUBLICATION "cdc" FOR TABLE ONLY "public"."res_partner",'
            ' ONLY "public"."sale_order" WITH (publish = \'insert, update, delete, truncate\')'
        )
    ]


def test_a_column_list_has_the_key_first() -> None:
    (made,) = plan({"note": ("id", "body")}, PublicationState("cdc"))
    assert made.startswith(
        'CREATE PUBLICATION "cdc" FOR TABLE ONLY "public"."note" ("id", "body") WITH ('
    )


def test_columns_that_a_table_has_and_the_publication_has_not_are_a_gap() -> None:
    listed = Published(("id",), listed=True, member=7, hidden=frozenset({"x", "y"}))
    state = replace(STATE, tables={"a": listed})

    refuse_gap(state, Needs({"a": 7}, {"a": ("id", "gone")}))
    with pytest.raises(PublicationMissing, match=r"lacks a \(x\)"):
        refuse_gap(state, Needs({"a": 7}, {"a": ("id", "x")}))


def test_numbers_that_a_table_had_without_being_left_out_are_no_gap() -> None:
    state = replace(STATE, tables={"a": Published((), member=9, members=frozenset({7, 8, 9}))})

    refuse_gap(state, Needs({"a": 7}, {}))
    with pytest.raises(PublicationMissing, match="without a for a while"):
        refuse_gap(state, Needs({"a": 6}, {}))


def test_names_are_quoted() -> None:
    (statement,) = plan({'x"; DROP TABLE y; --': ()}, PublicationState('p"q'))
    assert '"p""q"' in statement
    assert '"x""; DROP TABLE y; --"' in statement


def test_a_table_that_was_not_published_for_a_while_is_a_gap() -> None:
    state = replace(STATE, tables={"a": Published((), member=7), "b": Published((), member=8)})

    refuse_gap(state, Needs({"a": 7, "b": 8}, {}))
    with pytest.raises(PublicationMissing, match="was without b for a while"):
        refuse_gap(state, Needs({"a": 7, "b": 6}, {}))
    with pytest.raises(PublicationMissing, match="lacks c"):
        refuse_gap(state, Needs({"a": 7, "c": 9}, {}))
    with pytest.raises(PublicationMissing, match="is not there"):
        refuse_gap(PublicationState("p"), Needs({"a": 7}, {}))
    for other in (
        replace(state, operations=frozenset({"insert"})),
        replace(state, via_root=True),
        replace(state, tables={"a": Published((), row_filter="(id > 1)", member=7)}),
    ):
        with pytest.raises(PublicationMissing, match="all that happens"):
            refuse_gap(other, Needs({"a": 7}, {}))


def test_nothing_is_done_where_everything_fits() -> None:
    assert plan({"b": (), "a": ()}, STATE) == []


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(replace(STATE, tables={"a": Published(())}), id="a table is missing"),
        pytest.param(
            replace(STATE, tables={**STATE.tables, "c": Published(())}), id="a table is too much"
        ),
        pytest.param(
            replace(STATE, tables={**STATE.tables, "b": Published((), listed=True)}),
            id="a column list",
        ),
        pytest.param(
            replace(STATE, tables={**STATE.tables, "b": Published((), row_filter="(id > 1)")}),
            id="a row filter",
        ),
        pytest.param(replace(STATE, schemas=("other",)), id="a whole schema"),
    ],
)
def test_tables_are_set_where_they_differ(state: PublicationState) -> None:
    assert plan({"a": (), "b": ()}, state) == [
        'ALTER PUBLICATION "p" SET TABLE ONLY "public"."a", ONLY "public"."b"'
    ]


@pytest.mark.parametrize(
    "state",
    [replace(STATE, operations=frozenset({"insert"})), replace(STATE, via_root=True)],
    ids=["operations", "root"],
)
def test_options_are_set_where_they_differ(state: PublicationState) -> None:
    assert plan({"a": (), "b": ()}, state) == [
        (
            "ALTER PUBLICATION \"p\" SET (publish = 'insert, update, delete, truncate',"
            " publish_via_partition_root = false)"
        )
    ]


def test_a_publication_for_all_tables_is_left_alone() -> None:
    with pytest.raises(PublicationUnfit, match="all tables"):
        plan({"a": ()}, replace(STATE, all_tables=True))


def test_no_tables_are_no_publication() -> None:
    with pytest.raises(PublicationUnfit, match="no table"):
        plan({}, STATE)
