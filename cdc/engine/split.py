"""From a row message of pgoutput to the cells that a plan selects.

A cell is a column as the message carries it (protocol page "Logical Replication Message
Formats", TupleData): `n`, `u`, or `t` with a 4-byte length and the text. Cells are copied,
never parsed, so what is held equals what came; columns that no route selects are stepped over.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct, error
from typing import Final, Protocol

from cdc.pgoutput.decoder import MalformedMessage

NULL: Final = b"n"
UNCHANGED: Final = b"u"  # a TOAST value that the update left alone
SKIP: Final = -1

_length = Struct(">I").unpack_from
_count = Struct(">H").unpack_from
_T: Final = ord("t")
_EMPTY: Final = frozenset(b"nu")  # kinds without a text

Cells = list[bytes]
Slots = tuple[int, ...]


class Columns(Protocol):
    """How a relation's tuples are read."""

    @property
    def slots(self) -> Slots:
        """For each column, up to the last one selected, which cell it becomes, or SKIP."""

    @property
    def size(self) -> int:
        """How many cells there are."""

    @property
    def columns(self) -> int:
        """How many columns the relation announced."""


def split(data: bytes, at: int, reader: Columns) -> Cells:
    """Return the selected cells of the tuple at `at`. Raises MalformedMessage."""
    cells: Cells = [NULL] * reader.size
    try:
        if _count(data, at)[0] != reader.columns:
            raise MalformedMessage("the tuple's columns are not those of its relation")
        at += 2
        for slot in reader.slots:
            kind = data[at]
            if kind == _T:
                end = at + 5 + _length(data, at + 1)[0]
            elif kind in _EMPTY:
                end = at + 1
            else:
                raise MalformedMessage(f"a column of kind {kind:#04x} in a tuple")
            if slot >= 0:
                cells[slot] = data[at:end]
            at = end
    except (IndexError, error):
        at = len(data) + 1
    if at > len(data):
        raise MalformedMessage("the tuple ends before its columns do")
    return cells


def skip(data: bytes, at: int) -> int:
    """Return the end of the tuple at `at`. Raises MalformedMessage."""
    try:
        (columns,) = _count(data, at)
        at += 2
        for _ in range(columns):
            at += 5 + _length(data, at + 1)[0] if data[at] == _T else 1
    except (IndexError, error):
        at = len(data) + 1
    if at > len(data):
        raise MalformedMessage("the tuple ends before its columns do")
    return at


def cells_of_values(values: Sequence[bytes | None]) -> Cells:
    """Return the values of a row that was read, as the cells that pgoutput would send."""
    return [NULL if v is None else b"t" + len(v).to_bytes(4, "big") + v for v in values]
