"""A replay under way in one partition, and how it stands in the `replays` topic. Pure.

Every partition has its own record of a replay, beside the chains that it holds: whoever opens
the partition goes on where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from schemas.replay import Request
from streams.chains.ledger import iso

LOOKED: Final = "looked"  # records of the partition that were read so far
OF: Final = "of"  # how many there are to read
_SUMMED: Final = (OF, LOOKED, "deliveries")


@dataclass(frozen=True, slots=True)
class Job:
    """What is left of a replay in one partition: the records from `next` to before `end`.

    `start` is where it began, `filled` maps `target/partition` of send queues to the offset
    behind the last delivery that it wrote there, `counts` say what came of it so far. `since`
    is in UTC seconds, `by` for people.
    """

    id: str
    request: Request
    since: float
    by: str
    start: int
    next: int
    end: int
    filled: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.next >= self.end

    @property
    def progress(self) -> dict[str, int]:
        """The counts, and how far it is."""
        return {OF: self.end - self.start, LOOKED: self.next - self.start, **self.counts}

    def went_on(self, at: int, filled: Mapping[str, int], counts: Mapping[str, int]) -> Job:
        """Return it after a portion that reached an offset."""
        summed = dict(self.counts)
        for name, number in counts.items():
            summed[name] = summed.get(name, 0) + number
        return replace(self, next=at, filled={**self.filled, **filled}, counts=summed)

    def to_json(self) -> bytes:
        """Write the value of a record in `replays`."""
        fields = {
            "id": self.id,
            "arguments": self.request.to_fields(),
            "since": self.since,
            "by": self.by,
            "start": self.start,
            "next": self.next,
            "end": self.end,
            "filled": dict(self.filled),
            "counts": dict(self.counts),
        }
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Job:
        """Read such a record; ValueError, KeyError, TypeError, MalformedCommand otherwise."""
        fields = json.loads(value)
        return cls(
            id=fields["id"],
            request=Request.of(fields["arguments"]),
            since=fields["since"],
            by=fields["by"],
            start=fields["start"],
            next=fields["next"],
            end=fields["end"],
            filled=fields["filled"],
            counts=fields["counts"],
        )


def under_way(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """Return a row per replay, over all its partitions, the earliest first: `status` shows it."""
    rows: dict[str, dict[str, Any]] = {}
    for job in sorted(jobs, key=lambda job: (job.since, job.id)):
        request, progress = job.request, job.progress
        said = {
            "id": job.id,
            "model": request.model,
            "run": request.run,
            "since": iso(job.since),
            "by": job.by,
            **dict.fromkeys(_SUMMED, 0),
        }
        row = rows.setdefault(job.id, said)
        for name in _SUMMED:
            row[name] += progress.get(name, 0)
    return [row for row in rows.values() if row["run"]]
