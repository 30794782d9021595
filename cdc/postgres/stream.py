"""The stream as the loop follows it, and a look now and then at what it depends on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Final

from cdc.postgres import publication, slot
from cdc.postgres.connect import Session
from cdc.postgres.refusals import SlotBusy
from cdc.postgres.replication import Replication, readable
from cdc.postgres.slot import SlotState
from schemas.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

_LOOK: Final = 5.0  # seconds between two looks
_BUSY: Final = 65.0  # seconds until Postgres has noticed that another reader is gone
_AGAIN: Final = 1.0


class Following:
    """Opens the stream of one slot."""

    def __init__(self, dsn: str, slot_name: str, publication_name: str) -> None:
        """Connect to nothing yet."""
        self._dsn = dsn
        self._slot = slot_name
        self._publication = publication_name

    def begin(self, lsn: int) -> Followed:
        """Start behind `lsn`; a slot that is in use is waited for.

        Raises what Replication.connect and Replication.start raise.
        """
        deadline = time.monotonic() + _BUSY
        while True:
            replication = Replication.connect(self._dsn, "odoo-cdc-capture")
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
        self.close = replication.close

    def wait(self, seconds: float) -> None:
        """Wait until something has come, `seconds` at most."""
        readable(self._replication.fileno(), seconds)


class Watch:
    """Looks at publication and slot beside the stream, which says nothing when they change.

    Postgres 18 streams on silently without its publication, and DROP COLUMN ... CASCADE takes a
    table out of one with a column list.
    """

    def __init__(
        self, dsn: str, slot_name: str, publication_name: str, members: Mapping[str, int]
    ) -> None:
        """Begin at once, on a thread of its own; `members`: see `publication.refuse_gap`."""
        self.slot = SlotState(slot_name, exists=True)
        """What the last look has seen of it."""
        self._dsn = dsn
        self._publication = publication_name
        self._members = members
        self._trouble: Exception | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what the last look has found: PublicationMissing, or what nobody expected."""
        if self._trouble is not None:
            raise self._trouble

    def close(self) -> None:
        """Look no more."""
        self._end.set()
        self._thread.join(_LOOK)

    def _run(self) -> None:
        while not self._end.wait(_LOOK):
            try:
                with Session.connect(self._dsn, "odoo-cdc-watch") as session:
                    self._look(session)
            except ServiceUnavailable as error:  # the stream notices it too, and says so
                logger.debug("no look at the publication: %s", error)
            except Exception as error:  # noqa: BLE001  nobody would see it on this thread
                self._trouble = error

    def _look(self, session: Session) -> None:
        while not self._end.wait(_LOOK):
            self.slot = slot.look(session, self.slot.name)
            publication.refuse_gap(publication.look(session, self._publication), self._members)
