"""Whatever the stream does not see, what is published comes to what the database holds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from tests.engine import PLAN
from tests.property.test_engine import PAIR_CHANGES, PAIR_TABLES, ROW_CHANGES, ROW_TABLES
from tests.reading_again import Change, Rig, documents, followed, rig

TABLES = sorted(PLAN.by_name)
EMPTIED = st.sampled_from(ROW_TABLES + PAIR_TABLES).map(lambda table: (table, False, None))
CHANGES = st.lists(
    st.one_of(ROW_CHANGES, ROW_CHANGES, PAIR_CHANGES, EMPTIED), min_size=1, max_size=6
)
GAPS = st.one_of(
    st.just(frozenset(TABLES)),
    st.frozensets(st.sampled_from(TABLES), min_size=1, max_size=3),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), CHANGES),
        st.tuples(st.just("commit"), CHANGES),
        st.tuples(st.just("gap"), st.tuples(GAPS, st.lists(CHANGES, min_size=1, max_size=3))),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("read"), st.integers(1, 3)),
        st.tuples(st.just("portion"), st.integers(1, 2)),
        st.tuples(st.just("come"), st.none()),
        st.tuples(st.just("come"), st.none()),
        st.tuples(st.just("end"), st.none()),
        st.tuples(st.just("power"), st.integers(0, 12)),
    ),
    min_size=5,
    max_size=40,
)


def play(tried: Rig, steps: list[tuple[str, object]]) -> None:
    """Let all that happen."""
    acts: dict[str, Callable[[Any], object]] = {
        "commit": tried.commit,
        "gap": lambda how: gap(tried, *how),
        "read": tried.read,
        "portion": tried.portion,
        "come": lambda _: tried.come(),
        "end": lambda _: tried.end(),
        "power": lambda how: setattr(tried.power, "left", how),
    }
    for what, how in steps:
        acts[what](how)


def gap(tried: Rig, tables: frozenset[str], transactions: list[list[Change]]) -> None:
    """Leave tables out for some transactions."""
    for changes in transactions:
        tried.commit(changes, unseen=tables)
    tried.doubt(tables)


@given(
    st.lists(CHANGES, max_size=4),
    STEPS,
    st.sampled_from([1, 3, 50_000]),
    st.booleans(),
    st.sampled_from([0, 1, 2]),
)
def test_law_1_what_the_stream_did_not_see_is_published_once_and_exactly(
    before: list[list[Change]],
    steps: list[tuple[str, object]],
    limit: int,
    fresh: bool,  # noqa: FBT001  hypothesis gives arguments by place
    widest: int,
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        rig(Path(folder), limit, fresh=fresh, widest=widest) as tried,
    ):
        for changes in before:
            tried.commit(changes)
        play(tried, steps)
        tried.finish()

        event(f"{min(tried.held.events, 5)} events or more")
        held = tried.held.documents.items()
        assert {whose: followed(each) for whose, each in held} == documents(tried.db)
        assert tried.left_behind() == 0


def partner(name: str) -> Change:
    row = dict.fromkeys(PLAN.by_name["res_partner"].read)
    return "res_partner", True, row | {"id": "1", "name": name}


def test_law_1_what_held_at_one_moment_is_not_taken_for_what_held_at_another(
    tmp_path: Path,
) -> None:
    only_partners, only_orders = frozenset(["account_payment_term"]), frozenset(["order_tag_rel"])
    with rig(tmp_path) as tried:
        tried.commit([partner("first")])
        tried.doubt(only_orders)
        tried.doubt(only_partners)
        tried.commit([partner("second")])
        tried.read(5)
        tried.come()
        tried.portion(5)
        tried.come()
        assert tried.held.documents["res.partner", 1]["name"] == "second"
        assert tried.progress.waiting == {"sale.order"}

        tried.doubt(only_partners)
        tried.commit([partner("third")])
        tried.finish()

        assert tried.held.documents["res.partner", 1]["name"] == "third"
        assert tried.left_behind() == 0


def order(number: int, name: str) -> Change:
    row = dict.fromkeys(PLAN.by_name["sale_order"].read)
    return "sale_order", True, row | {"id": str(number), "name": name, "partner_id": "1"}


def test_law_1_a_moment_for_which_nothing_was_put_off_is_not_taken_for_a_later_one(
    tmp_path: Path,
) -> None:
    with rig(tmp_path, widest=1) as tried:
        tried.commit([partner("first"), order(1, "a"), order(2, "a")])
        tried.commit([partner("second"), order(1, "b"), order(2, "b")])
        tried.commit([partner("third")])
        assert tried.progress.due == {"sale.order": 2}
        tried.finish()
        tried.commit([partner("first")])
        tried.finish()

        shown = [tried.held.documents["sale.order", n]["partner_id"]["name"] for n in (1, 2)]
        assert shown == ["first", "first"]
        assert tried.left_behind() == 0


def test_law_1_a_portion_whose_documents_have_all_taken_their_turns_comes_to_nothing(
    tmp_path: Path,
) -> None:
    with rig(tmp_path, widest=1) as tried:
        tried.commit([partner("first"), order(1, "a"), order(2, "a")])
        tried.commit([partner("second")])
        tried.portion(2)
        tried.commit([order(1, "b"), order(2, "b")])
        assert tried.progress.due == {}

        tried.come()
        tried.finish()

        assert tried.held.documents["sale.order", 1]["partner_id"]["name"] == "second"
        assert tried.left_behind() == 0


def test_law_1_before_is_what_was_published_although_a_row_changes_again_and_again(
    tmp_path: Path,
) -> None:
    with rig(tmp_path) as tried:
        tried.commit([partner("published")])
        tried.commit([partner("not seen")], unseen=frozenset(TABLES))
        tried.doubt(frozenset(TABLES))
        tried.commit([partner("seen while it waits")])
        tried.finish()

        assert tried.held.events == 2
        assert tried.held.documents["res.partner", 1]["name"] == "seen while it waits"


def test_what_is_as_it_was_is_not_published(tmp_path: Path) -> None:
    row = dict.fromkeys(PLAN.by_name["res_partner"].read) | {"id": "1"}
    with rig(tmp_path) as tried:
        tried.commit([("res_partner", True, row | {"name": "a"})])
        for name in ("b", "a"):
            tried.commit(
                [("res_partner", True, row | {"name": name})], unseen=frozenset(["res_partner"])
            )
        tried.doubt(frozenset(["res_partner"]))
        tried.finish()

        assert tried.held.events == 1
