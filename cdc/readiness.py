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
        since.keep_due(self._fold.store, progress.due)
        self._forget_past()
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
        spread = events.spread
        spread.due = frozenset(r for r, model in ranks.items() if model in progress.due)
        spread.book = progress
        spread.layer, spread.wide = progress.next_layer, frozenset(progress.wide)
        spread.widest = self.widest if len(progress.layers) < _LAYERS else 0
        self._relations.leave_out(progress.absent)
        follow(self._fold, self._plan, progress)

    def leave_out(self, tables: AbstractSet[str]) -> None:
        """Let the models wait that show tables which the stream leaves out; not in a transaction.

        What comes of these tables is passed over: they are read again when they are back.
        """
        self._epoch.progress.absent |= tables
        self._doubt(tables)
        self._say_left_out(tables)

    def lose(self, tables: AbstractSet[str]) -> None:
        """Let the models wait, as they were before the transaction at hand, that show tables.

        It has passed over rows of these: nothing is told of what it shows.
        """
        progress = self._epoch.progress
        progress.absent |= tables
        layer = progress.next_layer
        doubt(self._fold, self._plan, progress, tables)
        begun = {model for model, layers in progress.since.items() if layer in layers}
        known = {t for r in self._plan.roots if r.shape.model in begun for t in r.tables}
        self._fold.keeping.take(self._plan, known, layer, self._fold)
        self.refresh()
        self._say_left_out(tables)

    def returned(self, tables: AbstractSet[str]) -> None:
        """Read tables again that are back in the stream."""
        self._epoch.progress.absent -= tables
        self._doubt(tables)

    def put_off(self) -> None:
        """See what the transaction at hand has put off, and what of that which was it has sent."""
        progress, spread = self._epoch.progress, self._events.spread
        for model, documents in spread.taken.items():
            since.done(self._fold.store, model, documents)
            progress.paid(model, len(documents))
        if models := sorted(m for m, at in progress.since.items() if spread.layer in at):
            text = "one transaction shows in many documents of %s: they go out in portions"
            logger.info(text, ", ".join(models), extra={"action": "put_off"})
        if spread.taken or spread.layer == progress.last_layer:
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
        progress = self._epoch.progress
        if portion.model in progress.waiting or portion.due != (portion.model in progress.due):
            return  # what it was to publish has changed since it was asked for
        opened = progress.opened = Opened(portion, lsn, at)
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

    def _say_left_out(self, tables: AbstractSet[str]) -> None:
        text = "%s: what was written is not in the stream; read again when it is"
        more = {"action": "alarm", "alarm": "left_out"}
        logger.warning(text, ", ".join(sorted(tables)), extra=more)

    def _forget_past(self) -> None:
        if self._epoch.progress.forget_past():
            since.forget(self._fold.store)
