"""Capture of a real Postgres in this process: only Kafka is played, all else is the real thing.

The tables are a test's own; `ir_model` and `ir_model_fields` say what Odoo would say of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString

import psycopg

from cdc.backfill import Unpaced
from cdc.capture import Capture
from cdc.engine.compile import compile_plan
from cdc.engine.events import LARGEST, Events
from cdc.engine.fold import LIMIT, Fold
from cdc.engine.plan import Plan
from cdc.engine.relations import Relations
from cdc.epoch import PROGRESS, Epoch, Topic
from cdc.loading import Marks
from cdc.parts import Parts
from cdc.postgres import publication, publishing, slot
from cdc.postgres.catalog import attributes, generates, load_models
from cdc.postgres.connect import Session
from cdc.postgres.snapshot import RangeReader
from cdc.postgres.stream import Following
from cdc.postgres.watch import LeftOut
from cdc.progress import Progress
from cdc.resending.resends import NoResends
from cdc.selection import flatten
from cdc.shadow.store import Shadow
from cdc.stream import Stream
from schemas.avro import MARKER, SchemaBook, event_schema
from schemas.document import Read
from schemas.event import Document, Event, Mode
from schemas.fields import Models
from schemas.shaping import build

PUBLICATION: Final = "cdc"
_GENERATION: Final = 1_700_000_000

# Of what Odoo 18 has there, all that is read.
CATALOG: Final[LiteralString] = """
    CREATE TABLE ir_model (id serial PRIMARY KEY, model varchar NOT NULL);
    CREATE TABLE ir_model_fields (
        id serial PRIMARY KEY, model varchar NOT NULL, name varchar NOT NULL,
        ttype varchar NOT NULL, relation varchar, relation_field varchar,
        relation_table varchar, column1 varchar, column2 varchar, related varchar,
        field_description jsonb, translate varchar, company_dependent boolean);
"""


class Away(Exception):
    """Kafka is gone, and this process with it."""


@dataclass
class Played:
    """Takes what is published; it is gone after so many events, where that is asked for."""

    values: list[bytes] = field(default_factory=list)
    left: int = -1

    def produce(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        if self.left == 0:
            raise Away
        self.left -= 1
        self.values.append(value)

    def flush(self) -> None:
        """It has them."""


@dataclass
class Captured:
    """One source; each `follow` is a life of capture, which begins where the last one ended."""

    dsn: str
    slot: str
    folder: Path
    reads: Mapping[str, Sequence[str]]  # model -> paths
    kafka: Played = field(default_factory=Played)
    largest: int = LARGEST
    limit: int = LIMIT
    listed: bool = False  # column lists, of what is read

    def begin(self) -> list[Event]:
        """Publish the tables, make the slot, load and publish what is there."""
        with Session.connect(self.dsn) as session:
            state = publication.look(session, PUBLICATION)
            read = {p.name: p.read for p in self.plan(load_models(session)).by_name.values()}
            lists = read if self.listed else dict.fromkeys(read, ())
            made = generates(session, read)
            statements = publishing.plan(lists, state, generated=made)
            publishing.apply(session, PUBLICATION, statements)
        slot.create(self.dsn, self.slot)
        return self.follow()

    def plan(self, models: Models) -> Plan:
        """Compile what is read."""
        shapes = (
            build(models, model, [Read(path) for path in paths])
            for model, paths in sorted(self.reads.items())
        )
        return compile_plan(flatten(tuple(shapes), models))

    def follow(self) -> list[Event]:
        """Capture until caught up; return the events that were published in this life."""
        done = len(self.kafka.values)
        with ExitStack() as stack:
            book = self._run(stack)
            return [book.decode(value) for value in self.kafka.values[done:]]

    def _run(self, stack: ExitStack) -> SchemaBook:
        with Session.connect(self.dsn) as session:
            plan = self.plan(load_models(session))
            types = attributes(session, plan.by_name)
            confirmed = slot.look(session, self.slot).confirmed_flush_lsn
        shadow = stack.enter_context(Shadow(self.folder))
        if shadow.recall(PROGRESS) is None:
            shadow.note(PROGRESS, {"lsn": confirmed, **Progress.begin(plan).to_json()})
            shadow.commit()
            shadow.begin()
        book = SchemaBook()
        heads = {
            root.rank: MARKER + book.add(json.dumps(event_schema("odoo_a", root.shape)))
            for root in plan.roots
        }
        relations = Relations(plan, types)
        fold = Fold(plan, shadow, relations, self.limit)
        topics = {root.rank: Topic(root.shape.model, 1) for root in plan.roots}
        epoch = Epoch(self.kafka, shadow, topics)
        events = Events(plan, fold, _GENERATION, heads, largest=self.largest)
        stream = Stream(plan, relations, fold, events, epoch)
        stream.readiness.snapshot = frozenset(root.shape.model for root in plan.roots)
        stream.readiness.backfill = backfill = Unpaced(self.reads)
        reader = stack.enter_context(closing(RangeReader(self.dsn)))
        stream.marks = marks = stack.enter_context(closing(Marks(reader)))
        stream.resends = resends = NoResends()
        following = Following(self.dsn, self.slot, PUBLICATION)

        parts = Parts(
            plan,
            fold,
            epoch,
            stream,
            marks,
            backfill,
            resends,
            connect=following.begin,
            watch=LeftOut,
            leaves=lambda: False,
        )
        capture = stack.enter_context(closing(Capture(parts, until_caught_up=True)))
        capture.run()
        return book


def declare(connection: psycopg.Connection, model: str, **fields: str | dict[str, Any]) -> None:
    """Tell Odoo's catalog of a model; a field is its type, or columns of ir_model_fields."""
    connection.execute("INSERT INTO ir_model (model) VALUES (%s)", [model])
    for name, said in {"id": "integer", **fields}.items():
        row = {"model": model, "name": name}
        row |= {"ttype": said} if isinstance(said, str) else said
        statement = "INSERT INTO ir_model_fields ({}) VALUES ({})".format(  # noqa: S608 - ours
            ", ".join(row), ", ".join(["%s"] * len(row))
        )
        connection.execute(statement.encode(), list(row.values()))


@dataclass
class Told:
    """What a consumer of the events holds; each event must begin where the one before ended."""

    held: dict[tuple[str, int], Document] = field(default_factory=dict)

    def hear(self, events: Sequence[Event]) -> None:
        """Take in events; AssertionError where one's before image is not what is held."""
        for event in events:
            key = (event.model, event.id)
            if event.mode is Mode.STREAM:
                assert event.before_known
                assert event.before == self.held.get(key), f"before of {key}"
                assert event.before != event.after
            if event.after is None:
                del self.held[key]
            else:
                self.held[key] = event.after

    def of(self, model: str) -> dict[int, Document]:
        """Return the documents of one model."""
        return {row: held for (name, row), held in sorted(self.held.items()) if name == model}


def texts(connection: psycopg.Connection, table: str, names: Sequence[str]) -> Iterator[Document]:
    """Yield the rows of a table as documents whose columns are all texts, as SQL writes them."""
    shown = ", ".join(f"{name}::text" for name in names)
    rows = connection.execute(f"SELECT id, {shown} FROM {table} ORDER BY id".encode())  # noqa: S608 - ours
    for row, *values in rows:
        yield {"id": row, **dict(zip(names, values, strict=True))}
