"""How capture stands, read from its parts by the threads that answer for it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from cdc.capture import Capture
from cdc.metrics import Figures
from cdc.parts import Parts
from cdc.pgoutput.values import unix_seconds
from cdc.wal import Gauge


class Sized(Protocol):
    """The shadow."""

    @property
    def bytes_used(self) -> int:
        """How large its file is."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """Reads plain numbers that the loop writes; nothing is locked, nothing waits."""

    capture: Capture
    parts: Parts
    shadow: Sized
    wal: Gauge

    def ready(self) -> str:
        """Return why capture does not take part, "" where it does."""
        if self.capture.kafka_away:
            return "Kafka does not answer"
        return "" if self.capture.connected else "not connected to Postgres"

    def figures(self) -> Figures:
        """Return how it stands at this moment."""
        epoch, stream = self.parts.epoch, self.parts.stream
        mark, progress = epoch.watermark, epoch.progress
        reading = list(progress.reading.values())
        behind = mark.received > mark.passed and stream.commit_time
        age = time.time() - unix_seconds(stream.commit_time) if behind else 0.0
        return Figures(
            events_total=epoch.events,
            changes_total=epoch.total,
            transactions_total=stream.transactions,
            connected=int(self.capture.connected),
            loading_tables=len(progress.frontiers),
            loaded_rows=sum(read.rows for read in reading),
            loading_rows=sum(read.of or read.rows for read in reading),
            transaction_rows=self.parts.fold.count if stream.in_transaction else 0,
            publishing_models=len(progress.published),
            due_documents=sum(progress.due.values()),
            paused_models=len(progress.paused),
            held_models=len(progress.held),
            lag_bytes=max(0, mark.received - mark.durable),
            lag_seconds=max(0.0, age),
            wal_held_bytes=self.wal.held,
            wal_hourly_bytes=self.wal.hourly,
            wal_left_seconds=self.wal.seconds_left,
            received_lsn=mark.received,
            durable_lsn=mark.durable,
            confirmed_lsn=mark.confirmed,
            shadow_bytes=self.shadow.bytes_used,
        )
