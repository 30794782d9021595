"""What a target does with deliveries. Pure: no network, no clock.

A delivery is named `CHAIN/ROUTE/SEQUENCE`; of one chain and route the newest sequence wins. One
that comes again is a duplicate. One that comes for the first time after a newer one is out of
order: it changes nothing, and must not happen.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

GONE: Final = frozenset({"leave", "delete"})
REMEMBERED: Final = 64
"""Ids of each chain and route that are told from new ones."""


class NotADelivery(Exception):
    """The body is no message of ours."""


class Word(StrEnum):
    """What became of a delivery."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"


class Message(NamedTuple):
    """What the shop reads of a delivery; `time` is when it was committed, in Unix seconds."""

    id: str
    route: str
    key: str
    operation: str
    mode: str
    time: float
    fields: dict[str, Any]

    @classmethod
    def parse(cls, body: bytes) -> Message:
        """Read a CloudEvent; raise NotADelivery."""
        try:
            event = json.loads(body)
            data = event["data"]
            read = cls(
                event["id"],
                data["routing"]["route"],
                data["record"]["key"],
                data["record"]["operation"],
                data["routing"]["mode"],
                datetime.fromisoformat(event["time"]).timestamp(),
                data["fields"],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise NotADelivery(f"{type(error).__name__}: {error}") from error
        if not read.id.rpartition("/")[0]:
            raise NotADelivery(f"{read.id!r} is no delivery's id")
        return read


@dataclass(slots=True)
class _Line:
    """One chain and route."""

    newest: str = ""
    known: deque[str] = field(default_factory=lambda: deque(maxlen=REMEMBERED))


@dataclass(slots=True)
class Shop:
    """The records that it holds, by route and key, and what came."""

    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    counts: dict[Word, int] = field(default_factory=lambda: dict.fromkeys(Word, 0))
    _lines: dict[str, _Line] = field(default_factory=dict)

    def take(self, message: Message) -> Word:
        """Apply a delivery, unless it came before or is older than one that did."""
        prefix, _, sequence = message.id.rpartition("/")
        line = self._lines.setdefault(prefix, _Line())
        word = _judge(line, sequence)
        self.counts[word] += 1
        if word is Word.DUPLICATE:
            return word
        line.known.append(sequence)
        if word is Word.APPLIED:
            line.newest = sequence
            self._apply(message)
        return word

    def _apply(self, message: Message) -> None:
        held = self.records.setdefault(message.route, {})
        if message.operation in GONE:
            held.pop(message.key, None)
        else:
            held[message.key] = message.fields


def _judge(line: _Line, sequence: str) -> Word:
    if sequence in line.known:
        return Word.DUPLICATE
    return Word.APPLIED if sequence > line.newest else Word.OUT_OF_ORDER
