from __future__ import annotations

from struct import pack

import pytest

from cdc.pgoutput.decoder import MalformedMessage, decode
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

RELATION = (
    pack(">cI", b"R", 16386)
    + b"public\0res_partner\0d"
    + pack(">H", 2)
    + (b"\x01id\0" + pack(">Ii", 23, -1))
    + (b"\x00name\0" + pack(">Ii", 1043, 104))
)

EXAMPLES: list[tuple[bytes, Decoded]] = [
    (pack(">cQqI", b"B", 0x16B3748, 848853888148165, 729), Begin(0x16B3748, 848853888148165, 729)),
    (pack(">cBQQq", b"C", 0, 1, 2, -3), Commit(1, 2, -3)),
    (
        RELATION,
        Relation(
            16386,
            "public",
            "res_partner",
            "d",
            (RelationColumn(1, "id", 23, -1), RelationColumn(0, "name", 1043, 104)),
        ),
    ),
    (pack(">cI", b"Y", 16400) + b"public\0color\0", Type(16400, "public", "color")),
    (pack(">cQ", b"O", 77) + b"elsewhere\0", Origin(77, "elsewhere")),
    (pack(">cIBII", b"T", 2, 3, 16386, 16390), Truncate(3, (16386, 16390))),
    (
        pack(">cBQ", b"M", 0, 26374440) + b"odoo-cdc\0" + pack(">I", 3) + b"\x00lo",
        Message(transactional=False, lsn=26374440, prefix="odoo-cdc", content=b"\x00lo"),
    ),
]
NAMES = [type(message).__name__ for _, message in EXAMPLES]


@pytest.mark.parametrize(("data", "message"), EXAMPLES, ids=NAMES)
def test_a_message_is_read_as_postgres_wrote_it(data: bytes, message: Decoded) -> None:
    assert decode(data) == message


@pytest.mark.parametrize("data", [data for data, _ in EXAMPLES], ids=NAMES)
def test_a_message_cut_short_anywhere_is_refused(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(MalformedMessage):
            decode(data[:size])


@pytest.mark.parametrize("data", [data for data, _ in EXAMPLES], ids=NAMES)
def test_a_message_longer_than_it_says_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="longer than it says"):
        decode(data + b"\0")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "empty", id="nothing at all"),
        pytest.param(b"I\0\0\0\0N\0\0", "a row message", id="a row"),
        pytest.param(b"S\0\0\0\1\1", "unknown message", id="a part of a streamed transaction"),
        pytest.param(pack(">cBQQq", b"C", 1, 1, 2, 3), "unknown flags", id="a commit with flags"),
        pytest.param(pack(">cIB", b"T", 0, 4), "unknown options", id="a truncate with options"),
        pytest.param(
            pack(">cI", b"R", 1) + b"a\0b\0z\0\0", "replica identity", id="a replica identity"
        ),
        pytest.param(
            pack(">cQ", b"O", 1) + b"caf\xe9\0", "not UTF-8", id="a name in another encoding"
        ),
        pytest.param(
            pack(">cBQ", b"M", 2, 1) + b"a\0\0\0\0\0", "unknown flags", id="a message with flags"
        ),
        pytest.param(pack(">cIB", b"T", 0xFFFFFFFF, 0), "too early", id="more tables than bytes"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_reason(data: bytes, why: str) -> None:
    with pytest.raises(MalformedMessage, match=why) as refused:
        decode(data)
    assert refused.value.hint
    assert refused.value.exit_code == 4


def test_a_column_knows_whether_it_is_of_the_key() -> None:
    relation = decode(RELATION)
    assert isinstance(relation, Relation)
    assert [column.key for column in relation.columns] == [True, False]
