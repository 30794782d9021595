"""What a command is about: its arguments, checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.errors import OdooCdcError
from schemas.keys import Chain, DeliveryId, split_delivery_id

MOST: Final = 1000  # names in one command
LONGEST: Final = 200  # characters of a name
_MODEL: Final = re.compile(r"[a-z][a-z0-9_.]{0,99}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class MalformedCommand(OdooCdcError):
    """That is no command."""

    hint = (
        'Write {"id": "...", "kind": "retry", "arguments": {"targets": ["webshop"]}, "who": "...",'
        ' "when": "2026-11-23T10:00:00Z"}; every id is used once.'
    )


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
        refuse_unknown(arguments, ("ids", "chains", "targets", "all_dead", "dry_run"))
        found = cls(
            ids=tuple(map(_delivery_id, texts_of(arguments, "ids"))),
            chains=tuple(map(_chain, texts_of(arguments, "chains"))),
            targets=tuple(map(name_of, texts_of(arguments, "targets"))),
            dead_only=flag_of(arguments, "all_dead"),
            dry_run=flag_of(arguments, "dry_run"),
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
        refuse_unknown(arguments, ("target", "route", "chain"))
        if len(arguments) != 1:
            raise MalformedCommand("name one of target, route, chain")
        (kind,) = arguments
        name = text_of(arguments, kind)
        return cls(kind, _chain(name) if kind == "chain" else name_of(name))


@dataclass(frozen=True, slots=True)
class Person:
    """The record that a `purge` is about; `dry_run` only looks."""

    model: str
    record: int
    dry_run: bool = False

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of a command."""
        return {"model": self.model, "id": self.record, "dry_run": self.dry_run}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Person:
        """Read the arguments of a `purge`; MalformedCommand otherwise."""
        refuse_unknown(arguments, ("model", "id", "dry_run"))
        record = arguments.get("id")
        if type(record) is not int or record <= 0:
            raise MalformedCommand("`id` is the id of a record")
        return cls(model_of(arguments, "model"), record, flag_of(arguments, "dry_run"))


def model_of(fields: Mapping[str, Any], name: str) -> str:
    """Return the name of a model of a record; MalformedCommand where it cannot be one."""
    text = text_of(fields, name)
    if not _MODEL.fullmatch(text):
        raise MalformedCommand(f"{text[:LONGEST]!r} is no model")
    return text


def text_of(fields: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    """Return a text of a record; MalformedCommand where it is missing, or none."""
    text = fields.get(name, otherwise)
    if not isinstance(text, str) or (otherwise is None and not text):
        raise MalformedCommand(f"`{name}` is missing, or no text")
    return text.encode(errors="replace").decode()


def texts_of(fields: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts of a record; MalformedCommand where it is none."""
    found = fields.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise MalformedCommand(f"`{name}` is a list of texts")
    if len(found) > MOST:
        raise MalformedCommand(f"`{name}` has {len(found)} texts, more than {MOST}")
    return found


def ids_of(fields: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """Return ids of a record's list, () where it is missing; MalformedCommand where it is none."""
    found = fields.get(name, [])
    if not isinstance(found, list) or not all(type(each) is int and each > 0 for each in found):
        raise MalformedCommand(f"`{name}` is a list of record ids")
    if len(found) > MOST:
        raise MalformedCommand(f"`{name}` has {len(found)} ids, more than {MOST}")
    return tuple(found)


def flag_of(fields: Mapping[str, Any], name: str) -> bool:
    """Return a flag of a record, false where it is missing; MalformedCommand where it is none."""
    found = fields.get(name, False)
    if not isinstance(found, bool):
        raise MalformedCommand(f"`{name}` is true or false")
    return found


def refuse_unknown(fields: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise MalformedCommand for a field that is not known."""
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
    if len(parts) != 4 or not all(parts) or len(text) > LONGEST:  # noqa: PLR2004  the form of a chain
        raise MalformedCommand(f"{text[:LONGEST]!r} is no chain; write SOURCE/TARGET/MODEL/RECORD")
    return Chain(text)


def name_of(text: str) -> str:
    """Return the name of a target or route; MalformedCommand where it cannot be one."""
    if not _NAME.fullmatch(text):
        raise MalformedCommand(f"{text[:LONGEST]!r} is no name")
    return text
