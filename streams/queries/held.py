"""What is held back, and by whom: windows by the clock, the rest as the workers say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.config import Window
from streams.chains.ledger import iso
from streams.chains.pause import Pause
from streams.sending.holds import Hold
from streams.sending.pauses import hold_of
from streams.sending.windows import Windows

_ALL = "all targets"


def held(
    windows: Mapping[str, Window],
    said: Mapping[str, Sequence[Hold]],
    now: float,
    pauses: Iterable[Pause] = (),
) -> list[dict[str, Any]]:
    """Return a row per thing that is held back and reason, as `status` shows it.

    `windows` by target, `said` by worker, `pauses` of operators. Each worker learns by itself
    that a target fails: the row names who has, since when the first of them.
    """
    told = [*Windows(windows, lambda: now).standing(), *map(hold_of, pauses)]
    rows = {_key(hold): _row(hold, []) for hold in told}
    for worker, holds in sorted(said.items()):
        for hold in holds:
            row = rows.setdefault(_key(hold), _row(hold, []))
            row["workers"].append(worker)
            row["since"] = min(filter(None, (row["since"], _time(hold.since))), default=None)
    return [rows[key] for key in sorted(rows)]


def _key(hold: Hold) -> tuple[str, str]:
    return hold.what, hold.reason.value


def _row(hold: Hold, workers: list[str]) -> dict[str, Any]:
    return {
        "what": hold.what or _ALL,
        "reason": hold.reason.value,
        "since": _time(hold.since),
        "until": _time(hold.until),
        "workers": workers,
        "why": hold.why,
    }


def _time(at: float | None) -> str | None:
    return None if at is None else iso(at)
