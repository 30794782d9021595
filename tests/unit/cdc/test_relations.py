"""What the stream says of a table, against what the database was seen to have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cdc.engine.compile import compile_plan
from cdc.engine.holding import Attribute
from cdc.engine.relations import KeyLost, Looked, Reader, Relations, SchemaChanged
from cdc.engine.split import NULL, UNCHANGED
from cdc.pgoutput.decoder import MalformedMessage
from cdc.pgoutput.messages import Relation, RelationColumn
from cdc.selection import flatten
from schemas.document import Read
from tests.documents import MODELS, shape_of

PLAN = compile_plan(flatten((shape_of([Read("name")], "res.partner"),), MODELS))
TABLE = "res_partner"
TYPES = {TABLE: {name: Attribute(25) for name in PLAN.by_name[TABLE].read}}
OID = 7
NEVER = Looked()
EMPTY = b"t\0\0\0\0"  # a text of no characters
KEY = OID.to_bytes(4, "big")
WHOLE = Relation(
    OID,
    "public",
    TABLE,
    "d",
    tuple(RelationColumn(name == "id", name, 25, -1) for name in ("other", *TYPES[TABLE])),
)
RETYPED = replace(
    WHOLE,
    columns=tuple(replace(c, type_oid=23) if c.name == "name" else c for c in WHOLE.columns),
)
WITHOUT = replace(WHOLE, columns=tuple(c for c in WHOLE.columns if c.name != "name"))


def learned(*found: Relation, looked: Looked = NEVER, at: int = 1) -> Relations:
    relations = Relations(PLAN, TYPES, looked)
    relations.begin(at)
    for each in found:
        relations.learn(each)
    return relations


def name_of_empty(relations: Relations, found: Relation) -> bytes:
    """Return what the name is in a row whose columns are all empty."""
    reader = relations.readers[KEY]
    assert isinstance(reader, Reader)
    columns = len(found.columns)
    cells, _ = reader.tuples.split(columns.to_bytes(2, "big") + EMPTY * columns, 0)
    return cells[PLAN.by_name[TABLE].read.index("name")]


@pytest.mark.parametrize("other", [RETYPED, WITHOUT], ids=["of another type", "gone"])
def test_law_10_rows_of_a_table_that_was_altered_are_refused(other: Relation) -> None:
    relations = learned(WHOLE, other)

    assert KEY not in relations.readers
    assert isinstance(relations.refusal(KEY), SchemaChanged)
    with pytest.raises(SchemaChanged):
        relations.plans([OID])
    relations.learn(WHOLE)
    assert relations.plans([OID]) == [PLAN.by_name[TABLE]]


def test_rows_of_a_table_that_has_another_name_are_refused() -> None:
    relations = learned(WHOLE, replace(WHOLE, name="elsewhere"))

    refused = relations.refusal(KEY)
    assert isinstance(refused, SchemaChanged)
    assert refused.table == TABLE


def test_rows_without_a_relation_and_without_a_key_are_refused() -> None:
    assert isinstance(learned().refusal(KEY), MalformedMessage)
    keyless = replace(WHOLE, columns=tuple(replace(c, flags=0) for c in WHOLE.columns))
    assert isinstance(learned(keyless).refusal(KEY), KeyLost)


def test_a_column_that_is_not_to_be_read_is_empty_whatever_the_stream_says() -> None:
    made = {name: each for name, each in TYPES[TABLE].items() if name != "name"}
    for found in (WHOLE, RETYPED, WITHOUT):
        relations = Relations(PLAN, {TABLE: made})
        relations.learn(found)
        assert name_of_empty(relations, found) == NULL


@pytest.mark.parametrize("other", [RETYPED, WITHOUT], ids=["of another type", "gone"])
def test_a_column_that_is_read_for_the_first_time_may_be_younger_than_the_rows(
    other: Relation,
) -> None:
    looked = Looked(until=100, fresh={TABLE: frozenset({"name"})})
    relations = learned(other, looked=looked)
    assert name_of_empty(relations, other) == UNCHANGED

    relations.begin(101)
    assert isinstance(relations.refusal(KEY), SchemaChanged)
    relations.begin_again()
    assert name_of_empty(relations, other) == UNCHANGED


def test_a_table_that_is_read_again_needs_no_rows_from_before_the_look() -> None:
    relations = learned(RETYPED, looked=Looked(until=100, skipped=frozenset({TABLE})))
    assert relations.readers[KEY] is None

    relations.begin(101)
    assert KEY not in relations.readers
    relations.learn(WHOLE)
    assert name_of_empty(relations, WHOLE) == EMPTY


def test_rows_that_come_without_what_is_read_are_passed_over_until_the_table_is_back() -> None:
    relations = learned(WITHOUT)
    assert isinstance(relations.refusal(KEY), SchemaChanged)

    relations.leave_out({TABLE})
    assert relations.readers[KEY] is None
    relations.learn(WHOLE)
    assert relations.readers[KEY] is None

    relations.leave_out(set())
    assert name_of_empty(relations, WHOLE) == EMPTY
