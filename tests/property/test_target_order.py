"""Law 5: whatever comes twice or late, Odoo ends as if all had come once, in order."""

from __future__ import annotations

import asyncio
import random
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.applying import answer
from streams.applying.answer import Answer, Delivered, Retry
from streams.applying.incoming import Incoming, Operation
from streams.target.applied import Begun, Memory
from tests.service_rig import FakeOdoo, delivery, target

Fate = Literal["done", "rejected", "untouched", "unclear", "unclear, written", "crash"]
Where = tuple[str, str]  # chain, route

PLACES: list[tuple[int, str]] = [(1, "r"), (1, "s")]  # other chains share nothing
FATES: tuple[Fate, ...] = ("done", "untouched", "unclear", "unclear, written", "crash")
ENDINGS = ("leave", "delete")


@dataclass
class Record:
    """A record in Odoo, as a route sees it; an ending archives it."""

    number: int | None = None
    archived: bool = False

    @property
    def state(self) -> object:
        return "archived" if self.archived else self.number


@dataclass
class DictOdoo:
    """Writes what it is told, as an Odoo does, and looks at the order."""

    records: dict[Where, Record] = field(default_factory=dict)
    newest: dict[Where, str] = field(default_factory=dict)
    written: Counter[str] = field(default_factory=Counter)

    def write(self, each: Incoming, last: Operation | None) -> None:
        where = (each.chain, each.route)
        assert each.sequence >= self.newest.get(where, ""), "an older one after a newer"
        self.newest[where] = each.sequence
        self.written[each.id] += 1
        record = self.records.setdefault(where, Record())
        if each.operation in ENDINGS:
            record.archived = True
            return
        record.number = int(each.fields["name"])
        if last in ENDINGS:  # what somebody has archived by hand stays so
            record.archived = False

    @property
    def states(self) -> dict[Where, object]:
        return {where: record.state for where, record in self.records.items()}


def in_order(deliveries: Sequence[Incoming]) -> dict[Where, object]:
    odoo, last = DictOdoo(), dict[Where, Operation]()
    for each in sorted(deliveries, key=lambda one: (one.chain, one.route, one.sequence)):
        odoo.write(each, last.get((each.chain, each.route)))
        last[each.chain, each.route] = each.operation
    return odoo.states


@contextmanager
def folder() -> Iterator[Path]:
    quick = Path("/dev/shm")  # noqa: S108  what is on disk is SQLite's to keep, and slow
    with tempfile.TemporaryDirectory(dir=quick if quick.is_dir() else None) as name:
        yield Path(name)


@dataclass
class Bench:
    """A memory, and an Odoo; what happens in between is given."""

    place: Path
    odoo: DictOdoo = field(default_factory=DictOdoo)

    def __post_init__(self) -> None:
        self.memory = Memory(self.place)

    def come(self, each: Incoming, fate: Fate) -> bool:
        """Let one come; return whether it is answered for good."""
        with self.memory.together():
            begun = self.memory.begin(each)
        if not isinstance(begun, Begun):
            return True
        if fate in ("done", "unclear, written", "crash"):
            self.odoo.write(each, begun.last)
        if fate in ("rejected", "untouched"):
            with self.memory.together():
                self.memory.failed(each, begun)
        if fate == "done":
            with self.memory.together():
                self.memory.done(each, 7)
        if fate == "crash":
            self.memory.close()
            self.memory = Memory(self.place)
        return fate in ("done", "rejected")


@contextmanager
def a_bench() -> Iterator[Bench]:
    with folder() as place:
        bench = Bench(place)
        try:
            yield bench
        finally:
            bench.memory.close()


def all_deliveries(operations: Sequence[Sequence[Operation]]) -> list[Incoming]:
    return [
        delivery(number, record, route, operation)
        for (record, route), row in zip(PLACES, operations, strict=True)
        for number, operation in enumerate(row, 1)
    ]


OPERATIONS = st.lists(
    st.lists(st.sampled_from(["update", "leave"]), min_size=3, max_size=4),
    min_size=len(PLACES),
    max_size=len(PLACES),
)


@given(OPERATIONS, st.data())
def test_law_5_the_end_is_that_of_once_in_order_whatever_happens(
    operations: list[list[Operation]], data: st.DataObject
) -> None:
    deliveries = all_deliveries(operations)
    step = st.tuples(st.sampled_from(deliveries), st.sampled_from(FATES))
    steps = st.lists(step, min_size=8, max_size=30)
    with a_bench() as bench:
        answered: set[str] = set()
        for each, fate in data.draw(steps):
            if bench.come(each, fate):
                answered.add(each.id)
        left = [each for each in deliveries if each.id not in answered]
        for each in data.draw(st.permutations(left)):
            assert bench.come(each, "done")
        rows = bench.memory.rows

    assert bench.odoo.states == in_order(deliveries)
    assert rows == len(PLACES)


@given(OPERATIONS, st.data())
def test_law_5_what_is_rejected_leaves_no_trace(
    operations: list[list[Operation]], data: st.DataObject
) -> None:
    deliveries = all_deliveries(operations)
    bad = data.draw(st.sets(st.sampled_from([each.id for each in deliveries])))
    good = [each for each in deliveries if each.id not in bad]
    with a_bench() as bench:
        for each in data.draw(st.permutations(deliveries * 2)):
            bench.come(each, "rejected" if each.id in bad else "done")

    assert bench.odoo.states == in_order(good)
    assert set(bench.odoo.written.values()) <= {1}


@settings(max_examples=25)
@given(OPERATIONS, st.integers(0, 9999), st.booleans())
def test_law_5_deliveries_that_come_three_times_in_any_order_are_applied_once(
    operations: list[list[Operation]],
    seed: int,
    faulty: bool,  # noqa: FBT001  drawn
) -> None:
    deliveries, chance = all_deliveries(operations), random.Random(seed)  # noqa: S311  any
    odoo, fake, lock = DictOdoo(), FakeOdoo(), threading.Lock()

    def script(each: Incoming, last: Operation | None) -> Answer:
        with lock:
            trouble = faulty and chance.random() < 0.3
            if trouble and chance.random() < 0.5:
                return Retry(answer.CONFLICT, "somebody else wrote")
            odoo.write(each, last)
        return Retry(answer.UNCLEAR, "", unclear=True) if trouble else Delivered(7)

    async def deliver(place: Path) -> None:
        async with target(place, fake) as rig:
            coming = deliveries * 3
            while coming:
                chance.shuffle(coming)
                said = await rig.take(*coming)
                pairs = zip(coming, said, strict=True)
                coming = [each for each, one in pairs if isinstance(one, Retry)]

    fake.script = script
    with folder() as place:
        asyncio.run(deliver(place))

    assert odoo.states == in_order(deliveries)
    assert faulty or set(odoo.written.values()) <= {1}
