"""The way of one delivery, step by step, from the commit to the last word on it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.acknowledgement import Acknowledgement
from schemas.keys import split_delivery_id
from schemas.position import Position, format_lsn
from schemas.state import State
from streams.chains.ledger import COMMITTED, Entry, iso, seconds

PUBLISHED: Final = "published"
SAID: Final = "said"


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
    """What is left of one delivery in the topics, each list in the order it was written."""

    id: str
    operation: str
    time: str  # of the commit, as the delivery says it
    entries: Sequence[Entry] = ()
    words: Sequence[tuple[float, Acknowledgement]] = ()
    event: Spot | None = None
    queue: Spot | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.entries[-1].state if self.entries else State.QUEUED


def steps(traces: Traces) -> list[Step]:
    """Return the journey in order of time; steps that Kafka has compacted away once each."""
    position = Position.parse(split_delivery_id(traces.id)[2])
    found = [Step(seconds(traces.time), COMMITTED, f"at {format_lsn(position.lsn)}")]
    if traces.event is not None:
        found.append(Step(traces.event.at, PUBLISHED, str(traces.event)))
    if traces.queue is not None:
        found.append(Step(traces.queue.at, State.QUEUED.value, str(traces.queue)))
    found += _of_entries(traces.entries, queued=traces.queue is not None)
    found += [Step(at, SAID, _said(word)) for at, word in traces.words]
    return sorted(found, key=lambda step: step.at)


def to_json(traces: Traces) -> dict[str, Any]:
    """Return it as `trace --json` lists it."""
    chain, route, sequence = split_delivery_id(traces.id)
    last = traces.entries[-1] if traces.entries else None
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
        "superseded_by": last.superseded_by if last else None,
        "due": iso(last.due) if last and last.due is not None else None,
        "steps": [{"at": iso(s.at), "step": s.what, "about": s.about} for s in steps(traces)],
    }


def _of_entries(entries: Iterable[Entry], *, queued: bool) -> list[Step]:
    """Return a step per time that any of the entries tells; who tells it first explains it."""
    hidden = {COMMITTED, State.QUEUED.value} if queued else {COMMITTED}
    found: dict[tuple[str, str], Step] = {}
    for entry in entries:
        for what, at in entry.times.items():
            if what not in hidden and (at, what) not in found:
                about = _about(entry, what)
                found[at, what] = Step(seconds(at), what, about)
    return list(found.values())


def _about(entry: Entry, what: str) -> str:
    if what == State.SENT.value:
        return f"attempt {entry.attempt}"
    if what != entry.state.value:
        return ""
    due = f"until {iso(entry.due)}" if entry.due is not None else ""
    return "; ".join(part for part in (entry.why, due) if part)


def _said(word: Acknowledgement) -> str:
    attempt = f"of attempt {word.attempt}" if word.attempt is not None else ""
    target = f"its id is {word.target_id}" if word.target_id else ""
    parts = (word.status, attempt, word.code, word.message, target)
    return ", ".join(part for part in parts if part)
