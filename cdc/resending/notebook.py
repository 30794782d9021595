"""What the shadow remembers of resends: those under way, those done, how far commands were read.

It is durable with the rows of the epoch, so a kill forgets nothing and does nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cdc.resending.job import Job

_REMEMBERED: Final = 200  # commands that are done: a topic read again from its beginning has them


@dataclass(slots=True)
class Notebook:
    """All of it; `jobs` in the order in which they came, `offsets` by partition: the next one."""

    offsets: dict[int, int] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, note: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; nothing of an empty one."""
        return cls(
            {int(partition): at for partition, at in note.get("offsets", {}).items()},
            [Job.from_json(each) for each in note.get("jobs", ())],
            list(note.get("done", ())),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as a note of the shadow."""
        return {
            "offsets": {str(partition): at for partition, at in sorted(self.offsets.items())},
            "jobs": [job.to_json() for job in self.jobs],
            "done": self.done,
        }

    def is_read(self, partition: int, offset: int) -> bool:
        """Note that a record was read; say whether it had been before."""
        before = self.offsets.get(partition, -1)
        self.offsets[partition] = max(before, offset + 1)
        return offset < before

    def find(self, name: str) -> Job | None:
        """Return a job that is under way."""
        return next((job for job in self.jobs if job.id == name), None)

    def take(self, job: Job) -> bool:
        """Take on a job; False for one that is known."""
        if job.id in self.done or self.find(job.id) is not None:
            return False
        self.jobs.append(job)
        return True

    def keep(self, job: Job) -> None:
        """Note how far a job is."""
        self.jobs = [job if each.id == job.id else each for each in self.jobs]

    def end(self, job: Job) -> None:
        """Note that nothing is left of a job."""
        self.jobs = [each for each in self.jobs if each.id != job.id]
        self.done = [*self.done, job.id][-_REMEMBERED:]
