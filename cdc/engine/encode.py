"""From held rows to Avro: the bytes that fastavro would write, without the dictionaries.

A plan is compiled from a shape and the layouts of its tables. Values are Avro 1.11 binary:
zig-zag varints, length-prefixed strings, `["null", T]` unions by their branch number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Final, Protocol

from cdc.engine.row import cells_of, compared_at
from schemas.fields import Kind
from schemas.via import ManyToOne

Encode = Callable[[bytes], bytes]
_length = Struct(">I").unpack_from
_double = Struct("<d").pack
_T: Final = 116  # a cell with a text
ABSENT: Final = b"\x00"  # the union's branch 0, the end of an array, false, an empty string
PRESENT: Final = b"\x02"
_SMALL: Final = 16_384  # numbers that are written in advance
_LEAST: Final = -(2**63)
_BOOLEANS: Final = {b"t": b"\x02\x01", b"f": b"\x02\x00"}


def _zigzag(number: int) -> bytes:
    if not _LEAST <= number < -_LEAST:
        raise ValueError(number)
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:  # noqa: PLR2004  seven bits a byte
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_NUMBERS: Final = tuple(map(_zigzag, range(_SMALL)))


def zigzag(number: int) -> bytes:
    """Return an Avro long; ValueError for what has more than 64 bits."""
    return _NUMBERS[number] if 0 <= number < _SMALL else _zigzag(number)


_LENGTHS: Final = tuple(PRESENT + number for number in _NUMBERS)


def text(value: bytes) -> bytes:
    """Return a present string; UnicodeDecodeError, a ValueError, for what is no UTF-8."""
    if not value.isascii():
        value.decode()
    return _present(value)


def _present(value: bytes) -> bytes:
    size = len(value)
    if size < _SMALL:
        return _LENGTHS[size] + value
    return PRESENT + zigzag(size) + value


def plain_text(value: bytes) -> bytes:
    """Return a string that is no union."""
    return zigzag(len(value)) + value


def _integer(value: bytes) -> bytes:
    return PRESENT + zigzag(int(value))


def _boolean(value: bytes) -> bytes:
    if (written := _BOOLEANS.get(value)) is None:
        raise ValueError(value)
    return written


def _float(value: bytes) -> bytes:
    return PRESENT + _double(float(value))


def timestamp(value: bytes) -> bytes:
    """Return a `timestamp without time zone` in ISO 8601, UTC: `2026-11-23T10:00:00.5Z`."""
    return text(value.replace(b" ", b"T", 1) + b"Z")


def _binary(value: bytes) -> bytes:
    if not value.startswith(b"\\x"):  # bytea_output is pinned to hex
        raise ValueError
    return _present(bytes.fromhex(value[2:].decode()))


ENCODERS: Final[dict[Kind, Encode]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.FLOAT: _float,
    Kind.NUMERIC: text,
    Kind.TEXT: text,
    Kind.DATE: text,
    Kind.DATETIME: timestamp,
    Kind.TRANSLATED: text,
    Kind.COMPANY: text,
    Kind.JSON: text,
    Kind.BINARY: _binary,
}


class View(Protocol):
    """The records as of one moment."""

    def row(self, table: int, row: int) -> bytes | None:
        """Return a held row, or None."""

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index has for a value, ascending."""

    def record(self, node: Node, row: int) -> bytes | None:
        """Return `encode(node, row, self)`, perhaps remembered."""


@dataclass(frozen=True, slots=True)
class One:
    """A many2one: the place of its id among the links to follow, and what is shown behind it."""

    link: int
    node: Node


@dataclass(frozen=True, slots=True)
class Many:
    """An x2many: the index that lists its ids."""

    index: int
    node: Node


@dataclass(frozen=True, slots=True)
class ExternalId:
    """`module.name` of the lowest row of `ir_model_data` that names the record."""

    index: int
    table: int
    module: int  # place among the compared cells
    name: int


@dataclass(frozen=True, slots=True)
class Node:
    """How one record of a document is written.

    `kept` says that a record stays what it was until a change leads to it. `cells` says for each
    compared cell, links first, how it is written, None where it is not shown, and how the id of a
    record that is shown is read from it, None where it is no such id. `order` sorts what is
    written as the schema has it, where the cells are not sorted like that.
    """

    number: int  # distinct for every node of a plan
    table: int
    kept: bool
    cells: tuple[tuple[Encode | None, ManyToOne | None], ...]
    order: tuple[int, ...] | None
    external_id: ExternalId | None
    parts: tuple[One | Many, ...]
    leaf: bool = field(init=False)  # whether a record is nothing but its own columns

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaf", not self.parts and self.external_id is None)

    def own(self, row: int, stored: bytes) -> tuple[bytes, list[int | None]]:
        """Encode the row's id and own columns, and read the ids in its links."""
        at = compared_at(stored)
        out: list[bytes] = []
        ids: list[int | None] = []
        for write, via in self.cells:
            if stored[at] != _T:
                at += 1
                if write is not None:
                    out.append(ABSENT)
                if via is not None:
                    ids.append(via.id_of(None))
                continue
            begin = at + 5
            at = begin + _length(stored, at + 1)[0]
            if write is not None:
                out.append(write(stored[begin:at]))
            if via is not None:
                ids.append(via.id_of(stored[begin:at]))
        if self.order is not None:
            out = [out[place] for place in self.order]
        return zigzag(row) + b"".join(out), ids


def encode(node: Node, row: int, view: View) -> bytes | None:
    """Return the Avro record of one document, or None where there is no such row."""
    stored = view.row(node.table, row)
    if stored is None:
        return None
    head, links = node.own(row, stored)
    if node.leaf:
        return head
    out = [head]
    if node.external_id is not None:
        out.append(_external_id(node.external_id, row, view))
    for part in node.parts:
        if isinstance(part, One):
            value = links[part.link]
            record = None if value is None else view.record(part.node, value)
            out.append(ABSENT if record is None else PRESENT + record)
        else:
            rows = view.members(part.index, row)
            records = [r for i in rows if (r := view.record(part.node, i)) is not None]
            if records:
                out.append(zigzag(len(records)))
                out += records
            out.append(ABSENT)
    return b"".join(out)


def _external_id(plan: ExternalId, row: int, view: View) -> bytes:
    named = view.members(plan.index, row)
    stored = view.row(plan.table, named[0]) if named else None
    if stored is None:
        return ABSENT
    cells = cells_of(stored, compared_at(stored))
    return text(cells[plan.module][5:] + b"." + cells[plan.name][5:])
