"""The way of one delivery, step by step, from the commit to the last word on it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from schemas.keys import split_delivery_id
from schemas.position import Position, format_lsn
from schemas.state import State
from streams.chains.ledger import COMMITTED, iso, seconds
from streams.index.store import Known

PUBLISHED: Final = "published"
SAID: Final = "said"
_MILLISECOND: Final = 0.001


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `at` in UTC seconds, `about` for people."""

    at: float
    what: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a record stands in Kafka, and when it was written there, UTC seconds."""

    topic: str
    partition: int
    offset: int
    at: float

    def __str__(self) -> str:
        """Return `topic[partition] offset 7`."""
        return f"{self.topic}[{self.partition}] offset {self.offset}"


@dataclass(frozen=True, slots=True)
class Traces:
    """What is left of one delivery in the topics."""

    id: str
    operation: str
    time: str  # of the commit, as the delivery says it
    known: Known | None = None  # of the topics that workers write; None while it is queued
    event: Spot | None = None
    queue: Spot | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.known.row.state if self.known else State.QUEUED


def steps(traces: Traces) -> list[Step]:
    """Return the journey in order of time; steps that Kafka has compacted away once each."""
    position = Position.parse(split_delivery_id(traces.id)[2])
    commit = seconds(traces.time)
    found = [Step(commit, COMMITTED, f"at {format_lsn(position.lsn)}")]
    if traces.event is not None:
        found.append(Step(_behind(commit, traces.event.at), PUBLISHED, str(traces.event)))
    if traces.queue is not None:
        found.append(Step(traces.queue.at, State.QUEUED.value, str(traces.queue)))
    if traces.known is not None:
        hidden = State.QUEUED.value if traces.queue is not None else ""
        told = (step for step in traces.known.steps if step.what != hidden)
        found += [Step(seconds(step.at), step.what, step.about) for step in told]
        found += [Step(at, SAID, said) for at, said in traces.known.words]
    return sorted(found, key=lambda step: step.at)


def _behind(commit: float, at: float) -> float:
    """Return a time of Kafka's behind the commit, where both are in one millisecond.

    Kafka's times are whole milliseconds, cut off: this one would stand before what it follows.
    """
    return commit if at < commit < at + _MILLISECOND else at


def to_json(traces: Traces) -> dict[str, Any]:
    """Return it as `trace --json` lists it."""
    chain, route, sequence = split_delivery_id(traces.id)
    known = traces.known
    last = known.row if known else None
    return {
        "id": traces.id,
        "chain": chain,
        "route": route,
        "sequence": sequence,
        "operation": traces.operation,
        "state": traces.state.value,
        "final": last.final if last else False,
        "attempt": last.attempt if last else 0,
        "why": last.why if last else "",
        "past": last.past if last else False,
        "superseded_by": known.superseded_by if known else None,
        "due": iso(last.due) if last and last.due is not None else None,
        "steps": [{"at": iso(s.at), "step": s.what, "about": s.about} for s in steps(traces)],
    }
