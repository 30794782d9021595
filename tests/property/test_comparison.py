"""Two files of lines, held against each other, against the same done in memory."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from streams.shadow_run.comparison import Comparison, Kind, Lines, Terms
from streams.shadow_run.states import Form, reader

# Records 1 to 4, each line a state: a number, or None where it is gone.
sides = st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(0, 2)), max_size=12)
Side = Sequence[tuple[int, int | None]]


def compared(old: Side, ours: Side, terms: Terms) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        made = [_lines(Path(folder) / name, side) for name, side in (("a", old), ("b", ours))]
        with closing(made[0].file), closing(made[1].file):
            for each in made:
                each.index(lambda _: True, every=terms.every)
            comparison = Comparison(*made, terms)
            comparison.run()
            return comparison


def _lines(path: Path, side: Side) -> Lines:
    said = [
        {"id": record, "op": "delete" if state is None else "write", "value": state}
        for record, state in side
    ]
    path.write_text("".join(f"{json.dumps(each)}\n" for each in said))
    return Lines.open(path, reader(Form("id", operation="op")))


def kind(old: Side, ours: Side, record: int) -> Kind:
    """Return what comes of a record's last states."""
    one, other = (dict(side).get(record) for side in (old, ours))
    if one == other:
        return Kind.EQUAL
    if other is None:
        return Kind.ONLY_OLD
    return Kind.ONLY_OURS if one is None else Kind.DIFFERENT


@given(sides, sides)
def test_the_last_states_of_every_record_are_compared(old: Side, ours: Side) -> None:
    made = compared(old, ours, Terms())

    records = {record for record, _ in (*old, *ours)}
    want = {record: kind(old, ours, record) for record in records}
    assert made.counts == {each: list(want.values()).count(each) for each in set(want.values())}
    assert {record for _, record in made.differing} == {r for r in want if want[r] != Kind.EQUAL}


@given(sides, st.data())
def test_whatever_a_program_that_polls_leaves_out_every_state_is_among_ours(
    ours: Side, data: st.DataObject
) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(ours), max_size=len(ours)))
    last = {record: place for place, (record, _) in enumerate(ours)}
    old = [each for place, each in enumerate(ours) if kept[place] or last[each[0]] == place]

    assert compared(old, ours, Terms(every=True)).differing == []


@given(sides, sides)
def test_every_is_never_content_where_the_last_states_differ_on_one_side_alone(
    old: Side, ours: Side
) -> None:
    last = compared(old, ours, Terms())
    every = compared(old, ours, Terms(every=True))

    alone = {Kind.ONLY_OLD, Kind.ONLY_OURS}
    assert {k: n for k, n in every.counts.items() if k in alone} == {
        k: n for k, n in last.counts.items() if k in alone
    }
