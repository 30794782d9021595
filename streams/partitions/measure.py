"""What the changes of a write count as, for metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from schemas.state import State
from streams.chains.changes import Change, Record
from streams.chains.ledger import COMMITTED, Entry, seconds
from streams.metrics import Meter

_LATENCIES: Final = {
    State.ACCEPTED: "latency_accepted",
    State.DELIVERED: "latency_delivered",
}
_SILENT: Final = (State.QUEUED, State.SENT)


def measure(meter: Meter, changes: Iterable[Change]) -> None:
    """Count every step that the ledger was told of."""
    for change in changes:
        if isinstance(change, Record):
            _count(meter, change.entry)


def _count(meter: Meter, entry: Entry) -> None:
    if entry.state in _SILENT:
        return
    if entry.state is not State.WAITING:
        meter.count(entry.state.value, entry.target)
    elif entry.due is not None:
        meter.count("retries", entry.target)
    latency = _LATENCIES.get(entry.state)
    committed, then = entry.times.get(COMMITTED), entry.times.get(entry.state.value)
    if latency is not None and committed and then:
        meter.observe(latency, max(0.0, seconds(then) - seconds(committed)))
