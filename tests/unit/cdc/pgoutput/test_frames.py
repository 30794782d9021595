from __future__ import annotations

from struct import pack, unpack

import pytest

from cdc.pgoutput.decoder import MalformedMessage
from cdc.pgoutput.frames import PAYLOAD_AT, Keepalive, WalData, parse, status


def test_the_message_of_a_frame_begins_where_the_head_ends() -> None:
    frame = memoryview(pack(">cQQq", b"w", 1, 2, 3) + b"B...")
    assert parse(frame) == WalData(1, 2, 3)
    assert bytes(frame[PAYLOAD_AT:]) == b"B..."


@pytest.mark.parametrize("wanted", [True, False], ids=["at once", "whenever"])
def test_a_keepalive_says_whether_it_wants_an_answer(wanted: bool) -> None:  # noqa: FBT001 - a case
    frame = pack(">cQqB", b"k", 0x16B3748, 5, wanted)
    assert parse(frame) == Keepalive(0x16B3748, 5, reply_requested=wanted)


@pytest.mark.parametrize(
    "frame",
    [b"", b"w", b"k" + bytes(16), b"k" + bytes(18), b"x" + bytes(24)],
    ids=["empty", "no head", "a short keepalive", "a long keepalive", "an unknown frame"],
)
def test_other_frames_are_refused(frame: bytes) -> None:
    with pytest.raises(MalformedMessage):
        parse(frame)


def test_a_status_is_laid_out_as_the_protocol_wants_it() -> None:
    assert unpack(">cQQQqB", status(3, 2, 1, -4, reply=True)) == (b"r", 3, 2, 1, -4, 1)
