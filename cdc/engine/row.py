"""A row as the shadow holds it.

    layout(2)  size of the guards(1)  size of the links(2)  guards  links  columns

Guards are `write_uid` and `write_date`: held, published, never compared; a number and a moment,
of 59 bytes at most. Links decide the index entries, so they stand first of what is compared;
65,535 says that they are so large or larger. All cells are as pgoutput sent them.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import Final

from cdc.engine.split import NULL, UNCHANGED, Cells
from schemas.via import ManyToOne

GUARDS_AT: Final = 5
_MOST: Final = 0xFFFF
_head = Struct(">BH").pack
_length = Struct(">I").unpack_from
_T: Final = 116  # a cell with a text; all others are one byte long
_TEXT_AT: Final = 5

PLAIN: Final = ManyToOne()

Links = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Entries:
    """One index over a table: the link that holds the value, and the link that limits it."""

    index: int
    link: int
    limit: int = -1  # link, or -1: every row has an entry
    wanted: bytes = b""  # what the limiting link must be
    via: ManyToOne = PLAIN  # how the link's text is read

    def value(self, links: Links) -> int | None:
        """Return the value under which a row with these links stands, None for nowhere."""
        text = links[self.link]
        if self.via.company:
            return self.via.id_of(text)
        if self.limit >= 0 and links[self.limit] != self.wanted:
            return None
        return self.via.id_of(text)


@dataclass(frozen=True, slots=True)
class Layout:
    """How the cells of a table's row are laid out. Cells: id, links, columns; then guards."""

    head: bytes  # the layout's number, 2 bytes
    links: int  # how many cells after the id are links
    compared: int  # how many cells after the id are compared, links included
    guards: tuple[int, ...]  # which cells are write_uid and write_date, where the table has them
    written: bool  # whether the table has a write_uid
    entries: tuple[Entries, ...]

    def pack(self, cells: Cells) -> bytes:
        """Return the row."""
        return self.join([cells[i] for i in self.guards], cells[1 : 1 + self.compared])

    def join(self, guards: Cells, compared: Cells) -> bytes:
        """Return the row with these guards and, links first, what is compared."""
        written = b"".join(guards)
        links = b"".join(compared[: self.links])
        sizes = _head(len(written), min(len(links), _MOST))
        return b"".join([self.head, sizes, written, links, *compared[self.links :]])

    def complete(self, cells: Cells, stored: bytes) -> None:
        """Put the held value where a cell says that its TOAST value is unchanged."""
        held = cells_of(stored, compared_at(stored))
        for i in range(self.compared):
            if cells[i + 1] == UNCHANGED:
                cells[i + 1] = held[i]

    def fill(self, stored: bytes, cells: Cells) -> bytes:
        """Return a held row whose unknown cells are taken from `cells`."""
        at = compared_at(stored)
        held = cells_of(stored, at)
        known = [cells[i + 1] if cell == UNCHANGED else cell for i, cell in enumerate(held)]
        links = b"".join(known[: self.links])
        sizes = _head(stored[2], min(len(links), _MOST))
        guards = stored[GUARDS_AT:at]
        return b"".join([self.head, sizes, guards, links, *known[self.links :]])

    def links_of(self, stored: bytes) -> Links:
        """Return the texts of a row's links."""
        at = GUARDS_AT + stored[2]
        found: Links = []
        for _ in range(self.links):
            if stored[at] == _T:
                end = at + _TEXT_AT + _length(stored, at + 1)[0]
                found.append(stored[at + _TEXT_AT : end])
                at = end
            else:
                found.append(None)
                at += 1
        return found

    def writers_of(self, stored: bytes) -> tuple[int, ...]:
        """Return the row's write_uid, nobody where it has none."""
        if not self.written or stored[GUARDS_AT] != _T:
            return ()
        at = GUARDS_AT + _TEXT_AT
        return (int(stored[at : at + stored[at - 1]]),)


def compared_at(stored: bytes) -> int:
    """Return where the compared part of a held row begins."""
    return GUARDS_AT + stored[2]


def links_part(stored: bytes) -> bytes:
    """Return the links as they are held; where they are very large, the columns with them.

    For telling whether they may have changed, that is enough.
    """
    at, size = GUARDS_AT + stored[2], stored[3] << 8 | stored[4]
    return stored[at:] if size == _MOST else stored[at : at + size]


def same(old: bytes, new: bytes) -> bool:
    """Say whether two held rows differ in nothing but their guards."""
    return old[GUARDS_AT + old[2] :] == new[GUARDS_AT + new[2] :]


def differing(old: bytes, new: bytes) -> int:
    """Return which compared cells differ, as bits, the first one's lowest; guards never do."""
    found, bit = 0, 1
    for was, cell in zip(
        cells_of(old, GUARDS_AT + old[2]), cells_of(new, GUARDS_AT + new[2]), strict=True
    ):
        if was != cell:
            found |= bit
        bit <<= 1
    return found


def cells_of(stored: bytes, at: int) -> Cells:
    """Return the cells from `at` on."""
    found: Cells = []
    size = len(stored)
    while at < size:
        end = at + 1 if stored[at] != _T else at + _TEXT_AT + _length(stored, at + 1)[0]
        found.append(stored[at:end])
        at = end
    return found


def guards_of(stored: bytes) -> list[bytes | None]:
    """Return the texts of the guards, in the layout's order."""
    found = cells_of(stored[: GUARDS_AT + stored[2]], GUARDS_AT)
    return [None if cell == NULL else cell[_TEXT_AT:] for cell in found]
