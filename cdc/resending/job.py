"""A resend under way, as the shadow remembers it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

from schemas.command import Command
from schemas.event import Mode
from schemas.resend import Request

LOOKED: Final = "looked"  # records that were looked at
DOCUMENTS: Final = "documents"  # those that are meant: published, or counted by a dry run
GONE: Final = "gone"  # of these, the ones that there is no record of any more
REACHED: Final = "reached"  # the id, or how many of the ids that were named, ...
OF: Final = "of"  # ... of so many
_BEFORE_ALL: Final = -1


@dataclass(frozen=True, slots=True)
class Job:
    """What is left of a resend: the records behind `position`, up to `end`.

    Both are ids; `end` is None until the first piece. `partition` is where the command stands and
    the answers go. `when` is a time in ISO 8601, `by` for people. `mode` is that of its events:
    `snapshot` for routes that come to a model which is read already.
    """

    id: str
    partition: int
    request: Request
    by: str
    when: str
    position: int = _BEFORE_ALL
    end: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    mode: Mode = Mode.RESEND

    @classmethod
    def of(cls, command: Command, partition: int) -> Self:
        """Return what a command asks for. Raises MalformedCommand, BadDomain."""
        request = Request.of(command.arguments)
        return cls(command.id, partition, request, command.who, command.when)

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.end is not None and self.position >= self.end

    @property
    def progress(self) -> dict[str, int]:
        """The counts, and how far it is."""
        ids = self.request.ids
        reached = sum(each <= self.position for each in ids) if ids else self.position
        of = len(ids) if ids else self.end or 0
        return {REACHED: max(0, reached), OF: max(0, of), **self.counts}

    def begun(self, last: int) -> Job:
        """Return it with its end, `last` being the highest id that there is."""
        if self.end is not None:
            return self
        return replace(self, end=max(self.request.ids, default=last))

    def went_on(self, position: int, counts: Mapping[str, int]) -> Job:
        """Return it after a piece that reached an id."""
        summed = dict(self.counts)
        for name, number in counts.items():
            summed[name] = summed.get(name, 0) + number
        return replace(self, position=position, counts=summed)

    def to_json(self) -> dict[str, Any]:
        """Return it as a part of a note."""
        return {
            "id": self.id,
            "partition": self.partition,
            "request": self.request.to_fields(),
            "by": self.by,
            "when": self.when,
            "position": self.position,
            "end": self.end,
            "counts": dict(self.counts),
            "mode": self.mode.value,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        mode = Mode(fields.get("mode", Mode.RESEND))
        return cls(**{**fields, "request": Request.of(fields["request"]), "mode": mode})
