"""What operators have paused, and how it stands in the `pauses` topic.

Every partition has its own record of a pause, beside the chains that it holds: whoever opens the
partition knows before anything of it is sent. Pure.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.arguments import Subject


@dataclass(frozen=True, slots=True)
class Pause:
    """A target, a route or a chain that is not sent to.

    While it is `draining`, what was committed up to the sequence `upto` goes out still; `upto` is
    "" where there was nothing. `since` in UTC seconds, `by` for people, `command` is the id of
    the command that did it.
    """

    subject: Subject
    since: float
    by: str = ""
    draining: bool = False
    upto: str = ""
    command: str = ""

    @property
    def key(self) -> str:
        """The key of its record: `route/orders`."""
        return self.subject.key

    @property
    def why(self) -> str:
        """Say it, for people."""
        who = f"paused by {self.by}" if self.by else "paused"
        return f"{who} once it is drained" if self.draining else who

    def lets(self, sequence: str) -> bool:
        """Say whether a delivery of it may go all the same."""
        return self.draining and sequence <= self.upto

    def to_fields(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "kind": self.subject.kind,
            "name": self.subject.name,
            "since": self.since,
            "by": self.by,
            "draining": self.draining,
            "upto": self.upto,
            "command": self.command,
        }

    def to_json(self) -> bytes:
        """Write the value of a record in `pauses`."""
        return json.dumps(self.to_fields(), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, value: bytes) -> Pause:
        """Read such a record; ValueError, KeyError or TypeError where it is not one."""
        fields = json.loads(value)
        return cls(
            subject=Subject(fields["kind"], fields["name"]),
            since=fields["since"],
            by=fields["by"],
            draining=fields["draining"],
            upto=fields["upto"],
            command=fields["command"],
        )
