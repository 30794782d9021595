"""Faust's acknowledgement, disarmed once.

Faust marks an event done when its agent raises or is cancelled, and a restarted agent skips it;
its own ways to crash and exit hang. So an agent here takes a batch, does all of it, durably, and
only then asks for the next; whatever else happens ends the process at once. The next start
begins at the last committed offset, which is never behind unfinished work.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import faust
from faust.types import StreamT

from streams.kafka.records import Taken
from streams.worker.exits import fatal

Work = Callable[[Sequence[Taken]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Portion:
    """How much an agent takes at a time: records, and seconds to wait for more of them."""

    most: int = 500
    within: float = 0.02


def consume(app: faust.App, topic: str, work: Work, portion: Portion) -> None:
    """Give every record of a topic to `work`, in batches, in order, at least once.

    `work` returns when all of its batch is durable. One batch per topic at a time: with more,
    Faust can commit an offset beyond work that is not finished.
    """
    channel = app.topic(
        topic,
        key_type=bytes,
        key_serializer="raw",
        value_type=bytes,
        value_serializer="raw",
    )

    async def agent(stream: StreamT[bytes]) -> None:
        batches = cast("faust.Stream[bytes]", stream)  # StreamT does not declare take_events
        async for events in batches.take_events(portion.most, within=portion.within):
            try:
                await work([_taken(event.message) for event in events])
            except BaseException as error:  # noqa: BLE001  CancelledError too: see above
                fatal(error)

    app.agent(channel, name=f"odoo_cdc.{topic}", concurrency=1)(agent)


def _taken(message: Any) -> Taken:
    return Taken(
        message.topic,
        message.partition,
        message.offset,
        message.key or b"",
        message.value or b"",
    )
