"""What became of one attempt to hand a delivery to WSO2.

An outcome is a value, never an exception: failing is ordinary here, and each kind has its own
way on (`retry`). CONTRACT.md section 3 says which answer means what.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

_KEPT: Final = 2000  # characters of an answer that are kept
_REFUSALS: Final = frozenset({400, 413, 415, 422})
_UNAUTHORISED: Final = frozenset({401, 403})
_ACCEPTED: Final = 202
_BUSY: Final = 503
_LONGEST: Final = 7 * 86400.0  # seconds of a pause that are granted; far dates cannot be written


@dataclass(frozen=True, slots=True)
class Accepted:
    """WSO2 has it: status 202 and our own id in the body."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Not this time; trying again may help.

    `retry_after` is the pause in seconds that the server asked for. `counted` is false where
    there was no connection at all: WSO2 is away, and the delivery was not tried. `remedy` is the
    operator's next step, where one is known.
    """

    why: str
    retry_after: float | None = None
    counted: bool = True
    http_status: int | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """WSO2 will never take it: the delivery is dead, with the answer kept."""

    why: str
    code: str = ""
    answer: str = ""
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """WSO2 does not know us: nothing can be sent until somebody mends that."""

    why: str
    http_status: int | None = None


Outcome = Accepted | Unavailable | Refused | Unauthorised


def of_answer(
    status: int, body: bytes, *, delivery_id: str, now: float, retry_after: str = ""
) -> Outcome:
    """Read an HTTP answer as CONTRACT.md section 3 says.

    `retry_after` is the header's text, "" where there is none; `now` is UTC in seconds, needed
    where that text is a date.
    """
    if status == _ACCEPTED and _names(body, delivery_id):
        return Accepted()
    if status in _UNAUTHORISED:
        return Unauthorised(f"WSO2 answered {status}", http_status=status)
    answer = body[: 4 * _KEPT].decode(errors="replace")[:_KEPT]
    if status in _REFUSALS:
        return Refused(f"WSO2 answered {status}", f"HTTP_{status}", answer, status)
    why = f"WSO2 answered {status}" + (" without the delivery's id" if status < 300 else "")  # noqa: PLR2004  every 2xx
    return Unavailable(why, seconds_until(retry_after, now), http_status=status)


def may_be_taken(outcome: Outcome) -> bool:
    """Say whether WSO2 may have the delivery although its answer does not say so.

    It may where the answer was lost, and where it came of a flow that had begun: of that kind is
    no 3xx, no 4xx and no 503.
    """
    if not isinstance(outcome, Unavailable) or not outcome.counted:
        return False
    status = outcome.http_status
    return status is None or status < 300 or (status >= 500 and status != _BUSY)  # noqa: PLR2004  classes of answers


def seconds_until(text: str, now: float) -> float | None:
    """Read a Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date.

    Returns seconds from `now`, 0 to 7 days; None for an empty or unreadable text, which then
    asks for nothing.
    """
    text = text.strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            date = parsedate_to_datetime(text)
            aware = date if date.tzinfo else date.replace(tzinfo=UTC)
            seconds = max(0.0, aware.timestamp() - now)
        except (ValueError, OverflowError):  # the latter for numbers that no date can hold
            return None
    return min(seconds, _LONGEST) if 0 <= seconds < float("inf") else None


def _names(body: bytes, delivery_id: str) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):  # the latter where it is nested too deeply
        return False
    return isinstance(answer, dict) and answer.get("id") == delivery_id
