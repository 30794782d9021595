"""Both sides wrote a record before either heard of the other: who stands here.

The rule is `schemas.conflict`; this says what it needs to know of the record in Odoo.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from schemas.conflict import prevails
from streams.applying.incoming import Incoming
from streams.applying.present import Comparing, Present
from streams.applying.wanted import Wanted

logger = logging.getLogger(__name__)


def own_write(present: Present, user: int) -> str | None:
    """Return when somebody other than the sync wrote a record last, None where nobody has."""
    writer = present.values.get("write_uid")
    return None if writer == user else present.values.get("write_date") or None


def is_written(
    delivery: Incoming,
    present: Present,
    before: Wanted | None,
    comparing: Comparing,
    *,
    user: int,
    system: str,
) -> bool:
    """Say whether a delivery is written, and log what was decided where both sides wrote.

    `before` is what `data.conflict.previous` wants, None where it is not known or refers to what
    is not here. `user` is that of the sync.
    """
    conflict: Mapping[str, Any] | None = delivery.data.get("conflict")
    written = own_write(present, user)
    if conflict is None or written is None:
        return True
    if before is not None and not comparing.differing(present, before):
        return True  # the sender knew of all that was written here
    won = prevails(conflict, sender=delivery.source, receiver=system, own_write=written)
    logger.info(
        "%s was written on both sides: %s stands",
        delivery.key,
        "theirs" if won else "ours",
        extra={
            "action": "conflict",
            "id": delivery.id,
            "stands": "theirs" if won else "ours",
            "theirs": {"written": conflict.get("written"), "fields": dict(delivery.fields)},
            "ours": {"written": written, "fields": _shown(present)},
        },
    )
    return won


def _shown(present: Present) -> dict[str, Any]:
    lines = {
        name: [_shown(each) for each in inside.values()] for name, inside in present.lines.items()
    }
    return {name: each for name, each in present.values.items() if name != "id"} | lines
