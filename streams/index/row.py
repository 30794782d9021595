"""One delivery as `queue` lists it, which ones are asked for, and how many there are. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from schemas.delivery import Delivery
from schemas.keys import split_delivery_id
from schemas.state import State
from streams.chains.item import Item
from streams.chains.ledger import COMMITTED, Entry, iso, seconds

TROUBLE: Final = (State.DEAD, State.REJECTED)
PAST: Final = "purged, or older than the ledger: what came of it is not known any more"


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery; `since` is when it was committed and `due` when something is to happen.

    Both in UTC seconds; `due` is None where nothing is planned. `final` says that nothing more
    is waited for: WSO2's acceptance is, where the target's word is not asked for. `past` says
    that only its dead letter is left: `retry` may have sent it since, or nobody cared.
    """

    id: str
    target: str
    route: str
    model: str
    record: int
    operation: str
    state: State
    since: float
    attempt: int = 0
    due: float | None = None
    why: str = ""
    final: bool = False
    past: bool = False

    @property
    def unsettled(self) -> bool:
        """Whether it is on its way, or needs somebody; of what is past nobody can say."""
        return not self.past and (not self.final or self.state in TROUBLE)

    @classmethod
    def of_entry(cls, entry: Entry) -> Row:
        """Return the row of a delivery that the ledger knows."""
        committed = entry.times.get(COMMITTED) or min(entry.times.values(), default=iso(0))
        return cls(
            id=entry.id,
            target=entry.target,
            route=split_delivery_id(entry.id)[1],
            model=entry.model,
            record=entry.record,
            operation=entry.operation,
            state=entry.state,
            since=seconds(committed),
            attempt=entry.attempt,
            due=entry.due,
            why=entry.why,
            final=entry.final,
        )

    @classmethod
    def of_item(cls, item: Item) -> Row:
        """Return the row of a delivery that is on its way."""
        return cls(
            **_about(item.delivery),
            state=item.state,
            attempt=item.attempt,
            due=item.due,
            why=item.why,
        )

    @classmethod
    def of_queued(cls, delivery: Delivery) -> Row:
        """Return the row of a delivery that no worker has taken yet."""
        return cls(**_about(delivery), state=State.QUEUED)

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it as `queue --json` lists it."""
        return {
            "id": self.id,
            "target": self.target,
            "route": self.route,
            "model": self.model,
            "record": self.record,
            "operation": self.operation,
            "state": self.state.value,
            "committed": iso(self.since),
            "age_seconds": round(max(0.0, now - self.since), 3),
            "attempt": self.attempt,
            "due": None if self.due is None else iso(self.due),
            "why": self.why,
            "past": self.past,
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; empty and None mean all. `age` is the least one, in seconds.

    Without states they are the unsettled ones.
    """

    targets: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    states: frozenset[State] = frozenset()
    model: str = ""
    record: int | None = None
    age: float = 0.0

    @property
    def queued(self) -> bool:
        """Whether what stands in send queues is asked for."""
        return not self.states or State.QUEUED in self.states

    def holds(self, row: Row, now: float) -> bool:
        """Say whether a row is asked for."""
        return (
            (not self.targets or row.target in self.targets)
            and (not self.routes or row.route in self.routes)
            and (row.state in self.states if self.states else row.unsettled)
            and self.model in ("", row.model)
            and self.record in (None, row.record)
            and now - row.since >= self.age
        )


@dataclass(slots=True)
class Counts:
    """How many unsettled deliveries a target has by state, and since when the oldest waits."""

    queued: int = 0
    states: dict[State, int] = field(default_factory=dict)
    oldest: float | None = None

    def add(self, state: State, number: int, oldest: float | None) -> None:
        """Count some that are no longer in the send queue; `oldest` of those that wait."""
        self.states[state] = self.states.get(state, 0) + number
        if oldest is not None:
            self.oldest = oldest if self.oldest is None else min(self.oldest, oldest)

    def to_json(self, now: float) -> dict[str, Any]:
        """Return it as `queue` and `status` show it."""
        shown = (State.WAITING, State.SENT, State.ACCEPTED, *TROUBLE)
        oldest = None if self.oldest is None else round(max(0.0, now - self.oldest), 3)
        counts = {state.value: self.states.get(state, 0) for state in shown}
        return {"queued": self.queued, **counts, "oldest_waiting_seconds": oldest}


def _about(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "target": delivery.target,
        "route": delivery.route,
        "model": delivery.model,
        "record": delivery.record_id,
        "operation": delivery.operation,
        "since": seconds(delivery.time),
    }
