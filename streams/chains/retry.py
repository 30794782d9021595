"""What follows an attempt. Pure: no clock, no topic, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, assert_never

from streams.chains.outcome import Accepted, Outcome, Refused, Unauthorised, Unavailable

_SPREAD: Final = 0.1  # of a pause
_MOST_SPREAD: Final = 30.0  # seconds


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
    """Send again as soon as it may go; it was not an attempt.

    Not before `due`, in UTC seconds, where the other side asked for a pause.
    """

    why: str
    due: float | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The delivery is dead."""

    why: str
    code: str = ""
    answer: str = ""
    http_status: int | None = None


Next = Proceed | Again | Resume | GiveUp


def next_step(
    outcome: Outcome, attempt: int, ladder: tuple[float, ...], now: float, chance: float = 0.0
) -> Next:
    """Decide what follows an attempt.

    `attempt` counts from 1; `ladder` holds the pauses in seconds before the 2nd, 3rd ...
    attempt; `now` is UTC in seconds; `chance`, from 0 to below 1, spreads what failed together.
    """
    match outcome:
        case Accepted():
            return Proceed()
        case Unavailable(why=why, counted=False, retry_after=asked):
            return Resume(why, None if asked is None else now + asked)
        case Unauthorised(why=why):
            return Resume(why)
        case Unavailable():
            pause = pause_after(attempt, ladder, outcome.retry_after, chance)
            status = outcome.http_status
            if pause is None:
                return GiveUp(spent(outcome.why, attempt), _code(status), "", status)
            return Again(now + pause, outcome.why, _code(status), status)
        case Refused(why=why, code=code, answer=answer, http_status=status):
            return GiveUp(why, code, answer, status)
        case _:
            assert_never(outcome)


def pause_after(
    attempt: int, ladder: tuple[float, ...], asked: float | None = None, chance: float = 0.0
) -> float | None:
    """Return the seconds to wait after a failed attempt; None where all pauses are spent.

    A longer pause that the other side asked for (Retry-After, RFC 9110 section 10.2.3) wins
    over the ladder's. What failed together does not come back together: `chance` makes a pause
    longer, by a tenth at most and by no more than 30 seconds, never shorter.
    """
    rung = attempt - 1
    if rung >= len(ladder):
        return None
    pause = max(ladder[max(rung, 0)], asked or 0.0)
    return pause + chance * min(pause * _SPREAD, _MOST_SPREAD)


def spent(why: str, attempt: int) -> str:
    """Say that the last attempt failed."""
    times = "1 attempt" if attempt == 1 else f"{attempt} attempts"
    return f"{why}; given up after {times}"


def _code(status: int | None) -> str:
    return "" if status is None else f"HTTP_{status}"
