"""Faust's consumer, with what it gets wrong around a rebalance put right.

A record must never be skipped: what stands behind it in its chain would go first, and once Faust
has taken the hole for done the record would be lost. Faust skips some where a second rebalance
begins while it still seeks after the first. So here a seek stops the flow of records first, the
flow stays stopped while partitions are taken away, and a hole ends the process before anything
behind it is done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any, cast

import faust
from faust.transport.consumer import ensure_TP
from faust.transport.drivers import aiokafka
from faust.types import TP

from streams.worker.exits import UNEXPECTED, die
from streams.worker.handover import DirectHandover

_TAKEN_AWAY = aiokafka.IllegalStateError  # type: ignore[attr-defined]  # aiokafka has no types


class Consumer(DirectHandover, aiokafka.Consumer):
    """Reads for the agents, in order and without holes."""

    _revoking = False

    def __init__(self, *args: Any, **options: Any) -> None:
        """See Faust; nothing is known yet of what comes next."""
        super().__init__(*args, **options)
        self._next: dict[TP, int] = {}

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Keep the flow stopped from here on, whatever is still going on after a rebalance."""
        self._revoking = True
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Let the flow go on when it may."""
        self._revoking = False
        await super().on_partitions_assigned(assigned, generation_id)

    def resume_flow(self) -> None:
        """Let records flow, but not for the sake of an earlier rebalance."""
        if not self._revoking:
            super().resume_flow()

    async def perform_seek(self) -> None:
        """Go back to what was committed; who asks for it resumes the flow.

        What flowed meanwhile would be taken for the read part behind the new place: Faust drops
        what it then reads before it.
        """
        self.stop_flow()
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek what is assigned to where it was committed, else to its beginning.

        Faust does so for whatever was fetched and not handed over, but leaves a partition that
        was never committed behind what was fetched of it: that would be lost.
        """
        offsets = await self._thread.seek_to_committed()
        self._next = {ensure_TP(tp): offset for tp, offset in offsets.items() if offset}
        fresh = [tp for tp, offset in offsets.items() if not offset]
        if fresh:
            starts = await self._thread.earliest_offsets(*fresh)
            with suppress(_TAKEN_AWAY):  # the rebalance that did it seeks again
                await self._thread.seek_wait(starts)
                self._next |= {ensure_TP(tp): offset for tp, offset in starts.items()}
        return offsets

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109  Faust's
        """Give what was fetched; end the process where a record is missing in between.

        Faust would take it for done.
        """
        is_gapless = cast("Transport", self.transport).is_gapless
        async for tp, message in super().getmany(timeout):
            due = self._next.get(tp)
            if due is not None and message.offset > due and is_gapless(tp.topic):
                hole = f"{due} to {message.offset - 1}"
                die(UNEXPECTED, f"{tp.topic}[{tp.partition}]: {hole} were not handed over")
            self._next[tp] = message.offset + 1
            yield tp, message

    async def verify_all_partitions_active(self) -> None:
        """Do not look for partitions that stand still: `watchdog` does.

        Faust's own look ends the consumer where it meets a partition that has no position for
        a moment, as after a rebalance.
        """


class Transport(aiokafka.Transport):
    """Faust's transport, with that consumer."""

    Consumer = Consumer
    is_gapless: Callable[[str], bool]
    """Whether a topic holds every offset; one that others write to in transactions does not."""


def use_consumer(app: faust.App, is_gapless: Callable[[str], bool]) -> None:
    """Give an app this consumer; before anything asks for its transport."""
    transport = Transport(app.conf.broker_consumer, app)
    transport.is_gapless = is_gapless
    app.transport = transport
