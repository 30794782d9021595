"""Whatever operators ask for, and whenever: chains go in order, nothing paused goes, all end."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.arguments import Subject
from schemas.command import Command
from schemas.delivery import Delivery
from schemas.state import State
from streams import letters
from streams.chains.item import Terms
from streams.chains.outcome import Accepted, Refused
from tests.core_rig import ASKED, TERMS, Rig
from tests.operator_rig import Operator
from tests.property.test_chains import BUSY, OPERATIONS, Story, told

SUBJECTS = st.sampled_from(
    [
        {"target": "webshop"},
        {"route": "orders"},
        *({"chain": f"odoo_a/webshop/sale.order/{record}"} for record in (1, 2, 3)),
    ]
)
RETRIES = st.sampled_from(
    [{"all_dead": True}, {"targets": ["webshop"]}, {"chains": ["odoo_a/webshop/sale.order/1"]}]
)
NO = Refused("WSO2 answered 422", "HTTP_422")
DYING = st.one_of(  # most of what operators have to do with is one record's
    st.tuples(st.just("deliver"), st.lists(st.just(1), min_size=1, max_size=3)),
    st.tuples(
        st.just("answers"), st.lists(st.sampled_from([NO, NO, BUSY, Accepted()]), min_size=1)
    ),
    st.tuples(st.just("retry"), RETRIES),
    st.tuples(st.just("later"), st.sampled_from([0.3, 11.0])),
)
COMMANDS = st.one_of(
    st.tuples(st.just("retry"), RETRIES),
    st.tuples(st.sampled_from(["pause", "pause", "resume", "drain"]), SUBJECTS),
)


class Watched(Story):
    """A story with an operator in it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.operator = Operator(self.rig)
        self.paused: set[str] = set()
        self.interrupted: Command | None = None

    async def do(self, what: str, how: Any) -> None:
        if what not in ("retry", "pause", "resume", "drain"):
            await super().do(what, how)
            return
        self.operator.queue = dict(enumerate(self.sent))
        await self._ask(self.operator.command(what, **how))

    async def restart(self, *, elsewhere: bool = False) -> None:
        await super().restart(elsewhere=elsewhere)
        if self.interrupted is not None:  # it was not committed: it comes again
            await self._ask(self.interrupted)

    async def _ask(self, command: Command) -> None:
        self.interrupted = command
        if command.kind == "resume":
            self.paused.discard(Subject.of(command.arguments).key)
        await self.operator.do(command)
        self.interrupted = None
        if command.kind == "pause":
            self.paused.add(Subject.of(command.arguments).key)
        elif command.kind == "drain":
            self.paused.discard(Subject.of(command.arguments).key)

    async def finish(self) -> None:
        self.rig.log.cut = None
        for subject in ({"target": "webshop"}, {"route": "orders"}):
            await self.do("resume", subject)
        for record in (1, 2, 3):
            await self.do("resume", {"chain": f"odoo_a/webshop/sale.order/{record}"})
        await super().finish()

    def _watch(self, delivery: Delivery) -> None:
        super()._watch(delivery)
        names = (f"target/{delivery.target}", f"route/{delivery.route}", f"chain/{delivery.chain}")
        assert not self.paused & set(names), f"{delivery.id} is paused"


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a chain whose answer a story holds back."""
    monkeypatch.setattr(letters, "_PAUSE", 0.0)
    monkeypatch.setattr(letters, "_LOOKS", 3)


@pytest.mark.parametrize("history", ["all", "latest"])
@pytest.mark.parametrize("terms", [TERMS, ASKED], ids=["accepted is final", "a word is required"])
@pytest.mark.parametrize("cuts", [False, True], ids=["in order", "with power cuts"])
def test_law_2_whatever_operators_do(terms: Terms, history: str, *, cuts: bool) -> None:
    """After a power cut WSO2 may have taken one that nobody here knows of: no order is proved."""
    operations = OPERATIONS if cuts else OPERATIONS.filter(lambda each: each[0] != "cut")

    @settings(max_examples=settings().max_examples // 2)
    @given(st.lists(st.one_of(DYING, DYING, operations, COMMANDS, COMMANDS), max_size=14))
    def tell(operations: list[tuple[str, Any]]) -> None:
        asyncio.run(_tell(operations, replace(terms, history=history), in_order=not cuts))

    tell()


async def _tell(operations: list[tuple[str, Any]], terms: Terms, *, in_order: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        story = Watched(Rig(Path(folder)), terms, itertools.count())
        await told(story, operations)
        _judge(story, in_order=in_order)
        await story.rig.end()


def _judge(story: Watched, *, in_order: bool) -> None:
    entries = story.rig.log.entries()
    for delivery in story.sent:
        entry = entries[delivery.id]
        assert entry.final
        if entry.state is State.SUPERSEDED:
            assert entry.superseded_by is not None
            assert entry.superseded_by > delivery.id
    if in_order:
        order = {delivery.id: place for place, delivery in enumerate(story.sent)}
        chains: dict[str, list[int]] = {}
        for name in story.rig.wso2.taken:
            chains.setdefault(name.rsplit("/", 2)[0], []).append(order[name])
        for places in chains.values():
            assert places == sorted(places), "not in commit order"
