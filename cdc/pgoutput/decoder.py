"""From the bytes of one message to the message, for everything but rows.

Every message must be as long as it says: a message that is not understood whole is never
skipped, because what follows it could be read wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error
from typing import Any, Final

from cdc.pgoutput.messages import (
    Begin,
    Commit,
    Decoded,
    Message,
    Origin,
    Relation,
    RelationColumn,
    Truncate,
    Type,
)
from schemas.errors import DataAtRisk
from schemas.position import format_lsn

_BEGIN: Final = Struct(">xQqI").unpack
_COMMIT: Final = Struct(">xBQQq").unpack
_COLUMN_TYPE: Final = Struct(">Ii")
_MESSAGE: Final = Struct(">BQ")
_COUNT: Final = Struct(">H")
_LONG: Final = Struct(">I")
_LSN: Final = Struct(">Q")
_ROWS: Final = frozenset(b"IUD")


class MalformedMessage(DataAtRisk):
    """Postgres sent a message that this version cannot read."""

    hint = (
        "Check that `odoo-cdc check` knows this Postgres version and that nothing between capture"
        " and Postgres changes the stream; then start capture again, it resumes where it stopped."
    )

    def __init__(self, message: str = "", lsn: int | None = None) -> None:
        """Say what was wrong with the message, and where it stands; its bytes are never shown."""
        super().__init__(message if lsn is None else f"at {format_lsn(lsn)}: {message}")


def decode(data: bytes) -> Decoded:
    """Return the message in `data`, which begins with the message's type.

    Raises MalformedMessage for rows, unknown types, and messages shorter or longer than they say.
    """
    if not data:
        raise MalformedMessage("an empty message")
    if (brief := _BRIEF.get(data[0])) is not None:
        return brief(data)
    read = _READERS.get(data[0])
    if read is None:
        what = "a row message where none belongs" if data[0] in _ROWS else "an unknown message"
        raise MalformedMessage(f"{what}: {data[0]:#04x}")
    cursor = _Cursor(data, 1)
    try:
        message = read(cursor)
    except (IndexError, error):
        raise MalformedMessage(f"a message of type {data[:1]!r} ends too early") from None
    except UnicodeDecodeError:
        raise MalformedMessage(f"a name in a message of type {data[:1]!r} is not UTF-8") from None
    if cursor.at != len(data):
        raise MalformedMessage(f"a message of type {data[:1]!r} is longer than it says")
    return message


class _Cursor:
    """Reads a message from front to back."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def take(self, layout: Struct) -> tuple[Any, ...]:
        values = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def number(self, layout: Struct) -> int:
        value: int = self.take(layout)[0]
        return value

    def byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return value

    def text(self) -> str:
        end = self.data.find(0, self.at)
        if end < 0:
            raise IndexError
        value = self.data[self.at : end].decode()
        self.at = end + 1
        return value

    def raw(self, size: int) -> bytes:
        value = self.data[self.at : self.at + size]
        if len(value) != size:
            raise IndexError
        self.at += size
        return value


def _begin(data: bytes) -> Begin:
    try:
        return Begin(*_BEGIN(data))
    except error:
        raise MalformedMessage("a begin that is shorter or longer than it says") from None


def _commit(data: bytes) -> Commit:
    try:
        flags, commit_lsn, end_lsn, commit_time = _COMMIT(data)
    except error:
        raise MalformedMessage("a commit that is shorter or longer than it says") from None
    if flags:
        raise MalformedMessage(f"a commit with the unknown flags {flags:#04x}")
    return Commit(commit_lsn, end_lsn, commit_time)


def _relation(cursor: _Cursor) -> Relation:
    oid = cursor.number(_LONG)
    namespace, name = cursor.text(), cursor.text()
    identity = chr(cursor.byte())
    if identity not in "dnfi":
        raise MalformedMessage(f"a relation with the unknown replica identity {identity!r}")
    columns = tuple(_column(cursor) for _ in range(cursor.number(_COUNT)))
    return Relation(oid, namespace, name, identity, columns)


def _column(cursor: _Cursor) -> RelationColumn:
    flags, name = cursor.byte(), cursor.text()
    type_oid, type_modifier = cursor.take(_COLUMN_TYPE)
    return RelationColumn(flags, name, type_oid, type_modifier)


def _type(cursor: _Cursor) -> Type:
    return Type(cursor.number(_LONG), cursor.text(), cursor.text())


def _origin(cursor: _Cursor) -> Origin:
    return Origin(cursor.number(_LSN), cursor.text())


def _truncate(cursor: _Cursor) -> Truncate:
    count, options = cursor.number(_LONG), cursor.byte()
    if options > 3:  # noqa: PLR2004  1 CASCADE, 2 RESTART IDENTITY
        raise MalformedMessage(f"a truncate with the unknown options {options:#04x}")
    oids = cursor.raw(count * _LONG.size)
    return Truncate(options, tuple(oid for (oid,) in _LONG.iter_unpack(oids)))


def _message(cursor: _Cursor) -> Message:
    flags, lsn = cursor.take(_MESSAGE)
    if flags > 1:
        raise MalformedMessage(f"a logical message with the unknown flags {flags:#04x}")
    prefix = cursor.text()
    return Message(bool(flags), lsn, prefix, cursor.raw(cursor.number(_LONG)))


# Each transaction has one of either, and most are small: their length is known.
_BRIEF: Final[dict[int, Callable[[bytes], Begin | Commit]]] = {
    ord("B"): _begin,
    ord("C"): _commit,
}
_READERS: Final[dict[int, Callable[[_Cursor], Decoded]]] = {
    ord("R"): _relation,
    ord("Y"): _type,
    ord("O"): _origin,
    ord("T"): _truncate,
    ord("M"): _message,
}
