"""What operators ask for, and what is answered.

A command stands once in every partition of `<source>.commands` that it concerns: whoever owns the
partition does it there; capture does those that are its own. Answers stand in the same partition
of `<source>.command_results`. The key of both is the command's id, the value JSON that says
everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from schemas.arguments import LONGEST, MalformedCommand, text_of

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")


class Kind(StrEnum):
    """What can be asked for."""

    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    REPLAY = "replay"
    CANCEL = "cancel"
    PURGE = "purge"
    RELOAD = "reload"
    CLAIM = "claim"  # of the number of a replay: workers have nothing to do for it
    RESEND = "resend"
    CANCEL_RESEND = "cancel_resend"


OF_CAPTURE: Final = frozenset({Kind.RESEND, Kind.CANCEL_RESEND})
"""What capture does and answers; workers leave it alone."""


class Progress(StrEnum):
    """How far a partition is with a command."""

    DOING = "doing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Command:
    """One command as one partition has it.

    `who` is for people, `when` a time in ISO 8601. `rest` is what the owner of the partition
    wrote for itself where a part of the work is left; empty in what operators write.
    """

    id: str
    kind: str  # a Kind, or what this program does not know
    arguments: Mapping[str, Any]
    who: str
    when: str
    rest: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Write the value of a record in `commands`."""
        fields = {
            "id": self.id,
            "kind": self.kind,
            "arguments": dict(self.arguments),
            "who": self.who,
            "when": self.when,
        }
        return _json(fields | ({"rest": dict(self.rest)} if self.rest else {}))

    def with_rest(self, rest: Mapping[str, Any]) -> Command:
        """Return what is left of it."""
        return replace(self, rest=rest)

    @classmethod
    def from_json(cls, value: bytes) -> Command:
        """Read a record of `commands`; MalformedCommand where it is not one."""
        fields = _object(value)
        name = text_of(fields, "id")
        if not _ID.fullmatch(name):
            raise MalformedCommand("`id` is 1 to 80 letters, digits, dots, dashes or colons")
        return cls(
            id=name,
            kind=text_of(fields, "kind"),
            arguments=_mapping(fields, "arguments"),
            who=text_of(fields, "who", "")[:LONGEST],
            when=_time(text_of(fields, "when")),
            rest=_mapping(fields, "rest"),
        )


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of a worker's file: which one is in force, and why another one is not."""

    worker: str = ""
    config: str = ""  # fingerprint
    why: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How far one partition is with a command; the latest one counts.

    `counts` say how many deliveries came to what, `deliveries` are some of them: pairs of id and
    what it came to. `why` explains a failure, and what it waits for. `worker` and `config` (the
    fingerprint of its file) say of whom a reload tells; `worker` is `capture` where that answers.
    """

    id: str
    kind: str
    partition: int
    progress: Progress
    counts: Mapping[str, int] = field(default_factory=dict)
    deliveries: Sequence[tuple[str, str]] = ()
    why: str = ""
    at: str = ""
    worker: str = ""
    config: str = ""

    def to_json(self) -> bytes:
        """Write the value of a record in `command_results`."""
        return _json(
            {
                "id": self.id,
                "kind": self.kind,
                "partition": self.partition,
                "progress": self.progress.value,
                "counts": dict(self.counts),
                "deliveries": [{"id": i, "result": what} for i, what in self.deliveries],
                "why": self.why,
                "at": self.at,
                **({"worker": self.worker, "config": self.config} if self.worker else {}),
            }
        )

    @classmethod
    def from_json(cls, value: bytes) -> Answer:
        """Read a record of `command_results`; ValueError, KeyError, TypeError where it is none."""
        fields = json.loads(value)
        return cls(
            id=fields["id"],
            kind=fields["kind"],
            partition=int(fields["partition"]),
            progress=Progress(fields["progress"]),
            counts={str(name): int(number) for name, number in fields["counts"].items()},
            deliveries=[(each["id"], each["result"]) for each in fields["deliveries"]],
            why=fields["why"],
            at=fields["at"],
            worker=fields.get("worker", ""),
            config=fields.get("config", ""),
        )


def _json(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _object(value: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise MalformedCommand(f"it is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise MalformedCommand("an object is needed")
    return fields


def _time(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedCommand(f"`when` is no time: {error}") from error
    return text


def _mapping(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = fields.get(name, {})
    if not isinstance(found, dict):
        raise MalformedCommand(f"`{name}` is an object")
    return found
