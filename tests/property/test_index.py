"""The index says what one would say who reads every topic from its beginning."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.keys import DeliveryId, chain_of, delivery_id
from schemas.state import State
from streams.chains.dead_letter import Letter
from streams.chains.item import Item, Terms
from streams.chains.ledger import Entry, iso
from streams.index.records import Kind, Read
from streams.index.row import Row, Wanted
from streams.index.store import Index
from tests.deliveries import a_delivery

NOW = 1_800_000_000.0
ROUTES = ("orders", "names")
TERMS = Terms("required", 60.0, (10.0,), "all")


def an_id(number: int) -> DeliveryId:
    """Return one of a few ids: two targets, two records, two routes."""
    chain = chain_of("odoo_a", ("shop", "erp")[number % 2], "sale.order", 1 + number // 2 % 2)
    return delivery_id(chain, ROUTES[number // 4 % 2], "6743A1F0-00000000016B3748-00000003-0000")


ids = st.integers(0, 3).map(an_id)
times = st.integers(0, 50).map(lambda s: NOW - s)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    state = draw(st.sampled_from(list(State)))
    steps = draw(st.dictionaries(st.sampled_from(list(State)), times, max_size=3))
    name = draw(ids)
    return Entry(
        id=name,
        model="sale.order",
        record=int(name.split("/")[3]),
        operation="update",
        state=state,
        final=draw(st.booleans()),
        order=0,
        attempt=draw(st.integers(0, 3)),
        why=draw(st.sampled_from(["", "HTTP 503"])),
        times={"committed": iso(NOW - 60)} | {s.value: iso(at) for s, at in steps.items()},
    )


@st.composite
def items(draw: st.DrawFn) -> Item:
    name = draw(ids)
    chain, route, sequence = name.rsplit("/", 2)
    sent = replace(
        a_delivery(),
        id=name,
        chain=chain,
        route=route,
        sequence=sequence,
        target=chain.split("/")[1],
        record_id=int(chain.split("/")[3]),
    )
    state = draw(st.sampled_from([State.WAITING, State.SENT, State.ACCEPTED]))
    return Item(sent, TERMS, 0, draw(times), state=state, attempt=draw(st.integers(0, 3)))


def _word(name: str) -> bytes:
    return json.dumps(
        [{"id": name, "status": "delivered"}, {"id": name, "status": "retry"}]
    ).encode()


records = st.one_of(
    entries().map(lambda e: (Kind.LEDGER, e.id, e.to_json())),
    ids.map(lambda i: (Kind.LEDGER, i, None)),
    items().map(lambda i: (Kind.RETRIES, i.id, i.to_json())),
    ids.map(lambda i: (Kind.RETRIES, i, None)),
    entries().map(lambda e: (Kind.DEAD, e.chain, Letter(e, NOW).to_json())),
    ids.map(lambda i: (Kind.RESPONSES, i.rsplit("/", 2)[0], _word(i))),
    st.just((Kind.LEDGER, "odoo_a/x", b"torn")),
)
# A record; or what Kafka has dropped: everything of a topic before a share of its offsets.
drops = st.tuples(st.sampled_from(list(Kind)), st.sampled_from([0.3, 0.7, 1.0]))
histories = st.lists(st.one_of(records, drops, drops), min_size=5, max_size=40)


class Whole:
    """Reads everything from the beginning, as it stands."""

    def __init__(self) -> None:
        self.topics: dict[Kind, list[tuple[str, bytes | None, float]]] = {k: [] for k in Kind}
        self.starts = dict.fromkeys(Kind, 0)

    def rows(self) -> dict[str, Row]:
        """One row per delivery: on its way, else as the ledger says, else past."""
        rows: dict[str, Row] = {}
        for _, value in self._kept(Kind.DEAD):
            entry = Letter.from_json(value or b"").entry
            rows[entry.id] = replace(Row.of_entry(entry), past=True)
        said: dict[str, Row | None] = {}
        for name, value in self._kept(Kind.LEDGER):
            if value == b"torn":
                continue
            said[name] = Row.of_entry(Entry.from_json(value)) if value else None
        rows |= {name: row for name, row in said.items() if row is not None}
        away: dict[str, Row | None] = {}
        for name, value in self._all(Kind.RETRIES):
            away[name] = Row.of_item(Item.from_json(value)) if value else None
        return rows | {name: row for name, row in away.items() if row is not None}

    def steps(self, name: str) -> set[tuple[str, str]]:
        """Every step that the ledger has told since it last forgot the delivery.

        Where it knows nothing, what the dead letter tells.
        """
        found: set[tuple[str, str]] | None = None
        for key, value in self._all(Kind.LEDGER):
            if key == name and value != b"torn":
                times = Entry.from_json(value).times.items() if value else None
                found = None if times is None else (found or set()) | {(at, w) for w, at in times}
        if found is None:
            letters = (Letter.from_json(v or b"").entry for _, v in self._kept(Kind.DEAD))
            told = [each.times.items() for each in letters if each.id == name]
            found = {(at, w) for w, at in told[-1]} if told else set()
        return {(at, what) for at, what in found if what != "committed"}

    def words(self, name: str) -> int:
        """How many words on a delivery are left."""
        return 2 * sum(value == _word(name) for _, value in self._kept(Kind.RESPONSES))

    def _all(self, kind: Kind) -> Iterable[tuple[str, bytes | None]]:
        return ((key, value) for key, value, _ in self.topics[kind])

    def _kept(self, kind: Kind) -> Iterable[tuple[str, bytes | None]]:
        return list(self._all(kind))[self.starts[kind] :]


class Pair:
    """Topics, and an index that reads them in pieces."""

    def __init__(self, cuts: list[int], data: st.DataObject) -> None:
        self.whole, self.index = Whole(), Index(":memory:")
        self._read = dict.fromkeys(Kind, 0)
        self._cuts, self._data = cuts, data

    def drop(self, kind: Kind, share: float) -> None:
        """Let Kafka drop what was written long ago: the index has read it."""
        self.catch_up()
        topic = self.whole.topics[kind]
        self.whole.starts[kind] = max(self.whole.starts[kind], int(share * len(topic)))

    def catch_up(self) -> None:
        """Let the index forget what topics lost and read what they gained, in some order."""
        for kind in self._data.draw(st.permutations(list(Kind))):
            if self.whole.starts[kind]:
                self.index.age(kind, 0, self.whole.starts[kind])
            left = list(enumerate(self.whole.topics[kind]))[self._read[kind] :]
            while left:
                size = self._data.draw(st.sampled_from(self._cuts))
                some, left = left[:size], left[size:]
                reads = [Read(at, w, key.encode(), value) for at, (key, value, w) in some]
                self.index.take(kind, kind.value, 0, reads, (some[-1][0] + 1, "one"))
            self._read[kind] = len(self.whole.topics[kind])


@given(histories, st.lists(st.integers(1, 7), min_size=1), st.data())
@settings(max_examples=300, deadline=None)
def test_the_index_equals_a_whole_reading(
    history: list[Any], cuts: list[int], data: st.DataObject
) -> None:
    pair = Pair(cuts, data)
    for at, happens in enumerate(history):
        if isinstance(happens[1], float):
            pair.drop(*happens)
        else:
            kind, key, value = happens
            pair.whole.topics[kind].append((key, value, NOW + at))
    pair.catch_up()

    rows, index = pair.whole.rows(), pair.index
    everything = Wanted(states=frozenset(State))
    assert {row.id: row for row in index.rows(everything, NOW + 100, 100)[1]} == rows
    unsettled = {name for name, row in rows.items() if row.unsettled}
    number, shown = index.rows(Wanted(), NOW + 100, 3)
    assert number == len(unsettled)
    assert [r.id for r in shown] == sorted(unsettled, key=lambda i: (rows[i].since, i))[:3]
    assert_counts(index, rows)
    assert_journeys(index, pair.whole, rows)
    index.close()


def assert_counts(index: Index, rows: dict[str, Row]) -> None:
    for target, counts in index.counts().items():
        mine = [row for row in rows.values() if row.target == target and row.unsettled]
        assert counts.states == Counter(row.state for row in mine)
        assert counts.oldest == min((r.since for r in mine if not r.final), default=None)


def assert_journeys(index: Index, whole: Whole, rows: dict[str, Row]) -> None:
    for name, row in rows.items():
        (known,) = [k for k in index.chain(name.rsplit("/", 2)[0]) if k.row.id == name]
        assert known.row == row
        assert len(known.words) == whole.words(name)
        if not whole.starts[Kind.LEDGER]:
            assert {(step.at, step.what) for step in known.steps} == whole.steps(name)
