"""A look at a shadow that capture may have open: its notes and its size, nothing locked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import lmdb

from cdc.shadow.folder import FILE, has_shadow
from cdc.shadow.length import cut_short

META: Final = b"meta"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a shadow says of itself; `size` in bytes."""

    notes: dict[str, Any]
    size: int


def look(folder: Path) -> Seen | None:
    """Return what the shadow says, None where there is none that can be read."""
    if not has_shadow(folder) or cut_short(folder / FILE):
        return None
    try:
        with lmdb.open(
            str(folder), readonly=True, create=False, max_dbs=1, readahead=False
        ) as shadow:
            return _seen(shadow)
    except lmdb.Error:
        return None


def _seen(shadow: lmdb.Environment) -> Seen:
    meta = shadow.open_db(META, create=False)
    with shadow.begin(db=meta) as txn, txn.cursor() as cursor:
        notes = {bytes(key).decode(): json.loads(bytes(value)) for key, value in cursor}
    size = (int(shadow.info()["last_pgno"]) + 1) * int(shadow.stat()["psize"])
    return Seen(notes, size)
