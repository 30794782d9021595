"""One document as the database has it at this moment: the event that a first load would publish.

The engine writes it as it always does; the rows come from Postgres one by one instead of from
the shadow, so nothing need run and nothing is kept.
"""

from __future__ import annotations

import json
import time

from cdc.checks.routes import logins, refuse_unfit
from cdc.engine.compile import compile_plan
from cdc.engine.datum import Images, Stamp, Writer
from cdc.engine.encode import zigzag
from cdc.engine.events import LARGEST
from cdc.engine.plan import Plan, Root
from cdc.pgoutput.values import EPOCH_SECONDS
from cdc.postgres.catalog import load_models
from cdc.postgres.connect import Session
from cdc.postgres.live import Live
from cdc.postgres.users import users
from cdc.selection import select
from schemas.avro import MARKER, SchemaBook, event_schema, fingerprint
from schemas.config import Config
from schemas.errors import NothingFound
from schemas.event import Event, Mode
from schemas.fields import Unknown, nearest
from schemas.position import parse_lsn

NO_GENERATION = 0  # before all that were ever published: nobody takes it for one of these


class NoSuchRecord(NothingFound):
    """The model has no record of that id."""

    hint = "Odoo shows a record's id in its address, and in the menu of developer mode."


def sample(config: Config, model: str, record: int) -> Event:
    """Return the event of a record as of now, with the position of no event that was published.

    Raises Unknown where no route reads the model, NoSuchRecord, and what `check` says of routes.
    """
    with Session.connect(config.source.dsn, "odoo-cdc-sample") as session:
        models = load_models(session)
        known = users(session, logins(config))
        refuse_unfit(config, models, known)
        plan = compile_plan(select(config, models))
        root = _root(plan, model)
        with session.transaction(snapshot=True):
            lsn = parse_lsn(session.one("SELECT pg_catalog.pg_current_wal_lsn()")[0])
            live = Live(session, plan)
            after, stored = live.record(root.node, record), live.row(root.node.table, record)
    if after is None:
        raise NoSuchRecord(f"there is no {model} {record}")
    schema = event_schema(config.source.name, root.shape, known)
    now = round((time.time() - EPOCH_SECONDS) * 1_000_000)
    writer = Writer(zigzag(NO_GENERATION), Stamp(lsn, now, mode=Mode.SNAPSHOT), LARGEST)
    head = MARKER + fingerprint(schema)
    book = SchemaBook()
    book.add(json.dumps(schema))
    return book.decode(writer.write(head, root, record, 1, Images(None, after, stored)))


def _root(plan: Plan, model: str) -> Root:
    names = [root.shape.model for root in plan.roots]
    if model not in names:
        raise Unknown(f"no route reads {model}", nearest=nearest(model, names))
    return plan.roots[names.index(model)]
