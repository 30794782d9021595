"""Capture put together from a configuration: what must fit is looked at before it runs."""

from __future__ import annotations

import json
import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cdc import kafka
from cdc.backfill import Paced, Unpaced
from cdc.capture import Capture, Parts
from cdc.checks.routes import refuse_unfit
from cdc.engine.events import Events
from cdc.engine.fold import Fold
from cdc.engine.plan import Plan, compile_plan
from cdc.engine.relations import Relations, Types
from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import Marks
from cdc.pace import Lane, Pace, queues
from cdc.postgres import publication, slot
from cdc.postgres.catalog import columns, load_models
from cdc.postgres.connect import Session
from cdc.postgres.refusals import SlotLost, SlotMissing
from cdc.postgres.replication import Replication, System
from cdc.postgres.snapshot import RangeReader
from cdc.postgres.stream import Following, Watch
from cdc.progress import Progress
from cdc.queues import Queues
from cdc.selection import select
from cdc.shadow.store import Shadow
from cdc.stream import Stream
from cdc.vitals import Vitals
from schemas.avro import MARKER, event_schema, fingerprint
from schemas.config import Config
from schemas.errors import DataAtRisk
from schemas.topics import Topics

logger = logging.getLogger(__name__)

_ABOUT: Final = "about"  # the shadow's note on what it was made of


class ForeignShadow(DataAtRisk):
    """The shadow is not of this database."""

    hint = (
        "Correct source.dsn or `state:`. Where the database was restored or replaced, remove the"
        " folder of the shadow and drop the slot; `odoo-cdc setup` and a start of capture load"
        " everything again and send it."
    )


class SelectionChanged(DataAtRisk):
    """The routes need other tables or columns than the shadow holds."""

    hint = (
        "Undo the change, or remove the folder of the shadow below `state:`: capture then loads"
        " everything again and sends it under a new generation."
    )


@dataclass(frozen=True, slots=True)
class _Source:
    """What was found in the database."""

    plan: Plan
    types: Types
    system: System
    slot: slot.SlotState
    publication: publication.PublicationState


class Assembled(NamedTuple):
    """Capture, and who tells how it stands."""

    capture: Capture
    vitals: Vitals


def assemble(config: Config, stack: ExitStack, *, until_caught_up: bool = False) -> Assembled:
    """Put capture together; what it opens is closed with `stack`.

    Raises before anything is read: DatabaseUnreachable, NoTopic, KafkaAway (exit 3), ConfigError
    (exit 2), SlotMissing, SlotLost, PublicationMissing, ForeignShadow,
    SelectionChanged (exit 4).
    """
    source = _look(config)
    topics = Topics(config.source.name)
    names = {root.rank: topics.events(root.shape.model) for root in source.plan.roots}
    partitions = kafka.partitions(config.kafka, [*names.values(), topics.schemas])
    shadow = stack.enter_context(Shadow(config.state / "capture"))
    about = _settle(config, source, shadow, topics)
    generation = int(about["generation"])
    waiting = _Waiting()
    publisher = kafka.Publisher(config.kafka, waiting)
    stack.callback(publisher.close)
    heads = _write_schemas(config, source.plan, publisher, partitions, generation)
    relations = Relations(source.plan, source.types)
    fold = Fold(source.plan, shadow, relations)
    epoch = Epoch(publisher, shadow, {r: Topic(name, partitions) for r, name in names.items()})
    stream = Stream(
        source.plan, relations, fold, Events(source.plan, fold, generation, heads), epoch
    )
    stream.snapshot = frozenset(r.model for r in config.routes if r.initial_load)
    backfill = Unpaced() if until_caught_up else _paced(config, topics, partitions, stack)
    stream.backfill = backfill
    reader = RangeReader(config.source.dsn)
    stack.callback(reader.close)
    stream.marks = Marks(reader)
    stack.callback(stream.marks.close)
    place = (config.source.dsn, config.source.slot, config.source.publication)
    watch = Watch(*place, about["published"])
    stack.callback(watch.close)
    following = Following(*place)
    parts = Parts(
        source.plan,
        fold,
        epoch,
        stream,
        stream.marks,
        backfill,
        connect=following.begin,
        watch=watch.check,
    )
    capture = Capture(parts, until_caught_up=until_caught_up)
    waiting.capture = capture
    return Assembled(capture, Vitals(capture, parts, shadow, lambda: watch.slot.wal_held))


def _paced(config: Config, topics: Topics, partitions: int, stack: ExitStack) -> Paced:
    """Hold portions to the pace of the workers."""
    lanes = [
        Lane(route.model, topics.events(route.model), topics.deliveries(each), route.initial_load)
        for route in config.routes
        for each in route.targets
    ]
    names = sorted({name for lane in lanes for name in (lane.events, lane.deliveries)})
    looks = Queues(config.kafka, topics.group, names, partitions)
    stack.callback(looks.close)
    return Paced(Pace(queues(lanes)), looks)


