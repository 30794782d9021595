"""The target's (or WSO2's) word on a delivery; CONTRACT.md section 4.

Read in the way of a server that knows many clients: letter case, numbers as text, a missing or
null field, a list or a single object. What cannot be read is refused whole.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from schemas.errors import OdooCdcError
from schemas.masking import hide

MOST: Final = 1000  # acknowledgements in one body
LONGEST: Final = 2000  # characters that are kept of a text
DIGITS: Final = 9  # of a number

Status = Literal["delivered", "rejected", "retry"]
STATUSES: Final[tuple[Status, ...]] = ("delivered", "rejected", "retry")


class MalformedAcknowledgement(OdooCdcError):
    """That is no acknowledgement."""

    hint = (
        'Send {"id": "...", "status": "delivered"} (or rejected, or retry), or a list of up to'
        f" {MOST} such objects; `id` is the delivery's."
    )


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One word; "" and None stand for what was not said.

    `attempt` counts from 1. `retry_after` is the text of a Retry-After header: seconds or an
    HTTP date. `target_id` is what the target calls the record.
    """

    id: str
    status: Status
    target: str = ""
    attempt: int | None = None
    http_status: int | None = None
    code: str = ""
    message: str = ""
    target_id: str = ""
    retry_after: str = ""


def read(body: bytes) -> list[Acknowledgement]:
    """Read one object or a list; MalformedAcknowledgement where any part cannot be read."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedAcknowledgement(f"the body is not JSON: {error}") from error
    said = value if isinstance(value, list) else [value]
    if len(said) > MOST:
        raise MalformedAcknowledgement(f"{len(said)} acknowledgements, more than {MOST}")
    if not isinstance(value, list):
        return [_one(value, "")]
    return [_one(each, f"[{index}]: ") for index, each in enumerate(said)]


def to_json(word: Acknowledgement) -> bytes:
    """Write the value of a record in `responses`; `read` gives the same back."""
    return json.dumps(asdict(word), ensure_ascii=False, separators=(",", ":")).encode()


def _one(value: object, where: str) -> Acknowledgement:
    if not isinstance(value, dict):
        raise MalformedAcknowledgement(f"{where}an object is needed, not {_kind(value)}")
    try:
        return Acknowledgement(
            id=_id(value),
            status=_status(value),
            target=_text(value, "target"),
            attempt=_number(value, "attempt"),
            http_status=_number(value, "http_status"),
            code=_text(value, "code"),
            message=_text(value, "message"),
            target_id=_text(value, "target_id"),
            retry_after=_text(value, "retry_after"),
        )
    except ValueError as error:
        raise MalformedAcknowledgement(f"{where}{error}") from error


def _id(value: dict[str, Any]) -> str:
    text = value.get("id")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`id` is missing")
    return _sound(text.strip())


def _status(value: dict[str, Any]) -> Status:
    said = value.get("status")
    status = said.strip().lower() if isinstance(said, str) else None
    if status not in STATUSES:
        raise ValueError(f"`status` is one of {', '.join(STATUSES)}")
    return status


def _text(value: dict[str, Any], name: str) -> str:
    said = value.get(name)
    match said:
        case None:
            return ""
        case str():
            return _sound(hide(said))  # a target may repeat what it was sent
        case bool() | list() | dict():
            raise ValueError(f"`{name}` is a text, not {_kind(said)}")
        case _:
            return str(said)


def _number(value: dict[str, Any], name: str) -> int | None:
    """Read a whole number, also where it is written as text; None where there is none."""
    said = value.get(name)
    if said is None or said == "":
        return None
    text = str(said).strip()
    plain = isinstance(said, (int, str)) and not isinstance(said, bool)
    if not plain or not text.isascii() or not text.isdigit() or len(text) > DIGITS:
        raise ValueError(f"`{name}` is a whole number")
    return int(text)


def _sound(text: str) -> str:
    """Return a text that can be written as UTF-8, cut to what is kept."""
    return text[:LONGEST].encode(errors="replace").decode()


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case str():
            return "a text"
        case _:
            return "a number"
