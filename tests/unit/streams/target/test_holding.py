"""Names that only one at a time may hold."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from streams.target.holding import Holding


class Scene:
    """Several who want names; who has them keeps them until told."""

    def __init__(self) -> None:
        self.holding = Holding()
        self.inside: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, who: str, names: Iterable[str]) -> None:
        self._ends[who] = asyncio.Event()
        self._tasks[who] = asyncio.create_task(self._hold(who, names))
        await self.settle()

    async def go(self, who: str) -> None:
        self._ends[who].set()
        await self._tasks[who]
        await self.settle()

    async def give_up(self, who: str) -> None:
        self._tasks[who].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[who]
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _hold(self, who: str, names: Iterable[str]) -> None:
        async with self.holding.held(names):
            self.inside.append(who)
            try:
                await self._ends[who].wait()
            finally:
                self.inside.remove(who)


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def test_a_name_is_held_by_one_at_a_time_in_the_order_in_which_they_came(
    scene: Scene,
) -> None:
    for who in "abc":
        await scene.come(who, ["name"])

    seen = [list(scene.inside)]
    for who in "ab":
        await scene.go(who)
        seen.append(list(scene.inside))
    await scene.go("c")

    assert seen == [["a"], ["b"], ["c"]]
    assert len(scene.holding) == 0


async def test_other_names_are_held_side_by_side(scene: Scene) -> None:
    await scene.come("a", ["x"])
    await scene.come("b", ["y"])

    assert scene.inside == ["a", "b"]


async def test_who_wants_several_waits_for_all_and_holds_nobody_up_twice(scene: Scene) -> None:
    await scene.come("a", ["x"])
    await scene.come("b", ["x", "y"])
    await scene.come("c", ["y", "x"])
    await scene.come("d", ["y"])

    assert scene.inside == ["a"]  # b waits for x, and c and d behind it for y
    await scene.go("a")
    assert scene.inside == ["b"]
    await scene.go("b")
    assert scene.inside == ["c"]
    await scene.go("c")
    assert scene.inside == ["d"]


async def test_law_7_who_gives_up_lets_those_behind_it_go_on(scene: Scene) -> None:
    await scene.come("a", ["x"])
    await scene.come("b", ["x", "y"])
    await scene.come("c", ["y"])

    await scene.give_up("b")

    assert scene.inside == ["a", "c"]
    await scene.give_up("a")
    await scene.go("c")
    assert len(scene.holding) == 0


async def test_no_names_are_held_by_anybody(scene: Scene) -> None:
    await scene.come("a", [])
    await scene.come("b", [])

    assert scene.inside == ["a", "b"]
