"""The limit that the file sets to the WAL of the slot, against Postgres' own. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cdc.wal import STOP
from schemas.finding import Finding

_SMALL: Final = 1 << 30  # bytes that a busy source may hold with nothing wrong
_MEGABYTE: Final = 1 << 20


def findings(stop_at: int, keep: int | None) -> Iterator[Finding]:
    """Say where the limit of the file does no good; `keep` is Postgres' own, None: none."""
    if stop_at and keep is not None and stop_at >= keep:
        yield Finding(
            "warning",
            STOP,
            None,
            f"Postgres itself drops the slot at {keep // _MEGABYTE} MiB (max_slot_wal_keep_size):"
            f" {STOP} is never reached",
            "write less than that, or leave it out",
        )
    if 0 < stop_at < _SMALL:
        yield Finding(
            "warning",
            STOP,
            None,
            f"{stop_at // _MEGABYTE} MiB are soon held: by one large transaction, or while capture"
            " is restarted; the slot is dropped then, and everything has to be read again",
            "write 1GB or more: what the disk of Postgres can spare",
        )
