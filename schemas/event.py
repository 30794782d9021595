"""What capture publishes: one document, one transaction, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from schemas.document import Shape
from schemas.position import Position

Document = dict[str, Any]


class Mode(StrEnum):
    """Why an event was published."""

    STREAM = "stream"  # a commit
    SNAPSHOT = "snapshot"  # the initial load
    RESEND = "resend"  # an operator asked for it
    REPLAY = "replay"  # a past event, through today's routes
    RECOVER = "recover"  # the difference that a lost slot or shadow made us miss


@dataclass(frozen=True, slots=True)
class Event:
    """One document as a transaction found it and left it.

    `before` is None where the record did not exist, and also where `before_known` is false.
    `time` is the commit's (or the mark's) in ISO 8601, UTC, as it is sent. `writers` are the
    distinct `write_uid` of the rows that changed, None standing for rows that are gone.
    `oversize` is the size in bytes of an event that was too large to carry its images. `users`
    are the ids of the logins that routes name, as capture found them. `routes` and `targets` are
    the names of those that the event is for, None for all.
    """

    source: str
    model: str
    id: int
    position: Position
    mode: Mode
    time: str
    transaction: int | None
    before_known: bool
    before: Document | None
    after: Document | None
    write_date: str | None
    write_uid: int | None
    writers: tuple[int | None, ...]
    oversize: int | None
    shape: Shape
    users: Mapping[str, int] = field(default_factory=dict)
    routes: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None

    def is_for(self, route: str, target: str = "") -> bool:
        """Say whether a route, and where one is named its target, is to hear of it."""
        if self.routes is not None and route not in self.routes:
            return False
        return self.targets is None or not target or target in self.targets
