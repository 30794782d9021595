"""What is asked of Postgres and Kafka beside the stream, and before it is followed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cdc import kafka
from cdc.epoch import Epoch
from cdc.notes import ABOUT
from cdc.origin import refuse_other_database
from cdc.past import refuse_other_past
from cdc.postgres import slot
from cdc.postgres.connect import Session
from cdc.postgres.replication import Replication
from cdc.postgres.stream import Followed, Following
from cdc.postgres.watch import LeftOut, Watch
from cdc.selection import reader
from cdc.shadow.store import Shadow
from cdc.wal import Gauge
from schemas.config import Config


class Beside:
    """What is asked of the database beside the stream, and before it is followed."""

    def __init__(
        self,
        config: Config,
        shadow: Shadow,
        about: dict[str, Any],
        publisher: kafka.Publisher,
        watch: Watch,
    ) -> None:
        place = (config.source.dsn, config.source.slot, config.source.publication)
        self.wal = Gauge(config.source.stop_at_wal)
        self._following = Following(*place, reader(watch.needs.columns))
        self._watch = watch
        self.epoch: Epoch
        """What is known to be left out stands there; set before the first look."""
        self._source, self._shadow, self._about = config.source, shadow, about
        self._publisher = publisher

    def connect(self, lsn: int) -> Followed:
        """Follow the stream behind `lsn`, of the very database and slot that the shadow is of.

        Both may have been replaced while nobody was connected, and the server would not say so.
        """
        with Session.connect(self._source.dsn) as session:
            state = slot.look(session, self._source.slot)
        with Replication.connect(self._source.dsn, "odoo-cdc-capture") as replication:
            system = replication.identify()
        refuse_other_database(system, state, self._shadow, self._about)
        refuse_other_past(self._following, state, self._shadow)
        return self._following.begin(lsn)

    def look(self) -> LeftOut:
        """Hear of trouble, from Postgres and from Kafka, and of what the stream leaves out."""
        self._watch.noted = frozenset(self.epoch.progress.absent)
        self._publisher.listen()
        return self._watch.check()

    def altered(self) -> bool:
        """Say whether captured tables are not what they were when the database was looked at."""
        return self._watch.altered

    def leaves(self) -> bool:
        """Say whether Postgres shuts down. Raises SlotReleased where it keeps too much WAL."""
        self.wal.see(self._watch.slot, time.monotonic())
        return self._watch.shuts_down()

    def returned(self, members: Mapping[str, int]) -> None:
        """Remember, with the epoch, that tables are in the publication again."""
        self._about["published"].update(members)
        self._shadow.note(ABOUT, self._about)
