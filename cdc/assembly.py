"""Capture put together from a configuration: what must fit is looked at before it runs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import NamedTuple

from cdc import ask, kafka, kafka_schemas
from cdc.altered import lacking, made_of, relations_of, say_paused
from cdc.backfill import Unpaced
from cdc.beside import Beside
from cdc.capture import Capture
from cdc.engine.events import Events
from cdc.engine.fold import Fold
from cdc.engine.plan import Plan
from cdc.engine.relations import SchemaChanged
from cdc.epoch import Epoch, Topic
from cdc.fitting import Fit, go_on
from cdc.notes import ABOUT, HOLDING, PROGRESS
from cdc.origin import (
    Source,
    held,
    known,
    look,
    members,
    refuse_foreign,
    settle,
)
from cdc.parts import Parts
from cdc.patience import patiently
from cdc.postgres import publication
from cdc.postgres.watch import Watch
from cdc.progress import Progress
from cdc.ranges import forget_ahead
from cdc.resending.added import take_added
from cdc.resending.resends import NoResends, Resends
from cdc.resending.subject import Subject
from cdc.shadow.folder import Lock
from cdc.shadow.store import Shadow
from cdc.stream import Stream
from cdc.vitals import Vitals
from schemas.avro import MARKER, event_schema, fingerprint
from schemas.config import Config
from schemas.mapping import Writing
from schemas.topics import Topics

logger = logging.getLogger(__name__)


class Assembled(NamedTuple):
    """Capture, and who tells how it stands."""

    capture: Capture
    vitals: Vitals


class Ground:
    """What all captures of a process stand on, one file after the other: shadow and producer."""

    def __init__(self, config: Config, stack: ExitStack, lock: Lock) -> None:
        """Look whether everything fits; what is opened is closed with `stack`.

        `lock` is that of the shadow's folder, taken or not.

        Raises before anything is read: DatabaseUnreachable, NoTopic, KafkaAway (exit 3),
        ConfigError (exit 2), SlotMissing, SlotLost, PublicationMissing, ForeignShadow,
        OtherPartitions (exit 4), ShadowInUse (exit 2).
        """
        self.source = look(config, known(lock.folder))
        _refuse_other_partitions(config, self.source)
        self.shadow = stack.enter_context(Shadow(lock.folder, lock))
        self.about = settle(config, self.source, self.shadow, Topics(config.source.name))
        self._holding = held(self.shadow)
        self._suspects: frozenset[str] = frozenset()
        self._waiting = _Waiting()
        self.publisher = kafka.Publisher(config.kafka, self._waiting)
        stack.callback(self.publisher.close)
        self._parts: Parts | None = None

    @property
    def paused(self) -> Mapping[str, str]:
        """The models whose documents wait for a column, with the reason."""
        return {} if self._parts is None else self._parts.epoch.progress.paused

    def examine(self, config: Config) -> Source:
        """Hold another file against all of it, while capture runs; from any thread.

        Raises what a start with it would raise, and nothing has changed.
        """
        if self._parts is None:
            raise RuntimeError("nothing is assembled yet")
        lsn = self._parts.epoch.watermark.durable
        source = look(config, self._holding)
        refuse_foreign(source.system, self.shadow, self.about, lsn)
        _refuse_other_partitions(config, source)
        return source

    def look_again(self, config: Config, changed: SchemaChanged) -> Source:
        """Look at a database whose tables have changed; capture stands still, and left it at that.

        What was begun is thrown away: it comes again.
        """
        if self._parts is None:
            raise RuntimeError("nothing is assembled yet")
        logger.warning("%s: looking at the database again", changed, extra={"action": "altered"})
        self._parts.epoch.reset()
        self._suspects = frozenset({changed.table})
        return patiently(lambda: look(config, self._holding), _say_away)

    def fits(self, source: Source) -> None:
        """Raise RecoveryUnderWay where a file cannot follow; capture has ended its last epoch."""
        note = self.shadow.recall(PROGRESS) or {}
        go_on(source.wanted, held(self.shadow), Progress.from_json(note))

    def assemble(
        self, config: Config, source: Source, stack: ExitStack, *, until_caught_up: bool = False
    ) -> Assembled:
        """Put capture together where the shadow stands; what it opens is closed with `stack`.

        No other one may run. Waits for Kafka, which must have the schemas of its events.
        """
        topics, count = Topics(config.source.name), config.topics.partitions
        before, self._waiting.capture = self._parts, None
        generation = int(self.about["generation"])
        fit = self._fit(config, source)
        plan = fit.plan
        heads = _write_schemas(config, plan, source.users, self.publisher, generation)
        relations = relations_of(fit, source)
        fold = Fold(plan, self.shadow, relations)
        into = {root.rank: Topic(topics.events(root.shape.model), count) for root in plan.roots}
        epoch = Epoch(self.publisher, self.shadow, into)
        events = Events(plan, fold, generation, heads, frozenset(source.users.values()))
        stream = Stream(plan, relations, fold, events, epoch)
        stream.readiness.widest = config.source.fanout_limit
        stream.readiness.snapshot = config.loaded_models
        backfill = (
            Unpaced([route.model for route in config.routes])
            if until_caught_up
            else ask.paced(config, topics, count, stack)
        )
        stream.readiness.backfill = backfill
        stream.marks = ask.marks(config, lacking(plan, source), stack)
        stream.resends = resends = (
            NoResends()
            if isinstance(backfill, Unpaced)
            else Resends(
                self.shadow,
                epoch,
                events,
                _subject(config, fit),
                ask.commands(config, generation, stack),
                backfill,
                Topic(topics.command_results, count),
                ask.sent(config, stack),
                ask.workers(config, stack),
            )
        )
        watch = self._watch(
            config, source, plan, patient=not until_caught_up, current=before is None
        )
        stack.callback(watch.close)
        beside = Beside(config, self.shadow, self.about, self.publisher, watch)
        stream.returned = beside.returned
        beside.epoch = epoch
        parts = Parts(
            plan,
            fold,
            epoch,
            stream,
            stream.marks,
            backfill,
            resends,
            connect=beside.connect,
            watch=beside.look,
            leaves=beside.leaves,
            altered=beside.altered,
            load_rate=config.source.load_rate,
            passing=fit.passing,
        )
        if before is not None:
            _count_on(parts, before)
        capture = Capture(parts, until_caught_up=until_caught_up)
        capture.connected_once = before is not None  # then it is patient with Postgres
        self._waiting.capture, self._parts = capture, parts
        return Assembled(capture, Vitals(capture, parts, self.shadow, beside.wal))

    def _watch(
        self, config: Config, source: Source, plan: Plan, *, patient: bool, current: bool
    ) -> Watch:
        """Look at what the stream of a plan depends on."""
        columns = {table.name: table.read for table in plan.by_name.values()}
        read = publication.existing(columns, source.made)
        needs = replace(source.needs, members=self.about["published"], columns=read)
        place = (config.source.dsn, source.publication, config.source.slot)
        return Watch(*place, needs, made_of(plan, source), patient=patient, current=current)

    def _fit(self, config: Config, source: Source) -> Fit:
        """Make the shadow fit for a file, and remember what it is made of."""
        shadow = self.shadow
        note = shadow.recall(PROGRESS) or {}
        former = Progress.from_json(note)
        made = go_on(source.wanted, held(shadow), former, self._suspects)
        self._suspects = frozenset()
        for name in made.skipped:  # what the stream touched before is read again too
            forget_ahead(shadow, made.plan.by_name[name])
        say_paused(former.paused, made.progress.paused)
        begun = made.begun & config.loaded_models
        made.progress.publish_from_start(begun - made.progress.waiting)
        take_added(shadow, config.routes, made.first_loads, config.topics.partitions)
        self._know_members(source)
        shadow.note(ABOUT, self.about)
        shadow.note(HOLDING, made.holding.to_json())
        shadow.note(PROGRESS, {**note, **made.progress.to_json()})
        shadow.commit()
        shadow.read_as(made.formers)
        shadow.begin()
        self._holding = made.holding
        if made.passing:
            text = "%s must be read for the file; till then documents are what they were"
            names = ", ".join(sorted(made.progress.frontiers))
            logger.info(text, names, extra={"action": "reading"})
        return made

    def _know_members(self, source: Source) -> None:
        """Remember since when each table is published; one that was known stays what it was.

        But for one whose list has changed meanwhile: that was no gap.
        """
        found, before = members(source), self.about["published"]
        there = source.publication.tables
        went_on = {t for t, at in before.items() if t in there and at in there[t].members}
        self.about["published"] = {
            t: member if t in went_on else before.get(t, member) for t, member in found.items()
        }


def _say_away(error: Exception) -> None:
    logger.warning("%s: waiting", error, extra={"action": "disconnected"})


def _count_on(parts: Parts, before: Parts) -> None:
    """Count from the start of the process, whoever has counted till now."""
    parts.epoch.events, parts.epoch.total = before.epoch.events, before.epoch.total
    parts.stream.transactions = before.stream.transactions
    parts.stream.commit_time = before.stream.commit_time


def _refuse_other_partitions(config: Config, source: Source) -> None:
    schemas = Topics(config.source.name).schemas
    models = (shape.model for shape in source.wanted.selection.shapes)
    names = [*map(Topics(config.source.name).events, models), schemas]
    kafka.refuse_other_partitions(config.kafka, names, config.topics.partitions)


def _subject(config: Config, fit: Fit) -> Subject:
    """Return what may be sent again."""
    source = config.source
    writing = Writing(source.name, source.context, config.decimals, source.mask_key)
    roots = {root.shape.model: root for root in fit.plan.roots}
    return Subject(Topics(source.name), roots, config.routes, writing, passing=fit.passing)


class _Waiting:
    """Tells capture that Kafka is slow; the producer is made before it."""

    capture: Capture | None = None

    def __call__(self) -> None:
        if self.capture is not None:
            self.capture.kafka_is_slow()


def _write_schemas(
    config: Config,
    plan: Plan,
    users: dict[str, int],
    publisher: kafka.Publisher,
    generation: int,
) -> dict[int, bytes]:
    """Write the schema of each model; return what its events begin with."""
    heads = {}
    for root in plan.roots:
        schema = event_schema(config.source.name, root.shape, users)
        name = fingerprint(schema)
        kafka_schemas.write_schema(
            publisher,
            Topics(config.source.name).schemas,
            config.topics.partitions,
            name,
            json.dumps(schema),
            generation=generation,
            config=config.fingerprint,
        )
        heads[root.rank] = MARKER + name
    return heads
