"""What the records of each topic say of a delivery. Pure."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import NamedTuple

from schemas import acknowledgement
from schemas.acknowledgement import Acknowledgement, MalformedAcknowledgement
from streams.chains.dead_letter import Letter
from streams.chains.item import Item
from streams.chains.ledger import Entry
from streams.index.merged import Merged
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


def said(word: Acknowledgement) -> str:
    """Say a word of a target, for people."""
    attempt = f"of attempt {word.attempt}" if word.attempt is not None else ""
    target = f"its id is {word.target_id}" if word.target_id else ""
    parts = (word.status, attempt, word.code, word.message, target)
    return ", ".join(part for part in parts if part)


def name_of(kind: Kind, record: Read) -> str | None:
    """Return the delivery that a record is about; None where nobody can read it."""
    if kind is not Kind.DEAD:
        return record.key.decode(errors="replace")
    letter = _letter(record.value)
    return None if letter is None else letter.entry.id


def apply(merged: Merged, kind: Kind, record: Read) -> None:
    value = record.value
    with suppress(ValueError, KeyError, TypeError):  # whoever works on it has reported it
        match kind:
            case Kind.RETRIES:
                merged.on_its_way = Row.of_item(Item.from_json(value)) if value else None
            case Kind.LEDGER if value is None:
                merged.forgotten()
            case Kind.LEDGER if value is not None:
                merged.said(Entry.from_json(value), record.offset, record.written)
            case _:
                letter = _letter(value)
                if letter is not None:
                    merged.dead, merged.letter = Row.of_entry(letter.entry), record.offset


def _letter(value: bytes | None) -> Letter | None:
    with suppress(ValueError, KeyError, TypeError):  # likewise
        return Letter.from_json(value) if value else None
    return None


def words_in(record: Read) -> list[Acknowledgement]:
    try:
        return list(acknowledgement.read(record.value or b""))
    except MalformedAcknowledgement:  # workers have reported it
        return []
