"""Portions of documents at their marks: what a recovery has found, and what is there already."""

from __future__ import annotations

import logging
from itertools import islice
from typing import Protocol

from cdc.engine import since
from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.plan import Plan, Root
from cdc.engine.store import Store
from cdc.epoch import Epoch
from cdc.progress import Opened, Portion
from schemas.event import Mode

logger = logging.getLogger(__name__)


class Backfill(Protocol):
    """Who decides on portions."""

    def published(self, portion: Portion, now: float) -> None:
        """Note a portion that Kafka has, and how much it came to."""


class Portions:
    """Publishes them; what is out is noted in the epoch's progress, which the caller ends."""

    def __init__(self, plan: Plan, store: Store, events: Events, epoch: Epoch) -> None:
        """Publish nothing yet."""
        self._roots = {root.shape.model: root for root in plan.roots}
        self._store = store
        self._events = events
        self._epoch = epoch

    def publish(self, opened: Opened) -> Portion:
        """Publish some documents of a model; return the portion as large as it was."""
        portion = opened.portion
        publish = self._due if portion.due else self._existing
        documents = publish(self._roots[portion.model], opened)
        return portion._replace(documents=documents)

    def _due(self, root: Root, opened: Opened) -> int:
        """Publish what differs of due documents; return how many they were."""
        progress, (model, most, *_) = self._epoch.progress, opened.portion
        documents = list(islice(since.due(self._store, model), most))
        stamp = Stamp(opened.lsn, opened.time, mode=Mode.RECOVER)
        for made in self._events.of_due(root, documents, stamp):
            self._epoch.publish(made)
        since.done(self._store, model, (row for row, _ in documents))
        progress.paid(model, len(documents))
        if model not in progress.due:
            wide = any(layer in progress.wide for _, layer in documents)
            text = "%s: what was put off is published" if wide else "%s is recovered"
            logger.info(text, model, extra={"action": "paid" if wide else "recovered"})
        return len(documents)

    def _existing(self, root: Root, opened: Opened) -> int:
        """Publish some documents of a model that was loaded; return how many."""
        progress, (model, most, *_) = self._epoch.progress, opened.portion
        held = self._store.rows(root.node.table, progress.published[model])
        rows = [row for row, _ in islice(held, most)]
        known = not progress.forgotten
        mode = Mode.SNAPSHOT if known else Mode.RECOVER
        stamp = Stamp(opened.lsn, opened.time, mode=mode, before_known=known)
        for made in self._events.of_shadow(root, rows, stamp):
            self._epoch.publish(made)
        progress.portion(model, rows[-1] if len(rows) == most else None)
        if not (progress.published or progress.waiting):
            progress.forgotten = False
        if model not in progress.published:
            logger.info("%s is published", model, extra={"action": "published"})
        return len(rows)
