"""Keys of the shadow: big-endian and of fixed width, so that they sort like the numbers.

rows     table(2) id(8)       the row (`row`)
index    index(2) value(8)    the ids of the rows that have this value, ascending

A many2many table has no rows: its pairs stand in two indexes, one for each direction.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_KEY: Final = Struct(">HQ")
_ID: Final = Struct(">Q")

row_key: Final = _KEY.pack  # (table, id); ids are 0 or more, as Odoo's are
index_key: Final = _KEY.pack  # (index, value)
unpack_key: Final = _KEY.unpack
KEY_SIZE: Final = _KEY.size
pack_id: Final = _ID.pack


def number_of(key: bytes) -> int:
    """Return the table or index that a key is of."""
    return key[0] << 8 | key[1]
