"""From a row message of pgoutput to the cells that a plan selects.

A cell is a column as the message carries it (protocol page "Logical Replication Message
Formats", TupleData): `n`, `u`, or `t` with a 4-byte length and the text. Cells are copied,
never parsed, so what is held equals what came; columns that no route selects are stepped over.
"""

from __future__ import annotations

from struct import Struct, error
from typing import Final

from cdc.pgoutput.decoder import MalformedMessage

NULL: Final = b"n"
UNCHANGED: Final = b"u"  # a TOAST value that the update left alone
SKIP: Final = -1

_length = Struct(">I").unpack_from
_count = Struct(">H").unpack_from
_N, _T, _U = b"ntu"
_OLD_KEY, _OLD_ROW, _NEW = b"KON"

Cells = list[bytes]
Slots = tuple[int, ...]


def split(data: bytes, at: int, slots: Slots, size: int, columns: int) -> tuple[Cells, int]:
    """Return the `size` selected cells of the tuple at `at`, and where reading ended.

    `slots` says for each column, up to the last one selected, which cell it becomes, or SKIP;
    `columns` is the count that the relation announced. Raises MalformedMessage.
    """
    try:
        if _count(data, at)[0] != columns:
            raise MalformedMessage("the tuple's columns are not those of its relation")
        at += 2
        cells: Cells = [NULL] * size
        for slot in slots:
            kind = data[at]
            if kind == _T:
                end = at + 5 + _length(data, at + 1)[0]
            elif kind in (_N, _U):
                end = at + 1
            else:
                raise MalformedMessage(f"a column of kind {kind:#04x} in a tuple")
            if slot >= 0:
                cells[slot] = data[at:end]
            at = end
    except (IndexError, error):
        raise MalformedMessage("the tuple ends before its columns do") from None
    if at > len(data):
        raise MalformedMessage("the tuple ends before its columns do")
    return cells, at


def skip(data: bytes, at: int) -> int:
    """Return the end of the tuple at `at`. Raises MalformedMessage."""
    columns = int.from_bytes(data[at : at + 2], "big")
    return split(data, at, (SKIP,) * columns, 0, columns)[1]
