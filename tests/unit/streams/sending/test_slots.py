from __future__ import annotations

import asyncio

from streams.sending.slots import Slots


async def taken(slots: Slots, number: int) -> list[asyncio.Task[None]]:
    """Ask for so many; return those that have to wait."""
    tasks = [asyncio.create_task(slots.take()) for _ in range(number)]
    await asyncio.sleep(0)
    return [task for task in tasks if not task.done()]


async def test_with_more_slots_those_who_wait_go_on() -> None:
    slots = Slots(2)
    waiting = await taken(slots, 5)
    assert len(waiting) == 3

    await slots.resize(4)
    await asyncio.sleep(0)

    assert [task.done() for task in waiting] == [True, True, False]
    slots.give_back()
    await asyncio.wait_for(waiting[2], 1)


async def test_with_fewer_slots_none_is_taken_away_and_as_many_are_free_later() -> None:
    slots = Slots(4)
    assert await taken(slots, 3) == []

    await slots.resize(1)
    (waiting,) = await taken(slots, 1)
    for _ in range(2):
        slots.give_back()
        await asyncio.sleep(0)
        assert not waiting.done()

    slots.give_back()
    await asyncio.wait_for(waiting, 1)
    assert len(await taken(slots, 1)) == 1


async def test_a_number_that_comes_back_is_the_same_number() -> None:
    slots = Slots(3)
    await taken(slots, 3)

    await slots.resize(1)
    await slots.resize(3)
    for _ in range(3):
        slots.give_back()

    assert len(await taken(slots, 5)) == 2
