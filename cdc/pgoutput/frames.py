"""The frames around the messages: what a walsender sends, and what it wants to hear.

w  start(8) end(8) sent(8) message      XLogData; the message begins at offset 25
k  end(8) sent(8) reply(1)              keepalive
r  written(8) flushed(8) applied(8) sent(8) reply(1)      standby status update, ours

Numbers are big-endian; times are microseconds since 2000-01-01 UTC.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from cdc.pgoutput.decoder import MalformedMessage

WAL_DATA: Final = ord("w")
KEEPALIVE: Final = ord("k")
PAYLOAD_AT: Final = 25  # where the message of a `w` frame begins

_WAL_DATA: Final = Struct(">QQq")
_KEEPALIVE: Final = Struct(">QqB")
_STATUS: Final = Struct(">cQQQqB")

Buffer = bytes | memoryview


class WalData(NamedTuple):
    """One message of the plugin; LSNs, and microseconds since 2000-01-01 UTC."""

    start: int
    end: int
    send_time: int


class Keepalive(NamedTuple):
    """The server is there, has sent everything up to `wal_end`, and may want a word at once."""

    wal_end: int
    send_time: int
    reply_requested: bool


def parse(frame: Buffer) -> WalData | Keepalive:
    """Read a frame's head; the message of `w` is `frame[PAYLOAD_AT:]`. Raises MalformedMessage."""
    size = len(frame)
    if size >= PAYLOAD_AT and frame[0] == WAL_DATA:
        return WalData(*_WAL_DATA.unpack_from(frame, 1))
    if size == 1 + _KEEPALIVE.size and frame[0] == KEEPALIVE:
        wal_end, send_time, reply = _KEEPALIVE.unpack_from(frame, 1)
        return Keepalive(wal_end, send_time, bool(reply))
    kind = f"{frame[0]:#04x}" if size else "none"
    raise MalformedMessage(f"a replication frame of type {kind} and {size} bytes")


def status(written: int, flushed: int, applied: int, now_us: int, *, reply: bool = False) -> bytes:
    """Return a status update; `now_us` is microseconds since 2000-01-01 UTC.

    A flushed LSN of 0 confirms nothing. `reply` asks for a keepalive at once.
    """
    return _STATUS.pack(b"r", written, flushed, applied, now_us, reply)
