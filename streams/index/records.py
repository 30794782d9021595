"""What the records of each topic say of a delivery. Pure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from schemas import acknowledgement
from schemas.acknowledgement import Acknowledgement, MalformedAcknowledgement
from streams.chains.dead_letter import Letter
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.index.merged import Merged, named_there
from streams.index.row import Row


class Kind(StrEnum):
    """The topics that the file is made from."""

    LEDGER = "ledger"
    RETRIES = "retries"
    DEAD = "dead"
    RESPONSES = "responses"


class Read(NamedTuple):
    """One record of a topic; `written` is Kafka's time of it, UTC seconds."""

    offset: int
    written: float
    key: bytes
    value: bytes | None


Told = tuple[str, Callable[[Merged], None]]


def said(word: Acknowledgement) -> str:
    """Say a word of a target, for people."""
    attempt = f"of attempt {word.attempt}" if word.attempt is not None else ""
    parts = (word.status, attempt, word.code, word.message, named_there(word.target_id))
    return ", ".join(part for part in parts if part)


def told(kind: Kind, record: Read) -> Told | None:
    """Return the delivery that a record is about, and what it changes of what is known.

    None where nobody can read it: whoever works on it has reported it.
    """
    name = record.key.decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):  # see above
        match kind, record.value:
            case Kind.RETRIES, None:
                return name, lambda merged: merged.goes(None)
            case Kind.RETRIES, bytes(value):
                away = Row.of_item(Item.from_json(value))
                return name, lambda merged: merged.goes(away)
            case Kind.LEDGER, None:
                return name, Merged.forgotten
            case Kind.LEDGER, bytes(value):
                entry = Entry.from_json(value)
                return name, lambda merged: merged.said(entry, record.offset, record.written)
            case Kind.DEAD, bytes(value):
                last = Letter.from_json(value).entry
                return last.id, lambda merged: merged.buried(last, record.offset)
            case _:
                pass  # words are on deliveries, see `words_in`; a letter has no tombstone
    return None


def words_in(record: Read) -> list[Acknowledgement]:
    try:
        return list(acknowledgement.read(record.value or b""))
    except MalformedAcknowledgement:  # workers have reported it
        return []
