"""What the deliveries up to a commit come to, against what SQL said when it was committed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from schemas.config import load
from schemas.position import Lsn
from streams.routing.dispatch import dispatch
from streams.routing.routes import Routes
from tests.compared import NOTEBOOK, Compared
from tests.folding import (
    Place,
    as_of,
    differences,
    distinct,
    is_doubled,
    out_of_order,
    report,
)
from tests.kafka_reading import events
from tests.oracle import Fields, Oracle, per_target

MODELS: Final = ("product.template", "res.partner", "sale.order")
Holding = Mapping[Place, Mapping[int, Fields]]


@dataclass(slots=True)
class Checkpoints:
    """What every target must hold after some of the commits."""

    oracle: Oracle
    found: list[tuple[Lsn, Holding]] = field(default_factory=list)
    _last: dict[str, dict[int, Fields]] = field(default_factory=dict)

    def take(self, lsn: Lsn) -> None:
        """Ask the oracle; the database stands still at `lsn`."""
        answers = self.oracle.ask()
        for route, records in answers.items():
            before = self._last.get(route, {})
            for record, fields in records.items():
                if before.get(record) == fields:  # most are: held once, not once per checkpoint
                    records[record] = before[record]
        self._last = answers
        self.found.append((lsn, per_target(answers)))

    def follow(self, commits: Iterable[Lsn], every: int) -> int:
        """Take one every so many commits and one after the last; return how many there were."""
        number, lsn = 0, Lsn(0)
        for number, lsn in enumerate(commits, 1):
            if number % every == 0:
                self.take(lsn)
        if number % every:
            self.take(lsn)
        return number


class Bodies(list[bytes]):
    """Bodies of deliveries, and of how many events they are; `again`: events that came twice."""

    events = again = 0


def dispatched(servers: str, config: Path) -> Bodies:
    """Return the bodies of all deliveries of what was published, made without a worker.

    An event that was published twice counts once. AssertionError where an event is of no use to
    a route, or a document had two different ones in one transaction.
    """
    read = load(config)
    routes, bodies = Routes.of_config(read), Bodies()
    seen: dict[tuple[str, int, int], bytes] = {}
    for record, event in events(servers, read.source.name, MODELS):
        whose = (event.model, event.id, event.position.lsn)
        if whose in seen:
            assert seen[whose] == record.value, f"two events of {whose}"
            bodies.again += 1
            continue
        bodies.events += 1
        seen[whose] = record.value
        made = dispatch(event, routes)
        assert not made.stillborn, made.stillborn[0].why
        assert not made.later, made.later[0].why
        bodies += [delivery.body for delivery in made.deliveries]
    return bodies


def judge(bodies: list[bytes], checkpoints: Checkpoints) -> int:
    """Fold up to every checkpoint; return how many deliveries there were.

    AssertionError, readable, for the first checkpoint at which something differs, and for what
    came late, came twice with different bytes, or does not follow from what was held.
    """
    told = distinct(bodies)
    late = out_of_order(told)
    wrong = [f"{len(late)} came late, {late[0]} first"] if late else []
    expected = dict(checkpoints.found)
    checked = lost = 0
    doubts: set[str] = set()
    for number, (lsn, folded) in enumerate(as_of(told, expected), 1):
        found = differences(expected[lsn], folded.held)
        checked += sum(map(len, expected[lsn].values()))
        lost += len(found)
        doubts.update(folded.doubts)
        if found:
            wrong.append(f"checkpoint {number} of {len(expected)}: {report(found)}")
        elif folded.doubts:
            wrong.append(f"{len(folded.doubts)} in doubt, {folded.doubts[0]} first")
    doubled = sum(is_doubled(doubt) for doubt in doubts)
    lost += len(doubts) - doubled
    if isinstance(bodies, Bodies):  # what a worker has sent is no matter of capture's
        NOTEBOOK.note(Compared(bodies.events, bodies.again, checked, lost, doubled, len(late)))
    assert not wrong, wrong[0]
    return len(told)
