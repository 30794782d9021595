"""Any transactions over a small shop: the events are what looking everything up would say."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cdc.engine.undone import take_back
from schemas.event import Event
from tests.engine import ORDER, PARTNER, PLAN, Row, World, delete, engine, insert, update

IDS = st.integers(1, 3)
OF_COMPANIES = st.sampled_from(
    [None, "{}", '{"1": 1}', '{"1": 2, "2": 1}', '{"2": 3}', '{"1": null}', '{"1": 9}']
)
LINKS = {
    "partner_id": "res_partner",
    "parent_id": "res_partner",
    "country_id": "res_country",
    "user_id": "res_users",
    "order_id": "sale_order",
    "product_id": "product_product",
    "product_tmpl_id": "product_template",
}
MOSTLY = st.sampled_from([True, True, True, False])  # made rather than deleted
MOMENTS = st.sampled_from([None, "2026-11-23 10:00:00", "2026-11-23 10:00:00.123456"])
TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "b", "Ünï 'code'", "x" * 300]))


@st.composite
def rows(draw: st.DrawFn, table: str) -> Row:
    """One row of a table, its links to records that may not exist."""
    row: Row = {"id": str(draw(IDS))}
    for name in PLAN.by_name[table].read[1:]:
        if name in LINKS:
            value = draw(st.sampled_from([None, 1, 1, 2, 2, 3]))
            row[name] = None if value is None else str(value)
        elif name == "property_payment_term_id":
            row[name] = draw(OF_COMPANIES)
        elif name == "sequence":
            row[name] = draw(st.sampled_from([None, "1", "2"]))
        elif name == "write_date":
            row[name] = draw(MOMENTS)
        else:
            row[name] = draw(TEXTS)
    return row


# Orders, their lines and tags come more often: there is most to go wrong.
ROW_TABLES = [plan.name for plan in PLAN.rows] + ["sale_order", "sale_order_line"] * 3
PAIR_TABLES = [plan.name for plan in PLAN.pairs]
ROW_CHANGES = st.sampled_from(ROW_TABLES).flatmap(
    lambda table: st.tuples(st.just(table), MOSTLY, rows(table))
)
PAIR_CHANGES = st.tuples(st.sampled_from(PAIR_TABLES), st.booleans(), st.tuples(IDS, IDS))
TRANSACTIONS = st.lists(
    st.lists(st.one_of(ROW_CHANGES, PAIR_CHANGES), min_size=1, max_size=8),
    min_size=3,
    max_size=10,
)


def played(world: World, changes: list[tuple[str, bool, object]]) -> Iterator[bytes]:
    """Make the changes in the world, and say them as Postgres would."""
    for table, made, what in changes:
        if isinstance(what, tuple):
            names = next(plan.read for plan in PLAN.pairs if plan.name == table)
            pair: Row = dict(zip(names, map(str, what), strict=True))
            if made != (what in world.pairs[table]):
                (world.pairs[table].add if made else world.pairs[table].discard)(what)
                yield insert(table, pair) if made else delete(table, pair)
        else:
            assert isinstance(what, dict)
            row, held = int(what["id"]), world.tables[table]
            if made:
                say = update if row in held else insert
                held[row] = what
                yield say(table, what)
            elif row in held:
                yield delete(table, held.pop(row))


def expected(before: World, after: World) -> list[tuple[str, int, object, object]]:
    """Return what differs, in the order of (model, id)."""
    found = []
    for shape in (PARTNER, ORDER):
        for row in range(1, 4):
            was, is_ = before.document(shape, row), after.document(shape, row)
            if was != is_:
                found.append((shape.model, row, was, is_))
    return found


def told(events: list[Event]) -> list[tuple[str, int, object, object]]:
    return [(event.model, event.id, event.before, event.after) for event in events]


def unfollowed_alone(before: World, after: World) -> bool:
    """Whether a looked-up login changed, which alone makes no event."""
    return before.tables["res_users"] != after.tables["res_users"]


@given(TRANSACTIONS, st.sampled_from([1, 3, 50_000]), st.sampled_from([0, 1, 2, 5, 20_000]))
def test_law_4_one_event_per_document_and_transaction_as_of_that_commit(
    transactions: list[list[tuple[str, bool, object]]], limit: int, records: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), limit, records) as tried:
        world = World()
        for changes in transactions:
            before = copy.deepcopy(world)
            events = tried.commit(list(played(world, changes)))
            wanted = expected(before, world)
            if unfollowed_alone(before, world):
                assert all(one in wanted for one in told(events))
            else:
                assert told(events) == wanted
            assert [event.position.ordinal for event in events] == list(range(1, len(events) + 1))


@given(TRANSACTIONS, st.sampled_from([1, 3]))
def test_law_1_a_large_transaction_cut_off_in_its_midst_leaves_nothing_of_it(
    transactions: list[list[tuple[str, bool, object]]], limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), limit) as tried:
        world = World()
        for changes in transactions:
            held = tried.contents()
            messages = list(played(copy.deepcopy(world), changes))
            for message in messages:
                tried.fold.change(message)
                tried.fold.spill()
            take_back(tried.shadow)
            tried.fold.finish()
            assert tried.contents() == held
            tried.commit(list(played(world, changes)))
