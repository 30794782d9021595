"""Whatever comes in whatever order, each chain goes in order and nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.acknowledgement import Acknowledgement
from schemas.delivery import Delivery
from schemas.keys import DeliveryId, split_delivery_id
from schemas.state import State
from streams.chains.dead_letter import Letter
from streams.chains.item import Terms
from streams.chains.outcome import Accepted, Refused, Unauthorised, Unavailable
from streams.partitions.ports import StateTopic
from streams.sending.holds import Hold, Holder, Reason
from tests.core_rig import ASKED, TERMS, Cut, PowerCut, Rig
from tests.deliveries import a_delivery

BUSY = Unavailable("WSO2 answered 503", http_status=503)
OUTCOMES = st.sampled_from(
    [
        Accepted(),
        Accepted(),
        BUSY,
        replace(BUSY, retry_after=30.0),
        Unavailable("no answer within 10 s"),
        Unavailable("no connection", counted=False),
        Unauthorised("WSO2 answered 401"),
        Refused("WSO2 answered 422", "HTTP_422"),
        "slow",
    ]
)
RECORDS = st.integers(1, 3)
OPERATIONS = st.one_of(
    st.tuples(st.just("deliver"), st.lists(RECORDS, min_size=1, max_size=4)),
    st.tuples(st.just("answers"), st.lists(OUTCOMES, min_size=1, max_size=4)),
    st.tuples(st.just("release"), st.none()),
    st.tuples(st.just("later"), st.sampled_from([0.0, 0.3, 5.0, 11.0, 61.0])),
    st.tuples(
        st.just("hear"),
        st.lists(
            st.tuples(
                st.integers(0, 30),
                st.sampled_from(["delivered", "rejected", "retry"]),
                st.sampled_from([None, 1, 2]),
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    st.tuples(
        st.just("cut"),
        st.builds(
            Cut,
            st.integers(0, 3),
            st.dictionaries(st.sampled_from(list(StateTopic)), st.integers(1, 4)),
        ),
    ),
    st.tuples(st.just("move"), st.none()),
    st.tuples(st.just("down"), st.booleans()),
    st.tuples(st.just("hold"), st.one_of(st.none(), st.just("orders"), RECORDS)),
)


class Hand(Holder):
    """Holds back a route, a record's chain, or nothing."""

    reason = Reason.PAUSED

    def __init__(self) -> None:
        self.what: str | int | None = None

    def of_line(self, target: str, route: str) -> Hold | None:
        return Hold(Reason.PAUSED, route, "by hand") if route == self.what else None

    def of_id(self, delivery_id: DeliveryId) -> Hold | None:
        chain = split_delivery_id(delivery_id)[0]
        mine = chain.endswith(f"/{self.what}")
        return Hold(Reason.PAUSED, chain, "by hand") if mine else None


