"""From a row message of pgoutput to the cells that a plan selects.

A cell is a column as the message carries it (protocol page "Logical Replication Message
Formats", TupleData): `n`, `u`, or `t` with a 4-byte length and the text. Cells are copied,
never parsed, so what is held equals what came; columns that no route selects are stepped over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from struct import Struct, error
from typing import Final

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
_SURELY: Final = 19  # digits that are fewer than those of any number of 64 bits
_LONGEST: Final = 20  # characters of a number of 64 bits
_EMPTY: Final = frozenset(b"nu")  # kinds without a text
_TEXT_AT: Final = 5  # of a text's cell
_OFTEN: Final = 200  # rows of a relation, for which a pattern is worth its 50 ms
_USUAL: Final = 0.9  # of a column's values are alike
_SHORT: Final = 100  # bytes; a text as long or longer matches no pattern

Cells = list[bytes]


class Tuples:
    """How a relation's tuples are read.

    Their columns are walked through one by one or, where there are many tuples, matched by one
    pattern that is made of what the first ones looked like: an Odoo table has up to a hundred
    columns, most of them empty. What does not match, a longer text or what is malformed, is
    walked through.
    """

    def __init__(self, slots: Sequence[int], blank: Cells) -> None:
        """`slots` says of each column which cell of `blank` it becomes, or SKIP."""
        self._columns = len(slots)
        self._slots = tuple(slots)
        self._blank = blank
        self._heads: list[Counter[bytes]] = [Counter() for _ in slots]
        self._seen = 0
        self._pattern: re.Pattern[bytes] | None = None
        chosen = [cell for cell in slots if cell != SKIP]
        absent = [cell for cell in range(len(blank)) if cell not in chosen]
        self._absent = tuple(blank[cell] for cell in absent)
        order = [*chosen, *absent]
        self._places = [order.index(cell) for cell in range(len(blank))]

    def split(self, data: bytes, at: int) -> tuple[Cells, int]:
        """Return the selected cells of the tuple at `at`, and its end. Raises MalformedMessage."""
        try:
            if _count(data, at)[0] != self._columns:
                raise MalformedMessage("the tuple's columns are not those of its relation")
            found = self._pattern.match(data, at + 2) if self._pattern else None
            if found:
                cells = found.groups() + self._absent
                return [cells[place] for place in self._places], found.end()
            return self._walk(data, at + 2)
        except (IndexError, error):
            raise MalformedMessage("the tuple ends before its columns do") from None

    def _walk(self, data: bytes, at: int) -> tuple[Cells, int]:
        cells = self._blank.copy()
        begin = at
        for slot in self._slots:
            kind = data[at]
            if kind == _T:
                end = at + _TEXT_AT + _length(data, at + 1)[0]
            elif kind in _EMPTY:
                end = at + 1
            else:
                raise MalformedMessage(f"a column of kind {kind:#04x} in a tuple")
            if slot >= 0:
                cells[slot] = data[at:end]
            at = end
        if at > len(data):
            raise IndexError
        if self._seen < _OFTEN:
            self._learn(data, begin)
        return cells, at

    def _learn(self, data: bytes, at: int) -> None:
        """Remember how the columns of a tuple begin; make the pattern when it is enough."""
        for heads in self._heads:
            is_text = data[at] == _T
            end = at + (_TEXT_AT if is_text else 1)
            heads[data[at:end]] += 1
            at = end + (_length(data, at + 1)[0] if is_text else 0)
        self._seen += 1
        if self._seen == _OFTEN:
            self._pattern = pattern_of(self._slots, self._heads)


def pattern_of(slots: Sequence[int], heads: Sequence[Counter[bytes]]) -> re.Pattern[bytes]:
    """Return what matches tuples of such columns, their texts short, a group for each cell.

    `heads` says of each column how its values began. Columns that nobody selects and that were
    nearly always alike are matched as they were, or else like all others. A column matches in
    one way only, so that nothing need be tried twice: groups are atomic, repeats possessive.
    """
    sizes = Counter[int]()
    for column in heads:
        sizes.update({head[-1]: n for head, n in column.items() if _is_short(head)})
    ordered = sorted(range(_SHORT), key=lambda size: -sizes[size])
    texts = b"|".join(re.escape(bytes([size])) + b".{%d}" % size for size in ordered)
    cell = rb"[nu]|t\0\0\0(?:%s)" % texts
    usual = [_usual(column) for column in heads]

    def part(kind: tuple[bool, bool], columns: list[int]) -> bytes:
        is_cell, is_usual = kind
        if is_cell:
            return b"(%s)" % cell * len(columns)
        many = b"(?:%s){%d}+" % (cell, len(columns))
        if not is_usual:
            return many
        return b"(?>%s|%s)" % (b"".join(usual[column] for column in columns), many)

    kinds = ((slot != SKIP, bool(like)) for slot, like in zip(slots, usual, strict=True))
    runs = groupby(enumerate(kinds), key=itemgetter(1))
    parts = (part(kind, [column for column, _ in run]) for kind, run in runs)
    return re.compile(b"".join(parts), re.DOTALL)


def _usual(heads: Counter[bytes]) -> bytes:
    """Return a pattern for nearly all values of a column, b"" where they differ."""
    ((head, number),) = heads.most_common(1)
    if number < _USUAL * heads.total() or not (head in {NULL, UNCHANGED} or _is_short(head)):
        return b""
    return head if len(head) == 1 else re.escape(head) + b".{%d}" % head[-1]


def _is_short(head: bytes) -> bool:
    return len(head) == _TEXT_AT and int.from_bytes(head[1:], "big") < _SHORT


def rows_of(data: bytes, at: int, tuples: Tuples) -> tuple[Cells | None, Cells | None]:
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
        old, at = tuples.split(data, at)
        if kind != _DELETE:
            what, at = _byte(data, at), at + 1
    if kind != _DELETE and what == _NEW:
        new, at = tuples.split(data, at)
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
    text = cell[_TEXT_AT:]
    if text.isdigit() and len(text) < _SURELY:
        return int(text)
    # int() alone would take spaces and underscores too.
    if (
        not text.removeprefix(b"-").isdigit()
        or len(text) > _LONGEST
        or (found := int(text)) > _MOST
    ):
        raise MalformedMessage("a row whose key is not a number")
    return found


def cells_of_values(values: Sequence[bytes | None]) -> Cells:
    """Return the values of a row that was read, as the cells that pgoutput would send."""
    return [NULL if v is None else b"t" + len(v).to_bytes(4, "big") + v for v in values]
