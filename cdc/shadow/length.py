"""Whether the shadow's file has all the pages that it refers to.

LMDB reads its file through a mapping: a page behind the end of a file that was cut short is no
error but a signal (SIGBUS), which ends the process. How many pages there are stands in the file.
One may be shorter all the same and whole: the last pages that were taken may have been let go of
before they were ever written. Then the trees are walked, from the roots to each page.

Source: mdb.c of LMDB 0.9, MDB_meta, MDB_page and MDB_node, on a system of 64 bits.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from struct import Struct, error
from typing import Final, NamedTuple

_META: Final = Struct("=16x 2I 16x I4x 32xQ 40xQ 2Q")  # behind a page's head: see _metas
_MAGIC: Final = 0xBEEFC0DE
_HEAD: Final = Struct("=10x 3H")  # of a page: flags, lower, upper
_HEAD_SIZE: Final = 16
_PAGES: Final = Struct("=12x I")  # of a value that has pages of its own: how many
_NODE: Final = Struct("=4H")  # low and high part of a size or page, flags, size of the key
_NUMBER: Final = Struct("=Q")
_ROOT_AT: Final = 40  # in what describes a tree
_BRANCH, _LEAF, _FIXED = 0x01, 0x02, 0x20  # flags of a page
_OWN_PAGES, _TREE = 0x01, 0x02  # flags of a node
_NO_PAGE: Final = (1 << 64) - 1


class _Meta(NamedTuple):
    page_size: int
    roots: tuple[int, int]
    last: int
    transaction: int


def cut_short(file: Path) -> str:
    """Say why a file of LMDB lacks pages, "" where it does not, or is none that tells."""
    if not file.exists() or sys.byteorder != "little" or sys.maxsize < _NO_PAGE >> 1:
        return ""
    with file.open("rb") as opened:
        found = list(_metas(opened.read(2 * (1 << 16))))
        size = os.fstat(opened.fileno()).st_size  # behind them: pages are written before a meta
        if not found:
            return ""
        meta = max(found, key=lambda each: each.transaction)
        if (meta.last + 1) * meta.page_size <= size:
            return ""
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            whole = _is_whole(data, meta)
    wanted = (meta.last + 1) * meta.page_size
    return "" if whole else f"the file was cut short: it has {size} of {wanted} bytes"


def _metas(start: bytes) -> Iterator[_Meta]:
    """Give what stands in the first two pages."""
    at = 0
    while at + _META.size <= len(start):
        magic, _, page_size, free, main, last, transaction = _META.unpack_from(start, at)
        if magic != _MAGIC or not page_size:
            return
        yield _Meta(page_size, (free, main), last, transaction)
        if at:
            return
        at = page_size


def _is_whole(data: mmap.mmap, meta: _Meta) -> bool:
    """Say whether every page is there that a tree leads to."""
    size, left = len(data), [root for root in meta.roots if root != _NO_PAGE]
    seen = 0
    try:
        while left:
            seen += meta.page_size
            at = left.pop() * meta.page_size
            if at + meta.page_size > size or seen > size:  # the latter: pages lead in a circle
                return False
            for page, is_value in _led_to(data, at):
                if not is_value:
                    left.append(page)
                elif not _has_value(data, page * meta.page_size, meta.page_size):
                    return False
    except (error, IndexError):  # a page that is none
        return False
    return True


def _has_value(data: mmap.mmap, at: int, page_size: int) -> bool:
    if at + page_size > len(data):
        return False
    (pages,) = _PAGES.unpack_from(data, at)
    return at + int(pages) * page_size <= len(data)


def _led_to(data: mmap.mmap, at: int) -> Iterator[tuple[int, bool]]:
    """Give the pages that a page leads to, and whether each is a value's own."""
    flags, lower, _ = _HEAD.unpack_from(data, at)
    if not flags & (_BRANCH | _LEAF) or flags & _FIXED:
        return
    for number in range((lower - _HEAD_SIZE) // 2):
        place = at + _HEAD_SIZE + 2 * number
        node = at + int.from_bytes(data[place : place + 2], "little")
        low, high, kind, key = _NODE.unpack_from(data, node)
        inside = node + _NODE.size + key
        if flags & _BRANCH:
            yield low | high << 16 | kind << 32, False
        elif kind & _TREE:
            (root,) = _NUMBER.unpack_from(data, inside + _ROOT_AT)
            if root != _NO_PAGE:
                yield root, False
        elif kind & _OWN_PAGES:
            yield _NUMBER.unpack_from(data, inside)[0], True