class _Waiting:
    """Tells capture that Kafka is slow; the producer is made before it."""

    capture: Capture | None = None

    def __call__(self) -> None:
        if self.capture is not None:
            self.capture.kafka_is_slow()


def _look(config: Config) -> _Source:
    """Look at the database: models, publication, slot."""
    with Session.connect(config.source.dsn) as session:
        models = load_models(session)
        refuse_unfit(config, models)
        plan = compile_plan(select(config, models))
        published = publication.look(session, config.source.publication)
        publication.refuse_gap(published, _members(plan, published))
        state = slot.look(session, config.source.slot)
        if not state.exists:
            raise SlotMissing(f'there is no replication slot "{state.name}"')
        if state.lost:
            raise SlotLost(f'the replication slot "{state.name}" is lost')
        types = {table: dict(found) for table, found in columns(session, plan.by_name).items()}
    with Replication.connect(config.source.dsn, "odoo-cdc-capture") as replication:
        system = replication.identify()
    held = {name: {c: types[name][c] for c in plan.by_name[name].read} for name in plan.by_name}
    return _Source(plan, held, system, state, published)


def _members(plan: Plan, state: publication.PublicationState) -> dict[str, int]:
    """Return what `refuse_gap` wants to know again later; 0 for a table that is not there."""
    return {t: state.tables[t].member if t in state.tables else 0 for t in plan.by_name}


def _settle(config: Config, source: _Source, shadow: Shadow, topics: Topics) -> dict[str, Any]:
    """Make sure that the shadow is of this source, or make it so; return what it is made of."""
    about = shadow.recall(_ABOUT)
    if about is None:
        about = _begin(config, source, shadow, topics)
    _refuse_other_database(source, shadow, about)
    _refuse_other_selection(source, about)
    publication.refuse_gap(source.publication, about["published"])
    return about


def _refuse_other_database(source: _Source, shadow: Shadow, about: dict[str, Any]) -> None:
    system, state = source.system, source.slot
    if (about["system_id"], about["database"]) != (system.system_id, system.database):
        raise ForeignShadow(f"{shadow.folder} was made of another database")
    lsn = (shadow.recall(PROGRESS) or {})["lsn"]
    if lsn > system.lsn:
        raise ForeignShadow(f"{shadow.folder} is ahead of the database: was that restored?")
    if (state.confirmed_flush_lsn or 0) > lsn:
        raise ForeignShadow(f'somebody else has moved the replication slot "{state.name}" on')


def _refuse_other_selection(source: _Source, about: dict[str, Any]) -> None:
    if about["plan"] != _plain(source.plan.describe()):
        raise SelectionChanged(_difference(about["plan"], source.plan.describe()))
    changed = sorted(
        f"{table}.{column}"
        for table, types in source.types.items()
        for column, oid in types.items()
        if about["types"][table][column] != oid
    )
    if changed:
        raise SelectionChanged(f"{', '.join(changed)} has another type than it had")


def _begin(config: Config, source: _Source, shadow: Shadow, topics: Topics) -> dict[str, Any]:
    """Begin a shadow where the slot stands."""
    former = kafka.last_generation(config.kafka, topics.schemas)
    if former:
        logger.warning(
            "the shadow of an earlier capture is gone: everything is loaded and sent again;"
            " records deleted meanwhile are not known",
            extra={"action": "alarm", "alarm": "shadow_lost"},
        )
    about = {
        "source": config.source.name,
        "system_id": source.system.system_id,
        "database": source.system.database,
        "generation": max(int(time.time()), former + 1),
        "plan": _plain(source.plan.describe()),
        "types": source.types,
        "published": _members(source.plan, source.publication),
    }
    lsn = source.slot.confirmed_flush_lsn or 0
    shadow.note(_ABOUT, about)
    shadow.note(PROGRESS, {"lsn": lsn, **Progress.begin(source.plan).to_json()})
    shadow.commit()
    shadow.begin()
    return about


def _write_schemas(
    config: Config, plan: Plan, publisher: kafka.Publisher, partitions: int, generation: int
) -> dict[int, bytes]:
    """Write the schema of each model; return what its events begin with."""
    heads = {}
    for root in plan.roots:
        schema = event_schema(config.source.name, root.shape)
        name = fingerprint(schema)
        kafka.write_schema(
            publisher,
            Topics(config.source.name).schemas,
            partitions,
            name,
            json.dumps(schema),
            generation=generation,
            config=config.fingerprint,
        )
        heads[root.rank] = MARKER + name
    return heads


def _plain(described: dict[str, Any]) -> Any:
    """Return it as JSON gives it back."""
    return json.loads(json.dumps(described))


def _difference(held: dict[str, Any], needed: dict[str, Any]) -> str:
    """Name the tables that differ."""
    names = sorted(
        name
        for name in {*held["tables"], *needed["tables"]}
        if held["tables"].get(name) != _plain(needed["tables"]).get(name)
    )
    return f"the routes need something else of {', '.join(names) or 'the tables'}"
