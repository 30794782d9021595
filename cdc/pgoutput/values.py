"""Postgres' clock as text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from cdc.pgoutput.decoder import MalformedMessage

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
EPOCH_SECONDS: Final = int(_EPOCH.timestamp())  # of Postgres, in Unix time
MICROSECONDS: Final = 1_000_000


def iso_time(microseconds: int) -> str:
    """Return `2026-11-23T10:00:00.123456Z` for microseconds since 2000-01-01, always 6 digits.

    Raises MalformedMessage for times outside the years 1 to 9999.
    """
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return f"{_whole_second(seconds)}.{rest:06d}Z"


@lru_cache(maxsize=64)
def _whole_second(seconds: int) -> str:
    """Transactions come in the order of their commits, many in each second."""
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise MalformedMessage("a commit time outside the years 1 to 9999") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)


def unix_seconds(microseconds: int) -> float:
    """Return Unix time for microseconds since 2000-01-01."""
    return EPOCH_SECONDS + microseconds / MICROSECONDS


def microseconds_of(unix: float) -> int:
    """Return microseconds since 2000-01-01 for Unix time."""
    return round((unix - EPOCH_SECONDS) * MICROSECONDS)
