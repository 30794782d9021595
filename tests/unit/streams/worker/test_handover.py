"""How records pass from Faust's consumer to the agents' buffers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.worker.handover import DirectHandover


@pytest.fixture
async def service() -> AsyncIterator[DirectHandover]:
    made = DirectHandover()
    await made.start()
    yield made
    await made.stop()


async def put(buffer: asyncio.Queue[int], *values: int) -> int:
    for value in values:
        await buffer.put(value)
    return sum(values)


async def begun(service: DirectHandover, *waits: Any) -> asyncio.Task[Any]:
    """Return a handover that goes as far as it can for the moment."""
    task = asyncio.create_task(service.wait_first(*waits))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_a_record_that_finds_room_is_handed_over_at_once(service: DirectHandover) -> None:
    buffer: asyncio.Queue[int] = asyncio.Queue()
    before = asyncio.all_tasks()

    waiting = service.wait_first(put(buffer, 7), asyncio.Event().wait())
    with pytest.raises(StopIteration) as end:
        waiting.send(None)  # the whole of it, without the event loop

    assert end.value.value.results == [7]
    assert buffer.get_nowait() == 7
    assert asyncio.all_tasks() == before


async def test_a_record_that_finds_none_waits_and_arrives_once(service: DirectHandover) -> None:
    buffer: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
    handover = await begun(service, put(buffer, 1, 2, 3), asyncio.Event().wait())
    assert not handover.done()

    assert [await buffer.get() for _ in range(3)] == [1, 2, 3]

    assert (await handover).results == [6]
    assert buffer.empty()


async def test_what_waits_is_given_up_when_the_flow_is_suspended(service: DirectHandover) -> None:
    buffer: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
    suspended = asyncio.Event()
    handover = await begun(service, put(buffer, 1, 2), suspended.wait())

    suspended.set()

    assert (await handover).results == [True]
    assert buffer.get_nowait() == 1
    await asyncio.sleep(0)
    assert buffer.empty()


async def test_what_waits_is_given_up_when_the_service_stops(service: DirectHandover) -> None:
    buffer: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
    handover = await begun(service, put(buffer, 1, 2), asyncio.Event().wait())

    await service.stop()

    assert (await handover).stopped


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after a wait"])
async def test_an_error_of_the_handover_is_raised(service: DirectHandover, *, later: bool) -> None:
    async def fail() -> None:
        if later:
            await asyncio.sleep(0)
        raise LookupError

    with pytest.raises(LookupError):
        await service.wait_first(fail(), asyncio.Event().wait())