@dataclass
class Story:
    """A worker with what it was given; batches that were not finished come again."""

    rig: Rig
    terms: Terms
    moves: itertools.count[int]

    def __post_init__(self) -> None:
        self.sent: list[Delivery] = []
        self.said: dict[str, set[str]] = defaultdict(set)
        self.slow: list[asyncio.Event] = []
        self.undone: list[Delivery] = []
        self.hand = Hand()
        self.rig.wso2.watch = self._watch

    async def begin(self) -> None:
        await self.rig.begin()
        self.rig.core.permits.holds.add(self.hand)

    async def do(self, what: str, how: Any) -> None:
        match what:
            case "deliver":
                batch = [a_delivery(record=record) for record in how]
                self.sent += batch
                await self.deliver(batch)
            case "answers":
                self.rig.wso2.script.extend(map(self._answer, how))
            case "release":
                await self._release()
            case "later":
                await self.rig.later(how)
            case "hear":
                await self._hear(how)
            case "down" | "hold":
                self._hinder(what, how)
            case "cut":
                self.rig.log.cut = Cut(how.writes, how.came_through)
            case _:
                await self.restart(elsewhere=True)

    def _hinder(self, what: str, how: Any) -> None:
        if what == "hold":
            self.hand.what = how
        else:
            self.rig.wso2.down = {"webshop": BUSY} if how else {}

    def _answer(self, outcome: Any) -> Any:
        if outcome != "slow":
            return outcome
        self.slow.append(asyncio.Event())
        return self.slow[-1]

    async def deliver(self, batch: Sequence[Delivery]) -> None:
        if self.rig.halt.halted:
            self.undone += batch
            return
        batch, self.undone = [*self.undone, *batch], []
        self.undone = batch
        await self.rig.deliver(*batch, terms=self.terms)
        self.undone = []

    async def restart(self, *, elsewhere: bool = False) -> None:
        """Come back after a power cut, or on another host."""
        for answer in self.slow:
            answer.set()
        await self.rig.power_cut()
        if elsewhere:
            self.rig.folder = self.rig.folder / str(next(self.moves))
        await self.begin()

    async def finish(self) -> None:
        """Let everything go well from here on."""
        self.rig.log.cut = None
        self.rig.wso2.script.clear()
        self.rig.wso2.down.clear()
        self.hand.what = None
        await self._release()
        for _ in range(200):
            await self.rig.later(31.0)
            if not self.rig.halt.halted:
                await self.deliver([])
            words = [
                Acknowledgement(item.id, "delivered")
                for item in self.rig.log.items().values()
                if item.state is State.ACCEPTED
            ]
            if words:
                await self.rig.hear(*words)
            if not self.rig.log.items() and not self.undone:
                return
        raise AssertionError(f"never ends: {self.rig.log.items()}")

    async def _hear(self, how: Sequence[tuple[int, Any, int | None]]) -> None:
        words = []
        for index, status, attempt in how:
            if not self.sent:
                return
            delivery = self.sent[index % len(self.sent)]
            words.append(Acknowledgement(delivery.id, status, attempt=attempt))
            if delivery.id in self.rig.log.entries():
                self.said[delivery.id].add(status)
        await self.rig.hear(*words)

    async def _release(self) -> None:
        """Let the answers come that were slow."""
        for answer in self.slow:
            answer.set()
        await self.rig.settled()

    def _watch(self, delivery: Delivery) -> None:
        """Nothing of a chain is sent while another of it is in flight, nor what is held back."""
        assert self.hand.of_line(delivery.target, delivery.route) is None
        assert self.hand.of_id(DeliveryId(delivery.id)) is None
        for item in self.rig.log.items().values():
            if item.chain == delivery.chain and item.id != delivery.id:
                assert item.state is State.WAITING, f"{item.id} is {item.state}"


@pytest.mark.parametrize("history", ["all", "latest"])
@pytest.mark.parametrize("terms", [TERMS, ASKED], ids=["accepted is final", "a word is required"])
def test_law_2_a_chain_is_accepted_in_order_and_nothing_is_lost(
    terms: Terms, history: str
) -> None:
    @settings(max_examples=settings().max_examples // 2)
    @given(st.lists(OPERATIONS, max_size=14))
    def tell(operations: list[tuple[str, Any]]) -> None:
        asyncio.run(_tell(operations, replace(terms, history=history)))

    tell()


async def _tell(operations: list[tuple[str, Any]], terms: Terms) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = Story(Rig(Path(folder)), terms, itertools.count())
        await told(story, operations)
        _judge(story)
        await story.rig.end()


async def told(story: Story, operations: list[tuple[str, Any]]) -> None:
    """Let it all happen, begin again after every power cut, and come to an end."""
    await story.begin()
    for what, how in operations:
        try:
            await story.do(what, how)
        except (PowerCut, AssertionError):
            if not _was_cut(story.rig):
                raise
            await story.restart()
    if _was_cut(story.rig):
        await story.restart()
    await story.finish()


def _was_cut(rig: Rig) -> bool:
    return rig.log.cut is not None and rig.log.cut.done


def _judge(story: Story) -> None:
    log = story.rig.log
    entries = log.entries()
    order = {delivery.id: place for place, delivery in enumerate(story.sent)}
    chains = defaultdict(list)
    for name in story.rig.wso2.taken:
        chains[name.rsplit("/", 2)[0]].append(order[name])
    for places in chains.values():
        assert places == sorted(places), "not in commit order"
    dead = {s.key for s in log.records[StateTopic.DEAD, 0]}
    letters = {Letter.from_json(value).entry.id for value in log.letters()}
    for delivery in story.sent:
        entry = entries[delivery.id]
        assert entry.final
        assert entry.state in (
            *(State.ACCEPTED, State.DELIVERED, State.REJECTED),
            *(State.DEAD, State.SUPERSEDED),
        )
        if entry.state in (State.DEAD, State.REJECTED):
            assert delivery.id in letters
            assert delivery.chain.encode() in dead
        if entry.state is State.SUPERSEDED:
            assert story.terms.history == "latest"
        if entry.state is State.ACCEPTED:
            assert delivery.id in story.rig.wso2.taken
