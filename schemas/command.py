"""What operators ask for, and what is answered.

A command stands once in every partition of `<source>.commands` that it concerns: whoever owns the
partition does it there. Answers stand in the same partition of `<source>.command_results`. The
key of both is the command's id, the value JSON that says everything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from schemas.errors import OdooCdcError
from schemas.keys import Chain, DeliveryId, split_delivery_id

MOST: Final = 1000  # names in one command
_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,80}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LONGEST: Final = 200  # characters of a name


class MalformedCommand(OdooCdcError):
    """That is no command."""

    hint = (
        'Write {"id": "...", "kind": "retry", "arguments": {"targets": ["webshop"]}, "who": "...",'
        ' "when": "2026-11-23T10:00:00Z"}; every id is used once.'
    )


class Kind(StrEnum):
    """What can be asked for."""

    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    REPLAY = "replay"


class Progress(StrEnum):
    """How far a partition is with a command."""

    DOING = "doing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries a `retry` concerns: those that any of the names matches.

    `dead_only` leaves out what waits; without names it is all that is dead or rejected.
    """

    ids: tuple[DeliveryId, ...] = ()
    chains: tuple[Chain, ...] = ()
    targets: tuple[str, ...] = ()
    dead_only: bool = False
    dry_run: bool = False

    @property
    def named(self) -> bool:
        """Whether anything is named."""
        return bool(self.ids or self.chains or self.targets)

    def holds(self, delivery_id: str, target: str) -> bool:
        """Say whether a delivery is one of them."""
        if not self.named:
            return True
        chain = split_delivery_id(delivery_id)[0]
        return delivery_id in self.ids or chain in self.chains or target in self.targets

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of a command."""
        return {
            "ids": list(self.ids),
            "chains": list(self.chains),
            "targets": list(self.targets),
            "all_dead": self.dead_only,
            "dry_run": self.dry_run,
        }

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Selection:
        """Read the arguments of a `retry`; MalformedCommand where they are none."""
        _refuse_unknown(arguments, ("ids", "chains", "targets", "all_dead", "dry_run"))
        found = cls(
            ids=tuple(map(_delivery_id, _texts(arguments, "ids"))),
            chains=tuple(map(_chain, _texts(arguments, "chains"))),
            targets=tuple(map(_name, _texts(arguments, "targets"))),
            dead_only=_flag(arguments, "all_dead"),
            dry_run=_flag(arguments, "dry_run"),
        )
        if not found.named and not found.dead_only:
            raise MalformedCommand("retry needs ids, chains, targets or all_dead")
        return found


@dataclass(frozen=True, slots=True)
class Subject:
    """What is paused, resumed or drained; `kind` is target, route or chain."""

    kind: str
    name: str

    @property
    def key(self) -> str:
        """What no other has: `route/orders`."""
        return f"{self.kind}/{self.name}"

    @property
    def text(self) -> str:
        """Name it for people: a target by its name alone, as it is named everywhere."""
        return self.name if self.kind == "target" else f"{self.kind} {self.name}"

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of a command."""
        return {self.kind: self.name}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Subject:
        """Read the arguments of `pause`, `resume` or `drain`; MalformedCommand otherwise."""
        _refuse_unknown(arguments, ("target", "route", "chain"))
        if len(arguments) != 1:
            raise MalformedCommand("name one of target, route, chain")
        (kind,) = arguments
        name = _text(arguments, kind)
        return cls(kind, _chain(name) if kind == "chain" else _name(name))


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
        name = _text(fields, "id")
        if not _ID.fullmatch(name):
            raise MalformedCommand("`id` is 1 to 80 letters, digits, dots, dashes or colons")
        return cls(
            id=name,
            kind=_text(fields, "kind"),
            arguments=_mapping(fields, "arguments"),
            who=_text(fields, "who", "")[:_LONGEST],
            when=_time(_text(fields, "when")),
            rest=_mapping(fields, "rest"),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """How far one partition is with a command; the latest one counts.

    `counts` say how many deliveries came to what, `deliveries` are some of them: pairs of id and
    what it came to. `why` explains a failure.
    """

    id: str
    kind: str
    partition: int
    progress: Progress
    counts: Mapping[str, int] = field(default_factory=dict)
    deliveries: Sequence[tuple[str, str]] = ()
    why: str = ""
    at: str = ""

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


def _text(fields: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    text = fields.get(name, otherwise)
    if not isinstance(text, str) or (otherwise is None and not text):
        raise MalformedCommand(f"`{name}` is missing, or no text")
    return text.encode(errors="replace").decode()


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


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    found = fields.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise MalformedCommand(f"`{name}` is a list of texts")
    if len(found) > MOST:
        raise MalformedCommand(f"`{name}` has {len(found)} texts, more than {MOST}")
    return found


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    found = fields.get(name, False)
    if not isinstance(found, bool):
        raise MalformedCommand(f"`{name}` is true or false")
    return found


def _refuse_unknown(fields: Mapping[str, Any], known: Sequence[str]) -> None:
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise MalformedCommand(f"`{unknown[0]}` is not known; it takes {', '.join(known)}")


def _delivery_id(text: str) -> DeliveryId:
    try:
        split_delivery_id(text)
    except ValueError as error:
        raise MalformedCommand(str(error)) from error
    return DeliveryId(text)


def _chain(text: str) -> Chain:
    parts = text.split("/")
    if len(parts) != 4 or not all(parts) or len(text) > _LONGEST:  # noqa: PLR2004  the form of a chain
        raise MalformedCommand(
            f"{text[:_LONGEST]!r} is no chain; write SOURCE/TARGET/MODEL/RECORD"
        )
    return Chain(text)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise MalformedCommand(f"{text[:_LONGEST]!r} is no name")
    return text
