"""Two systems change a record before either has heard of the other: which one stands. Pure.

A route's policy goes with its messages as `data.conflict`, and both receivers decide by the same
rule, so that both come to the same record. Whoever receives asks `stands` before it writes.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_SECONDS: Final = len("2026-11-23T10:00:00")
Same = Callable[[Any, Any], bool]


@dataclass(frozen=True, slots=True)
class Policy:
    """Who stands: the source `master`; where that is "", what was written later."""

    master: str = ""


def told(policy: Policy, written: str, previous: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a message says of it.

    `written` is when the record was written in the sender's database, UTC, and is sent to the
    second, as every receiver can read its own. `previous` are the fields as they were, None
    where nobody knows.
    """
    return {
        "master": policy.master or None,
        "written": f"{_second(written)}Z",
        "previous": None if previous is None else dict(previous),
    }


def stands(
    data: Mapping[str, Any],
    current: Mapping[str, Any],
    *,
    sender: str,
    receiver: str,
    own_write: str | None,
    same: Same = operator.eq,
) -> bool:
    """Say whether a receiver writes what a message's `data` holds.

    `current` are the receiver's own values by the names of `data.fields`; `sender` and
    `receiver` are the two sources. `own_write` is when somebody other than the sync wrote the
    record at the receiver last, UTC, as Odoo or ISO 8601 writes it; None where nobody has. `same`
    compares two values. Without a policy every message stands.
    """
    conflict: Mapping[str, Any] | None = data.get("conflict")
    if conflict is None or own_write is None:
        return True
    previous = conflict["previous"]
    knew = previous is not None and all(
        same(current[name], was) for name, was in previous.items() if name in current
    )
    return knew or prevails(conflict, sender=sender, receiver=receiver, own_write=own_write)


def prevails(conflict: Mapping[str, Any], *, sender: str, receiver: str, own_write: str) -> bool:
    """Say whether a message stands that began with something else than what is here.

    `conflict` is `data.conflict`; the others are as `stands` takes them.
    """
    master = conflict["master"]
    if master is not None:
        return bool(master != receiver)
    # The name decides what time does not: both sides must come to the same.
    return (_second(conflict["written"]), sender) > (_second(own_write), receiver)


def _second(moment: str) -> str:
    return moment[:_SECONDS].replace(" ", "T")
