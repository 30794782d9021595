"""The stream as the loop follows it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Final

from cdc.pgoutput.decoder import MalformedMessage, decode
from cdc.pgoutput.frames import PAYLOAD_AT, Keepalive, parse
from cdc.pgoutput.messages import Begin
from cdc.postgres.refusals import SlotBusy
from cdc.postgres.replication import Replication, readable
from cdc.watermark import Handled

logger = logging.getLogger(__name__)

_BUSY: Final = 65.0  # seconds until Postgres has noticed that another reader is gone
_AGAIN: Final = 1.0
_WORD: Final = 0.2  # seconds between two words while the past is looked through
_BEGIN: Final = ord("B")


class Following:
    """Opens the stream of one slot."""

    def __init__(
        self, dsn: str, slot_name: str, publication_name: str, reader: str = "odoo-cdc-capture"
    ) -> None:
        """Connect to nothing yet; `reader` is what Postgres calls us."""
        self._dsn = dsn
        self._slot = slot_name
        self._publication = publication_name
        self._reader = reader

    def begin(self, lsn: int) -> Followed:
        """Start behind `lsn`; a slot that is in use is waited for.

        Raises what Replication.connect and Replication.start raise.
        """
        deadline = time.monotonic() + _BUSY
        while True:
            replication = Replication.connect(self._dsn, self._reader)
            try:
                replication.start(self._slot, lsn, [self._publication])
            except SlotBusy as error:
                replication.close()
                if time.monotonic() > deadline:
                    raise
                logger.info("%s: waiting", error, extra={"action": "slot_busy"})
                time.sleep(_AGAIN)  # nobody tells when a slot is free
            except BaseException:  # raised on; no connection is left open
                replication.close()
                raise
            else:
                return Followed(replication)

    def last_commit(self, before: int) -> Handled | None:
        """Return the last transaction from the slot's place on whose commit stands before an LSN.

        Nothing is confirmed, and nothing is kept of what comes. The server must have reached the
        LSN. Raises what `begin` raises, and ConnectionLost.
        """
        followed = self.begin(0)
        try:
            return _last_commit(followed, before)
        finally:
            followed.close()


class Followed:
    """A stream that was started."""

    def __init__(self, replication: Replication) -> None:
        """Take over a replication connection."""
        self._replication = replication
        self.read = replication.read
        self.send_status = replication.send_status
        self.farewell = replication.farewell
        self.close = replication.close

    def wait(self, seconds: float) -> None:
        """Wait until something has come, `seconds` at most."""
        readable(self._replication.fileno(), seconds)


def _last_commit(followed: Followed, before: int) -> Handled | None:
    last: Handled | None = None
    for frame in _frames(followed):
        head = parse(frame)
        if isinstance(head, Keepalive):
            if head.wal_end >= before:
                break
        elif frame[PAYLOAD_AT] == _BEGIN:
            begin = _begin(frame)
            if begin.final_lsn >= before:
                break
            last = Handled(begin.final_lsn, begin.xid, begin.commit_time)
    return last


def _frames(followed: Followed) -> Iterator[bytes]:
    """Give what comes, and ask now and then how far the server is; it is told nothing else."""
    asked = -_WORD
    while True:
        frame = followed.read()
        if (now := time.monotonic()) - asked >= _WORD:
            asked = now
            followed.send_status(0, 0, 0, reply=True)
        if frame is not None:
            yield bytes(frame)
        else:
            followed.wait(_WORD)


def _begin(frame: bytes) -> Begin:
    begin = decode(frame[PAYLOAD_AT:])
    if not isinstance(begin, Begin):
        raise MalformedMessage("a begin that is none")
    return begin
