"""How records pass from Faust's consumer to the agents' buffers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError

from streams.worker.handover import DirectHandover, hand_over_directly


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


class Driver:
    """The driver's thread, which seeks to what was committed, and to nothing for what was not."""

    def __init__(self, committed: dict[TopicPartition, int | None]) -> None:
        self.committed = committed
        self.at = dict.fromkeys(committed, 7)  # fetched that far, and not handed over

    async def seek_to_committed(self) -> dict[TopicPartition, int | None]:
        self.at |= {part: offset for part, offset in self.committed.items() if offset}
        return self.committed

    def assignment(self) -> set[TopicPartition]:
        return set(self.committed)

    def verify_event_path(self, now: float, part: TopicPartition) -> None:
        raise AssertionError("a partition without a position")  # as aiokafka does

    async def seek_to_beginning(self, *parts: TopicPartition) -> None:
        assert all(isinstance(part, TopicPartition) for part in parts)  # a TP is refused
        self.at |= dict.fromkeys(parts, 0)


class Late(Driver):
    """The driver, when a rebalance takes everything away before the second seek."""

    async def seek_to_beginning(self, *parts: TopicPartition) -> None:
        raise IllegalStateError(f"{parts} are not assigned")


def a_consumer(driver: Driver) -> Any:
    """Return the consumer of an app; unmade, as its making starts a thread with a loop."""
    loop = asyncio.get_running_loop()
    app = faust.App("streams-handover", broker="kafka://", autodiscover=False, loop=loop)
    hand_over_directly(app)
    consumer: Any = object.__new__(app.transport.Consumer)
    vars(consumer).update(_thread=driver, _read_offset={}, _committed_offset={})
    return consumer


async def test_law_1_what_was_fetched_and_not_handed_over_is_read_again() -> None:
    parts = [TopicPartition("queue", number) for number in range(3)]
    driver = Driver(dict(zip(parts, [None, 0, 2], strict=True)))

    await a_consumer(driver).perform_seek()

    assert list(driver.at.values()) == [0, 0, 2]


async def test_a_seek_that_comes_too_late_is_left_to_the_next_rebalance() -> None:
    driver = Late({TopicPartition("queue", 0): None})

    await a_consumer(driver).perform_seek()

    assert driver.at == {TopicPartition("queue", 0): 7}


async def test_a_partition_without_a_position_does_not_end_the_consumer() -> None:
    consumer = a_consumer(Driver({TopicPartition("queue", 0): None}))

    await consumer.verify_all_partitions_active()
