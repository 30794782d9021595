"""What becomes of a delivery: CONTRACT.md section 6."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

MISSING: Final = "MISSING_RELATION"  # what it refers to is not here yet
CONFLICT: Final = "CONFLICT"  # somebody else wrote at the same moment
AWAY: Final = "ODOO_AWAY"
UNCLEAR: Final = "OUTCOME_UNKNOWN"  # Odoo was asked to write, and did not answer
LOGIN: Final = "LOGIN_REFUSED"
BUSY: Final = "BUSY"
STOPPING: Final = "STOPPING"
NOT_REMEMBERED: Final = "NOT_REMEMBERED"  # what is applied cannot be written down
UNEXPECTED: Final = "UNEXPECTED"  # a fault of ours

STALE: Final = "it, or a newer one of its record and route, was applied before"  # a note

NOT_OURS: Final = "NOT_A_DELIVERY"
NOT_ALLOWED: Final = "NOT_ALLOWED"  # a model or a field that target.yaml does not list
BAD_VALUE: Final = "BAD_VALUE"
AMBIGUOUS: Final = "AMBIGUOUS"
REFUSED: Final = "ODOO_REFUSED"
NO_ACTION: Final = "NO_ACTION"

_STATUS: Final = {
    MISSING: HTTPStatus.TOO_EARLY,
    BUSY: HTTPStatus.TOO_MANY_REQUESTS,
    NOT_OURS: HTTPStatus.BAD_REQUEST,
    NOT_ALLOWED: HTTPStatus.FORBIDDEN,
}


@dataclass(frozen=True, slots=True)
class Delivered:
    """Odoo is as the delivery wants it; `target_id` is the record's id there, None without one.

    `note` says what was remarkable, "" for nothing.
    """

    target_id: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """To send it again would change nothing; `message` says why, with the field where one is."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Send it again later: after `after` seconds, None as the sender likes.

    `unclear` says that Odoo may have written some of it all the same. `missing` are external ids:
    once there is a record for one of them, it may go.
    """

    code: str
    message: str
    after: float | None = None
    unclear: bool = False
    missing: frozenset[str] = frozenset()


Answer = Delivered | Rejected | Retry


def status_of(answer: Answer) -> int:
    """Return the HTTP status: 2xx delivered; 408, 425, 429 and 5xx retry; others rejected."""
    match answer:
        case Delivered():
            return HTTPStatus.OK
        case Rejected(code=code):
            return _STATUS.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)
        case Retry(code=code):
            return _STATUS.get(code, HTTPStatus.SERVICE_UNAVAILABLE)


def to_json(delivery: str, answer: Answer) -> dict[str, Any]:
    """Return the body of the answer to a delivery, its id first."""
    match answer:
        case Delivered(target_id, note):
            number = "" if target_id is None else str(target_id)
            said = {"message": note} if note else {}
            return {"id": delivery, "status": "delivered", "target_id": number, **said}
        case Rejected(code, message):
            return {"id": delivery, "status": "rejected", "code": code, "message": message}
        case Retry(code, message):
            return {"id": delivery, "status": "retry", "code": code, "message": message}
