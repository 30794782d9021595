"""From events to lines: decode, route, write, and remember how far it came, in this order.

What is written and not yet remembered is written again after a crash: a file is cut first, so
that it has each line once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.event import Event
from streams.decoding import Decoder
from streams.events import decoded
from streams.kafka.records import Taken
from streams.routing.dispatch import Dispatched, dispatch
from streams.routing.routes import Routes, UnfitRoute
from streams.shadow_run.lines import Line, lines_of

Record = tuple[str, int]  # model, id


class Output(Protocol):
    """Where lines go."""

    async def write(self, lines: Sequence[Line]) -> None:
        """Return when they are there for good."""


class Memory(Protocol):
    """What is remembered: the latest sequence of each record, and how far the output goes."""

    def latest(self, record: Record) -> str:
        """Return the sequence of the latest event that was written of a record, or ""."""

    def keep(self, latest: Mapping[Record, str], taken: Sequence[Taken]) -> None:
        """Remember, all or nothing, that these were taken and what is the latest of them."""


@dataclass(slots=True)
class Counts:
    """What came of the events of this start."""

    events: int = 0
    deliveries: int = 0
    undeliverable: int = 0
    repeats: int = 0  # events that capture published again after a crash
    older_shape: int = 0  # routes times events that do not show what the route reads
    unreadable: int = 0


@dataclass(slots=True)
class ShadowRun:
    """Events through the routes, into an output."""

    decoder: Decoder
    routes: Routes
    output: Output
    memory: Memory
    counts: Counts = field(default_factory=Counts)

    async def take(self, batch: Sequence[Taken]) -> None:
        """Do records of event topics, in the order of their partitions. SchemaMissing."""
        lines: list[Line] = []
        latest: dict[Record, str] = {}
        for taken in batch:
            event = await decoded(self.decoder, taken)
            self.counts.unreadable += event is None
            if event is None or not self._is_new(event, latest):
                continue
            latest[event.model, event.id] = event.position.sequence
            lines += lines_of(self._made(event))
        await self.output.write(lines)
        self.memory.keep(latest, batch)

    def _is_new(self, event: Event, latest: Mapping[Record, str]) -> bool:
        """Say whether an event is no copy: those of one record come in their order."""
        record = event.model, event.id
        known = latest.get(record) or self.memory.latest(record)
        self.counts.repeats += event.position.sequence <= known
        return event.position.sequence > known

    def _made(self, event: Event) -> Dispatched:
        self.counts.events += 1
        try:
            made = dispatch(event, self.routes)
        except UnfitRoute:  # a type has changed since: what was then says nothing to today's
            self.counts.older_shape += 1
            return Dispatched()
        self.counts.deliveries += len(made.deliveries)
        self.counts.undeliverable += len(made.stillborn)
        self.counts.older_shape += len(made.later)
        return made
