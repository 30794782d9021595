"""A draft with what Odoo answered becomes the message that goes out, or what stands against it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from schemas import message
from schemas.delivery import Delivery
from schemas.mapping import UnsendableValue, leave_out
from streams.filling.places import name_of, put
from streams.filling.reads import Answers, Faulty
from streams.filling.values import has_moved_on, value_of

MOVED_ON: Final = "moved_on"
UNREAD: Final = "unread"
_AFTER: Final = "changed"  # where it stands in the record
_LONGEST_INT: Final = 18  # digits that every integer has room for


@dataclass(frozen=True, slots=True)
class Filled:
    """The delivery as it goes out, and the names of what was left out."""

    delivery: Delivery
    moved_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoilt:
    """It can never go out: a value or the size forbids it."""

    why: str
    code: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """Odoo does not give a value of this one; it may, another time."""

    why: str


def fill(draft: Delivery, answers: Answers, *, number: bool = False) -> Filled | Spoilt | Withheld:
    """Return what becomes of a draft; `number` writes monetary values as JSON numbers.

    What was written after the event is left out of the fields, and so is what is gone: a newer
    event says how it stands then. Targets apply fields whole, so null would wipe it there.
    """
    body = _read(draft.body)
    data = body["data"]
    moved_on: list[str] = []
    for want in draft.wants:
        found = answers.of(want)
        if isinstance(found, Faulty):
            return Withheld(
                f"Odoo does not give {want.model}.{want.field} of {want.id}: {found.why}"
            )
        name = name_of(want.place)
        if found is None or has_moved_on(want.write_date, found.get("write_date")):
            leave_out(data["fields"], want.place)
            moved_on.append(name)
            continue
        try:
            value = value_of(want.kind, found.get(want.field), name, number=number)
        except UnsendableValue as error:
            return Spoilt(f"{error} {error.hint}", message.UNSENDABLE)
        put(data["fields"], want.place, value)
    if moved_on:
        data["record"] = _with(data["record"], MOVED_ON, moved_on)
    written = message.encode(body).encode()
    if len(written) > message.MAX_BODY:
        why = message.too_large(len(written), draft.model, draft.record_id)
        return Spoilt(why, message.TOO_LARGE)
    return Filled(replace(draft, body=written, wants=()), tuple(moved_on))


def unread(draft: Delivery) -> bytes:
    """Return a draft's message without what it wants of Odoo; `unread` in the record names it."""
    body = _read(draft.body)
    data = body["data"]
    for want in draft.wants:
        leave_out(data["fields"], want.place)
    names = [name_of(want.place) for want in draft.wants]
    data["record"] = _with(data["record"], UNREAD, names)
    return message.encode(body).encode()


def _with(record: dict[str, Any], what: str, names: list[str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in record.items():
        made[name] = value
        if name == _AFTER:
            made[what] = names
    return made


def _read(body: bytes) -> Any:
    """Read a message such that it is written as it was: numbers keep their digits."""
    return json.loads(body, parse_float=_float, parse_int=_int)


def _float(text: str) -> float | Decimal:
    return float(text) if "e" in text or "E" in text else Decimal(text)


def _int(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_INT else Decimal(text)
