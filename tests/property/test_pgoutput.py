from __future__ import annotations

import re
from struct import pack

from hypothesis import example, given
from hypothesis import strategies as st

from cdc.pgoutput import frames
from cdc.pgoutput.decoder import MalformedMessage, decode
from cdc.pgoutput.messages import Message, Relation, RelationColumn, Truncate
from cdc.pgoutput.values import iso_time
from cdc.postgres.snapshot import Snapshot

LSNS = st.integers(0, 2**64 - 1)
OIDS = st.integers(0, 2**32 - 1)
TIMES = st.integers(-(2**63), 2**63 - 1)
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
TYPED = st.builds(bytes.__add__, st.sampled_from([bytes([c]) for c in b"BCRYOTM"]), st.binary())


@given(st.one_of(st.binary(), TYPED))
@example(b"T\xff\xff\xff\xff\x00")
def test_bytes_are_a_message_or_malformed_and_nothing_else(data: bytes) -> None:
    try:
        decode(data)
    except MalformedMessage as error:
        assert error.hint  # noqa: PT017 - either outcome is right


@given(st.binary())
def test_bytes_are_a_frame_or_malformed_and_nothing_else(data: bytes) -> None:
    try:
        frames.parse(data)
    except MalformedMessage as error:
        assert error.hint  # noqa: PT017 - either outcome is right


@given(
    OIDS,
    NAMES,
    NAMES,
    st.sampled_from("dnfi"),
    st.lists(
        st.builds(RelationColumn, st.integers(0, 255), NAMES, OIDS, st.integers(-1, 2**31 - 1))
    ),
)
def test_every_relation_survives_the_wire(
    oid: int, namespace: str, name: str, identity: str, columns: list[RelationColumn]
) -> None:
    wire = pack(">cI", b"R", oid) + namespace.encode() + b"\0" + name.encode() + b"\0"
    wire += identity.encode() + pack(">H", len(columns))
    for column in columns:
        wire += bytes([column.flags]) + column.name.encode() + b"\0"
        wire += pack(">Ii", column.type_oid, column.type_modifier)
    assert decode(wire) == Relation(oid, namespace, name, identity, tuple(columns))


@given(st.booleans(), LSNS, NAMES, st.binary())
def test_every_logical_message_survives_the_wire(
    transactional: bool,  # noqa: FBT001 - a value of the message
    lsn: int,
    prefix: str,
    content: bytes,
) -> None:
    wire = pack(">cBQ", b"M", transactional, lsn) + prefix.encode() + b"\0"
    wire += pack(">I", len(content)) + content
    assert decode(wire) == Message(transactional, lsn, prefix, content)


@given(st.integers(0, 3), st.lists(OIDS))
def test_every_truncate_survives_the_wire(options: int, oids: list[int]) -> None:
    wire = pack(f">cIB{len(oids)}I", b"T", len(oids), options, *oids)
    assert decode(wire) == Truncate(options, tuple(oids))


@given(LSNS, LSNS, TIMES, st.binary())
def test_every_frame_survives_the_wire(start: int, end: int, sent: int, payload: bytes) -> None:
    frame = pack(">cQQq", b"w", start, end, sent) + payload
    assert frames.parse(frame) == frames.WalData(start, end, sent)
    assert frame[frames.PAYLOAD_AT :] == payload
    alive = pack(">cQqB", b"k", end, sent, 1)
    assert frames.parse(alive) == frames.Keepalive(end, sent, reply_requested=True)


@given(TIMES)
def test_a_commit_time_is_written_in_one_form_or_refused(microseconds: int) -> None:
    try:
        text = iso_time(microseconds)
    except MalformedMessage:
        return
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)


@given(st.integers(3, 2**40), st.data())
def test_a_snapshot_judges_short_transaction_ids_as_it_would_the_whole_ones(
    xmin: int, data: st.DataObject
) -> None:
    """Over any number of wraparounds, as long as the transaction is less than 2^31 away."""
    xmax = xmin + data.draw(st.integers(0, 1000))
    xip = frozenset(data.draw(st.lists(st.integers(xmin, max(xmin, xmax - 1)), max_size=5)))
    xid = data.draw(st.integers(max(0, xmax - 2**31 + 1), xmax + 2**31 - 1))
    seen = xid < xmax and (xid < xmin or xid not in xip)
    assert Snapshot(xmin, xmax, xip).sees(xid % 2**32) == seen
