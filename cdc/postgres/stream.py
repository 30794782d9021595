"""The stream as the loop follows it."""

from __future__ import annotations

import logging
import time
from typing import Final

from cdc.postgres.refusals import SlotBusy
from cdc.postgres.replication import Replication, readable

logger = logging.getLogger(__name__)

_BUSY: Final = 65.0  # seconds until Postgres has noticed that another reader is gone
_AGAIN: Final = 1.0


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
