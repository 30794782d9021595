"""Around a rebalance no record is skipped, and none goes before an older one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka

from streams.worker.consumer import use_consumer


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

    async def earliest_offsets(self, *parts: TopicPartition) -> dict[TopicPartition, int]:
        return dict.fromkeys(parts, 1)

    async def seek_wait(self, places: dict[TopicPartition, int]) -> None:
        self.at |= places


class Late(Driver):
    """The driver, when a rebalance takes everything away before the second seek."""

    async def seek_wait(self, places: dict[TopicPartition, int]) -> None:
        raise IllegalStateError(f"{places} are not assigned")


def a_consumer(driver: Driver) -> Any:
    """Return the consumer of an app; unmade, as its making starts a thread with a loop."""
    loop = asyncio.get_running_loop()
    app = faust.App("streams-consumer", broker="kafka://", autodiscover=False, loop=loop)
    use_consumer(app, lambda topic: topic == "queue")
    consumer: Any = object.__new__(app.transport.Consumer)
    vars(consumer).update(
        app=app,
        transport=app.transport,
        _thread=driver,
        _read_offset={},
        _committed_offset=defaultdict(lambda: None),
        _next={},
        flow_active=True,
        can_resume_flow=asyncio.Event(),
        suspend_flow=asyncio.Event(),
    )
    return consumer


async def test_law_1_what_was_fetched_and_not_handed_over_is_read_again() -> None:
    parts = [TopicPartition("queue", number) for number in range(3)]
    driver = Driver(dict(zip(parts, [None, 0, 2], strict=True)))

    await a_consumer(driver).perform_seek()

    assert list(driver.at.values()) == [1, 1, 2]


async def test_a_seek_that_comes_too_late_is_left_to_the_next_rebalance() -> None:
    driver = Late({TopicPartition("queue", 0): None})

    await a_consumer(driver).perform_seek()

    assert driver.at == {TopicPartition("queue", 0): 7}


async def test_a_partition_without_a_position_does_not_end_the_consumer() -> None:
    consumer = a_consumer(Driver({TopicPartition("queue", 0): None}))

    await consumer.verify_all_partitions_active()


async def test_law_2_nothing_flows_from_a_seek_until_it_is_asked_for() -> None:
    consumer = a_consumer(Driver({TopicPartition("queue", 0): 3}))

    await consumer.perform_seek()
    assert not consumer.flow_active

    consumer.resume_flow()
    assert consumer.flow_active


async def test_law_2_what_ends_an_earlier_rebalance_does_not_let_records_flow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    consumer = a_consumer(Driver({TopicPartition("queue", 0): 3}))
    seen: list[bool] = []

    async def late(*_: object, **__: object) -> None:
        consumer.stop_flow()
        consumer.resume_flow()  # what an earlier rebalance does when its seek is over
        seen.append(consumer.flow_active)

    monkeypatch.setattr(aiokafka.Consumer, "on_partitions_revoked", late)
    monkeypatch.setattr(aiokafka.Consumer, "on_partitions_assigned", late)

    await consumer.on_partitions_revoked(set())
    await consumer.on_partitions_assigned(set(), 2)

    assert seen == [False, True]


@pytest.mark.parametrize(
    ("committed", "fetched", "hole"),
    [
        pytest.param(3, [3, 4, 6], "5 to 5", id="in between"),
        pytest.param(3, [4], "3 to 3", id="behind what was committed"),
        pytest.param(None, [2, 3], "1 to 1", id="at the beginning"),
        pytest.param(3, [3, 4, 4, 5], "", id="none"),
    ],
)
async def test_law_1_a_hole_ends_the_process_before_it_is_taken_for_done(
    monkeypatch: pytest.MonkeyPatch, committed: int | None, fetched: list[int], hole: str
) -> None:
    queue, others = TopicPartition("queue", 0), TopicPartition("responses", 0)
    consumer = a_consumer(Driver({queue: committed, others: committed}))
    ended: list[str] = []

    async def getmany(*_: object, **__: object) -> AsyncIterator[tuple[Any, Any]]:
        for part in (others, queue):  # holes in the one are the ends of transactions
            for offset in fetched:
                yield part, SimpleNamespace(offset=offset)

    monkeypatch.setattr(aiokafka.Consumer, "getmany", getmany)
    monkeypatch.setattr("streams.worker.consumer.die", lambda _, why: ended.append(why))
    await consumer.perform_seek()
    handed_over = [offset async for _, offset in consumer.getmany(1.0)]

    assert len(handed_over) == 2 * len(fetched)
    assert ended == ([f"queue[0]: {hole} were not handed over"] if hole else [])
