"""What follows an attempt. Pure: no clock, no topic, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable


@dataclass(frozen=True, slots=True)
class Proceed:
    """WSO2 has it: wait for the target's word, where one is required."""


@dataclass(frozen=True, slots=True)
class Again:
    """Send again at `due`, in UTC seconds; the attempt counted."""

    due: float
    why: str
    code: str = ""
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """Send again as soon as WSO2 is there; it was not an attempt."""

    why: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The delivery is dead."""

    why: str
    code: str = ""
    answer: str = ""
    http_status: int | None = None


Next = Proceed | Again | Resume | GiveUp


def next_step(outcome: Outcome, attempt: int, ladder: tuple[float, ...], now: float) -> Next:
    """Decide what follows an attempt.

    `attempt` counts from 1; `ladder` holds the pauses in seconds before the 2nd, 3rd ...
    attempt; `now` is UTC in seconds.
    """
    match outcome:
        case Accepted():
            return Proceed()
        case Unavailable(why=why, counted=False):
            return Resume(why)
        case Unauthorised(why=why):
            return Resume(why)
        case Unavailable():
            step = after_failure(attempt, ladder, now, outcome.retry_after)
            status = outcome.http_status
            if step is None:
                return GiveUp(spent(outcome.why, attempt), _code(status), "", status)
            return Again(step, outcome.why, _code(status), status)
        case Refused(why=why, code=code, answer=answer, http_status=status):
            return GiveUp(why, code, answer, status)
        case _:
            assert_never(outcome)


def after_failure(
    attempt: int, ladder: tuple[float, ...], now: float, asked: float | None = None
) -> float | None:
    """Return when to send again after a failed attempt; None where all pauses are spent.

    A longer pause that the other side asked for (Retry-After, RFC 9110 section 10.2.3) wins
    over the ladder's.
    """
    rung = attempt - 1
    if rung >= len(ladder):
        return None
    return now + max(ladder[max(rung, 0)], asked or 0.0)


def spent(why: str, attempt: int) -> str:
    """Say that the last attempt failed."""
    times = "1 attempt" if attempt == 1 else f"{attempt} attempts"
    return f"{why}; given up after {times}"


def _code(status: int | None) -> str:
    return "" if status is None else f"HTTP_{status}"
