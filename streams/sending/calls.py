"""Calls to WSO2: so many at a time, each with one outcome, none lost from sight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from schemas.delivery import Delivery
from streams.chains.item import Item
from streams.chains.outcome import Outcome
from streams.metrics import Meter
from streams.sending.permits import Permits
from streams.sending.slots import Slots


class Sender(Protocol):
    """Hands deliveries to WSO2."""

    async def send(self, delivery: Delivery, attempt: int) -> Outcome:
        """Make one attempt; trouble is an outcome, never an exception."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An attempt that ended: the item as it was while being sent."""

    item: Item
    outcome: Outcome
    at: float


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt under way."""

    item: Item
    task: asyncio.Task[Answer]

    async def within(self, patience: float) -> Answer | None:
        """Return the answer, or None where there is none after so many seconds."""
        done, _ = await asyncio.wait({self.task}, timeout=patience)
        return self.task.result() if done else None


class Calls:
    """Starts attempts, as many at a time as there are slots."""

    def __init__(
        self,
        sender: Sender,
        permits: Permits,
        meter: Meter,
        slots: int,
        clock: Callable[[], float],
    ) -> None:
        """`clock` tells UTC seconds."""
        self._sender = sender
        self._permits = permits
        self._meter = meter
        self.slots = Slots(slots)
        self._clock = clock

    async def start(self, item: Item) -> Call | None:
        """Begin an attempt once a slot is free; None where it may not go any more by then.

        A draft must not come here: its body is not what goes out.
        """
        if item.delivery.wants:
            raise RuntimeError(f"{item.id} is a draft")
        await self.slots.take()
        if not self._permits.grant(item):
            self.slots.give_back()
            return None
        begun = item.begun(self._clock())
        return Call(begun, asyncio.create_task(self._attempt(begun), name=f"send {item.id}"))

    async def _attempt(self, item: Item) -> Answer:
        began = time.monotonic()
        try:
            outcome = await self._sender.send(item.delivery, item.attempt)
        finally:
            self.slots.give_back()
        self._meter.count("attempts", item.target)
        self._meter.observe("send", time.monotonic() - began)
        return Answer(item, self._permits.note(item, outcome), self._clock())
