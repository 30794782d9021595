"""Whatever the bytes of a stream: events that it means, or one clear error that names the LSN.

`make fuzz` runs this file and the decoder's with many more examples.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from struct import pack
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.pgoutput.decoder import MalformedMessage
from schemas.errors import DataAtRisk
from tests.engine import Row, delete, insert, update
from tests.frames import (
    LSN,
    TIME,
    XID,
    begin,
    commit,
    keepalive,
    message,
    origin,
    relation,
    truncate,
    type_,
    wal,
    world,
)

PARTNER: Final[Row] = {"id": "1", "name": "Azurę", "property_payment_term_id": '{"1": 3}'}
ORDER: Final[Row] = {"id": "2", "name": "S00002", "partner_id": "1", "amount_total": "12.50"}
LINE: Final[Row] = {"id": "3", "order_id": "2", "sequence": "10", "name": "x" * 20}
TAG: Final[Row] = {"order_id": "2", "tag_id": "1"}
EXTRA: Final = ("color", "ref", "comment")

AT: Final = r"^at [0-9A-F]{1,8}/[0-9A-F]{1,8}: \w"


def wide(row: bytes) -> bytes:
    """Add the columns that nothing selects to a message that ends in its only row."""
    head, count, cells = row[:6], int.from_bytes(row[6:8], "big"), row[8:]
    return head + pack(">H", count + len(EXTRA)) + cells + b"n" + b"t\0\0\0\x02ab" + b"n"


def with_old(row: bytes, old: bytes, kind: bytes) -> bytes:
    """Put the row of a delete before that of an update."""
    return row[:5] + kind + old[6:] + row[5:]


STREAM: Final = (
    keepalive(0x500),
    begin(),
    origin(),
    type_(),
    relation("res_partner", EXTRA),
    wal(wide(insert("res_partner", PARTNER))),
    relation("sale_order"),
    relation("sale_order_line"),
    relation("order_tag_rel"),
    relation("crm_tag"),
    wal(insert("sale_order", ORDER)),
    wal(insert("sale_order_line", LINE)),
    wal(insert("order_tag_rel", TAG)),
    message(),
    truncate(4_000_000),
    commit(),
    keepalive(LSN + 0x80),
    begin(LSN + 0x1000),
    wal(update("sale_order", ORDER | {"name": "S2"})),
    wal(
        with_old(
            update("sale_order_line", LINE | {"id": "4"}), delete("sale_order_line", LINE), b"K"
        )
    ),
    wal(
        with_old(update("crm_tag", {"id": "1", "name": "n"}), delete("crm_tag", {"id": "1"}), b"O")
    ),
    wal(delete("order_tag_rel", TAG)),
    wal(wide(delete("res_partner", PARTNER))),
    commit(LSN + 0x1000),
)


def heard(frames: list[bytes]) -> list[object]:
    """Return the events of frames, each with all that it says."""
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as tried:
        tried.hear(*frames)
        return list(tried.events())


def test_law_10_a_frame_that_is_cut_anywhere_is_refused_where_it_stands_and_changes_nothing() -> (
    None
):
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as tried:
        for frame in STREAM:
            for size in range(len(frame)):
                with pytest.raises(MalformedMessage, match=AT):
                    tried.hear(frame[:size])
            with pytest.raises(MalformedMessage, match=AT):
                tried.hear(frame + b"\0")
            tried.hear(frame)
        assert tried.events() == heard(list(STREAM))
        assert [event.model for event in tried.events()] == ["res.partner", "sale.order"] * 2


FLIPS = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), min_size=1, max_size=4)
LENGTHS = st.tuples(st.integers(0, 500), st.sampled_from([-1, -(2**31), 2**31 - 1, 0, 1, 65_535]))
PIECES = st.tuples(st.integers(0, 500), st.integers(0, 20), st.binary(max_size=20))


def flipped(frame: bytes, flips: list[tuple[int, int]]) -> bytes:
    changed = bytearray(frame)
    for at, byte in flips:
        changed[at % len(changed)] = byte
    return bytes(changed)


def resized(frame: bytes, at: int, number: int) -> bytes:
    at %= len(frame)
    return (frame[:at] + pack(">i", number) + frame[at + 4 :])[: max(len(frame), at + 4)]


def spliced(frame: bytes, at: int, gone: int, put: bytes) -> bytes:
    at %= len(frame)
    return frame[:at] + put + frame[at + gone :]


BROKEN = st.sampled_from(range(len(STREAM))).flatmap(
    lambda place: st.tuples(
        st.just(place),
        st.one_of(
            FLIPS.map(lambda flips: flipped(STREAM[place], flips)),
            LENGTHS.map(lambda one: resized(STREAM[place], *one)),
            PIECES.map(lambda one: spliced(STREAM[place], *one)),
            st.binary().map(wal),
        ),
    )
)


@given(BROKEN)
def test_law_10_a_broken_frame_is_refused_or_means_something_that_can_be_read(
    broken: tuple[int, bytes],
) -> None:
    """What a value says, nobody can tell from another one; but no error is of another kind."""
    place, frame = broken
    frames = [*STREAM[:place], frame, *STREAM[place + 1 :]]
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as tried:
        try:
            tried.hear(*frames)
        except MalformedMessage as error:
            assert str(error).startswith("at ")  # noqa: PT017 - either outcome is right
            assert error.hint  # noqa: PT017
        except DataAtRisk as error:  # another table, a truncated one, a value nobody has
            assert error.hint  # noqa: PT017
        tried.events()


@given(st.permutations(range(len(STREAM))), st.integers(1, len(STREAM)))
def test_law_10_frames_in_any_order_are_refused_or_understood(order: list[int], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as tried:
        try:
            tried.hear(*(STREAM[place] for place in order[:most]))
        except DataAtRisk as error:
            assert error.hint  # noqa: PT017 - either outcome is right
        tried.events()


def cell(text: bytes) -> bytes:
    return b"t" + pack(">I", len(text)) + text


def partner(*cells: bytes, kind: bytes = b"I", what: bytes = b"N", count: int = 6) -> bytes:
    """Say a row of res_partner: id, country, parent, payment term, name, write_date."""
    head = kind + insert("res_partner", PARTNER)[1:5] + what
    filled = [*cells, *[b"n"] * (6 - len(cells))]
    return wal(head + pack(">H", count) + b"".join(filled))


NAMES: Final = (cell(b"1"), b"n", b"n", b"n")
CASES: Final = {
    "no bytes": (b"", "replication frame"),
    "no message": (wal(b""), "an empty message"),
    "an unknown message": (wal(b"Z"), "an unknown message"),
    "a streamed piece": (wal(b"S" + pack(">IB", XID, 1)), "an unknown message"),
    "an unknown table": (wal(b"I" + pack(">I", 99) + b"N\0\1n"), "a row before its relation"),
    "a row without a table": (wal(b"I\0"), "a row before its relation"),
    "a row without a row": (partner(what=b""), "without its row"),
    "an insert with a key": (partner(cell(b"1"), what=b"K"), "without its row"),
    "a delete with a new row": (partner(cell(b"1"), kind=b"D"), "without its row"),
    "an update with a key alone": (partner(cell(b"1"), kind=b"U", what=b"K"), "without its row"),
    "too few columns": (partner(cell(b"1"), count=5), "not those of its relation"),
    "too many columns": (partner(cell(b"1"), count=7), "not those of its relation"),
    "a binary column": (partner(b"b\0\0\0\1x"), "a column of kind 0x62"),
    "a length below zero": (partner(b"t\xff\xff\xff\xff1"), "ends before its columns do"),
    "a length beyond the end": (partner(b"t\0\0\1\0" + b"1"), "ends before its columns do"),
    "more than it says": (partner(cell(b"1")) + b"n", "longer than it says"),
    "no id": (partner(b"n"), "key is not a number"),
    "an id with a blank": (partner(cell(b" 1")), "key is not a number"),
    "an id with a line": (partner(cell(b"1_0")), "key is not a number"),
    "an id of 65 bits": (partner(cell(b"9223372036854775808")), "key is not a number"),
    "an id of many digits": (partner(cell(b"9" * 5000)), "key is not a number"),
    "a begin in a transaction": (begin(LSN + 0x1000), "inside of a transaction"),
    "a commit of another begin": (commit(LSN + 0x1000), "not that of its begin"),
    "a commit of another time": (commit(time=TIME + 1), "not that of its begin"),
    "a commit with a flag": (commit().replace(b"C\0", b"C\1"), "unknown flags"),
    "a commit that ends elsewhere": (
        wal(b"C" + pack(">BQQq", 0, LSN, LSN + 8, TIME)),
        "elsewhere than its frame",
    ),
    "our mark in a transaction": (
        wal(b"M" + pack(">BQ", 0, LSN) + b"odoo_cdc\0" + pack(">I", 1) + b"t"),
        "a mark inside",
    ),
    "a name that is not UTF-8": (wal(b"Y" + pack(">I", 1) + b"\xff\0m\0"), "is not UTF-8"),
}


@pytest.mark.parametrize(("frame", "why"), CASES.values(), ids=CASES)
def test_law_10_what_is_no_message_is_refused_with_its_lsn(
    tmp_path: Path, frame: bytes, why: str
) -> None:
    with world(tmp_path) as tried:
        tried.hear(begin(), relation("res_partner"))
        with pytest.raises(MalformedMessage, match=why) as refused:
            tried.hear(frame)
        assert str(refused.value).startswith("at 1/")
        assert refused.value.exit_code == 4
        tried.hear(partner(*NAMES), commit())
        assert [event.id for event in tried.events()] == [1]


OUTSIDE: Final = {
    "a row": (wal(insert("res_partner", PARTNER)), "a row outside of a transaction"),
    "a commit": (commit(), "a commit without its begin"),
    "a truncate": (truncate(1), "a truncate outside of a transaction"),
}


@pytest.mark.parametrize(("frame", "why"), OUTSIDE.values(), ids=OUTSIDE)
def test_law_10_what_belongs_into_a_transaction_is_refused_outside_of_it(
    tmp_path: Path, frame: bytes, why: str
) -> None:
    with world(tmp_path) as tried:
        tried.hear(begin(), relation("res_partner"), commit())
        with pytest.raises(MalformedMessage, match=why):
            tried.hear(frame)


VALUES: Final = {
    "a text that is not UTF-8": partner(*NAMES, cell(b"\xff\xfe")),
    "a text that ends in its midst": partner(*NAMES, cell("é".encode()[:1])),
    "a moment that is not UTF-8": partner(*NAMES, b"n", cell(b"\xff")),
}


LINKS: Final = {
    "no number": cell(b"x"),
    "no bytes": cell(b""),
    "65 bits": cell(b"9223372036854775808"),
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_law_10_a_link_that_leads_nowhere_is_refused(tmp_path: Path, link: bytes) -> None:
    with world(tmp_path) as tried:
        tried.hear(begin(), relation("res_partner"))
        with pytest.raises(MalformedMessage, match=r"^at 1/2000: a row with a value"):
            tried.hear(partner(cell(b"1"), link))


@pytest.mark.parametrize("frame", VALUES.values(), ids=VALUES)
def test_law_10_a_value_that_its_type_never_has_is_refused_at_its_commit(
    tmp_path: Path, frame: bytes
) -> None:
    with world(tmp_path) as tried:
        tried.hear(begin(), relation("res_partner"), frame)
        with pytest.raises(MalformedMessage, match=r"^at 1/2008: a row with a value"):
            tried.hear(commit())
        assert tried.events() == []


def test_law_10_a_captured_table_that_is_called_another_name_is_not_passed_over(
    tmp_path: Path,
) -> None:
    renamed = relation("res_partner").replace(b"res_partner", b"res_partnes")
    with world(tmp_path) as tried:
        tried.hear(begin(), relation("res_partner"))
        tried.hear(renamed)
        with pytest.raises(DataAtRisk, match=r"public\.res_partner is called public\.res_partnes"):
            tried.hear(partner())
