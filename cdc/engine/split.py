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
_INSERT: Final = ord("I")
_DELETE: Final = ord("D")
_NEW: Final = ord("N")
_WHOLE: Final = ord("O")
_OLD: Final = frozenset(b"KO")  # the key as it was, or the whole row (REPLICA IDENTITY FULL)
_TUPLE_AT: Final = 6
_MOST: Final = 2**63 - 1
_LONGEST: Final = 20  # characters of a number of 64 bits
_EMPTY: Final = frozenset(b"nu")  # kinds without a text

Cells = list[bytes]
Slots = tuple[int, ...]


class Columns(Protocol):
    """How a relation's tuples are read."""

    @property
    def slots(self) -> Slots:
        """For each column, up to the last one selected, which cell it becomes, or SKIP."""

    @property
    def blank(self) -> Cells:
        """The cells of a row, where no column says more."""

    @property
    def columns(self) -> int:
        """How many columns the relation announced."""


def rows_of(data: bytes, at: int, reader: Columns) -> tuple[Cells | None, Cells | None]:
    """Return the row before and after, as far as the message at `at` has them.

    I: N row    U: N row, or K or O row, then N row    D: K or O row; nothing follows.
    Raises MalformedMessage.
    """
    kind, what = data[at], _byte(data, at + 5)
    at += _TUPLE_AT
    old: Cells | None = None
    new: Cells | None = None
    whole = what == _WHOLE
    if kind != _INSERT and what in _OLD:
        old, at = _split(data, at, reader)
        if kind != _DELETE:
            what, at = _byte(data, at), at + 1
    if kind != _DELETE and what == _NEW:
        new, at = _split(data, at, reader)
        if whole and old is not None and UNCHANGED in new:
            new = [was if cell == UNCHANGED else cell for was, cell in zip(old, new, strict=True)]
    elif kind != _DELETE or old is None:
        raise MalformedMessage("a row message without its row")
    if at != len(data):
        raise MalformedMessage("a row message is longer than it says")
    return old, new


def _byte(data: bytes, at: int) -> int:
    return data[at] if at < len(data) else 0


def number(cell: bytes) -> int:
    """Return the number in the cell of a key. Raises MalformedMessage."""
    text = cell[5:]
    # int() alone would take spaces and underscores too.
    if (
        not text.removeprefix(b"-").isdigit()
        or len(text) > _LONGEST
        or (found := int(text)) > _MOST
    ):
        raise MalformedMessage("a row whose key is not a number")
    return found


def _split(data: bytes, at: int, reader: Columns) -> tuple[Cells, int]:
    """Return the selected cells of the tuple at `at`, and its end. Raises MalformedMessage."""
    cells = reader.blank.copy()
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
                raise _odd(kind)
            if slot >= 0:
                cells[slot] = data[at:end]
            at = end
        at = _behind(data, at, reader.columns - len(reader.slots))
    except (IndexError, error):
        at = len(data) + 1
    if at > len(data):
        raise MalformedMessage("the tuple ends before its columns do")
    return cells, at


def _behind(data: bytes, at: int, columns: int) -> int:
    """Return where so many columns end."""
    for _ in range(columns):
        kind = data[at]
        if kind == _T:
            at += 5 + _length(data, at + 1)[0]
        elif kind in _EMPTY:
            at += 1
        else:
            raise _odd(kind)
    return at


def _odd(kind: int) -> MalformedMessage:
    return MalformedMessage(f"a column of kind {kind:#04x} in a tuple")


def cells_of_values(values: Sequence[bytes | None]) -> Cells:
    """Return the values of a row that was read, as the cells that pgoutput would send."""
    return [NULL if v is None else b"t" + len(v).to_bytes(4, "big") + v for v in values]
