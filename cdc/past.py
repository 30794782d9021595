"""Whether the database has what was last published of it, before the stream is followed.

A server that was restored from before that has the same identity, timeline and slot. Once its WAL
has grown beyond the shadow's place, what it has instead would be skipped, and nobody would say so.
But its slot was restored too, and stands where the two histories were still one: from there on the
stream tells what is in them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Protocol

from cdc.notes import PROGRESS
from cdc.origin import ForeignShadow
from cdc.pgoutput.values import EPOCH_SECONDS
from cdc.postgres.slot import SlotState
from cdc.shadow.store import Shadow
from cdc.watermark import NONE_HANDLED, Handled
from schemas.position import format_lsn

_MICROSECONDS: Final = 1_000_000


class Past(Protocol):
    """The stream from where the slot stands."""

    def last_commit(self, before: int) -> Handled | None:
        """Return the last transaction that it has whose commit stands before an LSN."""


def refuse_other_past(past: Past, slot: SlotState, shadow: Shadow) -> None:
    """Raise ForeignShadow where what lies between slot and shadow is not what was handled.

    A slot that stands where the shadow does was told so by capture: nothing is asked then. Nor is
    it of a shadow that does not know what it has handled: an earlier version wrote it.
    """
    note = shadow.recall(PROGRESS) or {}
    lsn, noted, confirmed = note["lsn"], note.get("handled"), slot.confirmed_flush_lsn or 0
    if noted is None or confirmed >= lsn:
        return
    handled = Handled(*noted)
    wanted = handled if handled.lsn >= confirmed else None
    found = past.last_commit(lsn)
    if found != wanted:
        raise ForeignShadow(_said(handled, found, confirmed, lsn))


def _said(handled: Handled, found: Handled | None, confirmed: int, lsn: int) -> str:
    had = "nothing" if handled == NONE_HANDLED else _named(handled)
    has = "nothing" if found is None else _named(found)
    return (
        "the database was restored from before what was last published of it: that is"
        f" {had}, and the database has {has} between {format_lsn(confirmed)}, where the slot"
        f" stands, and {format_lsn(lsn)}"
    )


def _named(one: Handled) -> str:
    moment = datetime.fromtimestamp(EPOCH_SECONDS + one.time / _MICROSECONDS, UTC)
    return f"transaction {one.xid} of {moment:%Y-%m-%d %H:%M:%S.%f} UTC at {format_lsn(one.lsn)}"
