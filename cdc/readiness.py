"""Which models are complete, and what of their documents goes out once they are."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from cdc.engine import since
from cdc.engine.datum import Stamp
from cdc.engine.events import Events
from cdc.engine.fold import Fold
from cdc.engine.plan import Plan, Root
from cdc.engine.relations import Relations
from cdc.epoch import Epoch
from cdc.loading import RangeRead
from cdc.portions import Backfill, Portions
from cdc.progress import Opened, Portion
from cdc.ranges import doubt, follow, take_over
from schemas.event import Mode

logger = logging.getLogger(__name__)

_LAYERS: Final = 8  # each change is noted in all: with so many, nothing more is put off


class Readiness:
    """Lets models begin, wait and go on, as their tables are read; each step ends its epoch."""

    def __init__(
        self, plan: Plan, relations: Relations, fold: Fold, events: Events, epoch: Epoch
    ) -> None:
        """Say nothing yet; `backfill` is set before the first mark."""
        self.backfill: Backfill
        """Who hears of portions."""
        self.widest = 0
        """So many documents a transaction may show in by lookups, 0 for any number."""
        self.snapshot: frozenset[str] = frozenset()
        """The models whose existing documents are published when they are loaded."""
        self._plan, self._relations = plan, relations
        self._fold = fold
        self._events = events
        self._epoch = epoch
        self._portions = Portions(plan, fold.store, events, epoch)

    def begin_again(self) -> None:
        """Go on from what is durable.

        A portion that was not finished comes first: it is older than what the stream brings.
        """
        progress = self._epoch.progress
        progress.publish_only(self.snapshot, {root.shape.model for root in self._plan.roots})
        self.refresh()
        if progress.opened is not None:
            self._publish(progress.opened)

    def refresh(self) -> None:
        """See which models are complete, and what is to be remembered for those that are not."""
        progress, events = self._epoch.progress, self._events
        ranks = {root.rank: root.shape.model for root in self._plan.roots}
        first = progress.waiting - progress.since.keys()
        events.ready = frozenset(r for r, m in ranks.items() if m not in progress.waiting)
        events.awaited = frozenset(r for r, model in ranks.items() if model in first)
        events.due = frozenset(r for r, model in ranks.items() if model in progress.due)
        events.layer, events.wide = progress.next_layer, frozenset(progress.wide)
        events.widest = self.widest if len(progress.layers) < _LAYERS else 0
        self._relations.leave_out(progress.absent)
        follow(self._fold, self._plan, progress)

    def leave_out(self, tables: AbstractSet[str]) -> None:
        """Let the models wait that show tables which the stream leaves out; not in a transaction.

        What comes of these tables is passed over: they are read again when they are back.
        """
        self._epoch.progress.absent |= tables
        self._doubt(tables)
        text = "%s: what was written is not in the stream; read again when it is"
        more = {"action": "alarm", "alarm": "left_out"}
        logger.warning(text, ", ".join(sorted(tables)), extra=more)

    def returned(self, tables: AbstractSet[str]) -> None:
        """Read tables again that are back in the stream."""
        self._epoch.progress.absent -= tables
        self._doubt(tables)

    def put_off(self) -> None:
        """Note what the transaction at hand puts off, and what of that which was it has sent."""
        progress, events = self._epoch.progress, self._events
        for model, documents in events.paid.items():
            progress.paid(model, documents)
        for model, documents in events.put_off.items():
            progress.spread(model, documents, events.layer)
            text = "%s: one transaction shows in %d documents; they are published in portions"
            logger.info(text, model, documents, extra={"action": "put_off"})
        if events.paid or events.put_off:
            self._forget_past()
            self.refresh()

    def range_read(self, read: RangeRead, lsn: int, at: int) -> None:
        """Take a range over at its mark; models begin whose tables are all read.

        `lsn` and `at` (microseconds since 2000-01-01) are those of what is published then.
        """
        progress, table = self._epoch.progress, read.plan.name
        ranks = [root.rank for root in self._plan.roots if root.shape.table == table]
        take_over(read, self._fold, ranks, progress, self._events.pulse)
        self._events.forget()
        complete = progress.complete(self._plan)
        self._begin(complete, Stamp(lsn, at, mode=Mode.RECOVER, before_known=False))
        if not progress.waiting - progress.since.keys():
            self._fold.store.early.clear()
        if complete:
            self._forget_past()
            self.refresh()
        self._epoch.end()

    def portion(self, portion: Portion, lsn: int, at: int) -> None:
        """Publish some documents of a model at their mark; that they are out becomes durable."""
        opened = self._epoch.progress.opened = Opened(portion, lsn, at)
        self._epoch.end()  # from here on it is published as it is now, whatever happens
        self._publish(opened)

    def _begin(self, complete: Iterable[Root], stamp: Stamp) -> None:
        progress, ordinal = self._epoch.progress, 1
        for root in complete:
            if layers := progress.since.get(root.shape.model):
                self._again(root, layers[-1])
                continue
            early = self._events.take_early(root)
            for made in self._events.of_shadow(root, early, stamp, ordinal):
                self._epoch.publish(made)
            ordinal += len(early)
            if root.shape.model in self.snapshot or progress.forgotten:
                progress.publish_from_start([root.shape.model])
            logger.info("%s is loaded", root.shape.model, extra={"action": "loaded"})

    def _again(self, root: Root, layer: int) -> None:
        """Find what of a model may differ since it began to wait."""
        model = root.shape.model
        documents = self._events.make_due(root, layer)
        self._epoch.progress.make_due(model, documents)
        text = "%s is read again; documents that may differ: %d"
        logger.info(text, model, documents, extra={"action": "loaded"})

    def _publish(self, opened: Opened) -> None:
        progress, portion = self._epoch.progress, opened.portion
        done = self._portions.publish(opened)
        if portion.due and portion.model not in progress.due:
            self._forget_past()
            self.refresh()
        progress.opened = None
        self._epoch.end()
        self.backfill.published(done, time.monotonic())

    def _doubt(self, tables: Iterable[str]) -> None:
        doubt(self._fold, self._plan, self._epoch.progress, tables)
        self.refresh()
        self._epoch.end()

    def _forget_past(self) -> None:
        if self._epoch.progress.forget_past():
            since.forget(self._fold.store)
