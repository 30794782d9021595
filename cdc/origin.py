"""What the shadow is of: one database, one slot, one selection. Anything else is refused."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from cdc import kafka_schemas
from cdc.checks.routes import logins, refuse_unfit
from cdc.engine.compile import compile_plan
from cdc.engine.plan import Plan
from cdc.engine.relations import Types
from cdc.notes import ABOUT, PROGRESS
from cdc.postgres import publication, slot
from cdc.postgres.catalog import columns, load_models
from cdc.postgres.connect import Session
from cdc.postgres.refusals import SlotLost, SlotMissing
from cdc.postgres.replication import Replication, System
from cdc.postgres.users import users
from cdc.progress import Progress
from cdc.selection import select
from cdc.shadow.store import Shadow
from schemas.config import Config
from schemas.errors import DataAtRisk
from schemas.topics import Topics

logger = logging.getLogger(__name__)


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
class Source:
    """What was found in the database."""

    plan: Plan
    types: Types
    system: System
    slot: slot.SlotState
    publication: publication.PublicationState
    users: dict[str, int]  # ids of the logins that routes ignore


def look(config: Config) -> Source:
    """Look at the database: models, publication, slot."""
    with Session.connect(config.source.dsn) as session:
        models = load_models(session)
        found = users(session, logins(config))
        refuse_unfit(config, models, found)
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
    return Source(plan, held, system, state, published, found)


def _members(plan: Plan, state: publication.PublicationState) -> dict[str, int]:
    """Return what `refuse_gap` wants to know again later; 0 for a table that is not there."""
    return {t: state.tables[t].member if t in state.tables else 0 for t in plan.by_name}


def settle(config: Config, source: Source, shadow: Shadow, topics: Topics) -> dict[str, Any]:
    """Make sure that the shadow is of this source, or make it so; return what it is made of."""
    about = shadow.recall(ABOUT)
    if about is None:
        about = _begin(config, source, shadow, topics)
    refuse_other_database(source.system, source.slot, shadow, about)
    _refuse_unfit(source, about)
    return about


def refuse_unlike(source: Source, shadow: Shadow, about: dict[str, Any], lsn: int) -> None:
    """Raise what `settle` would raise of another file, while the shadow is being written.

    `lsn` is what was durable before the source was looked at. What only the slot can tell is
    asked when it is followed again.
    """
    _refuse_foreign(source.system, shadow, about, lsn)
    _refuse_unfit(source, about)


def refuse_other_database(
    system: System, state: slot.SlotState, shadow: Shadow, about: dict[str, Any]
) -> None:
    """Raise ForeignShadow where the shadow is of another database, or the slot has moved on."""
    lsn = (shadow.recall(PROGRESS) or {})["lsn"]
    _refuse_foreign(system, shadow, about, lsn)
    if (state.confirmed_flush_lsn or 0) > lsn:
        raise ForeignShadow(f'somebody else has moved the replication slot "{state.name}" on')


def _refuse_foreign(system: System, shadow: Shadow, about: dict[str, Any], lsn: int) -> None:
    if (about["system_id"], about["database"]) != (system.system_id, system.database):
        raise ForeignShadow(f"{shadow.folder} was made of another database")
    if lsn > system.lsn:
        raise ForeignShadow(f"{shadow.folder} is ahead of the database: was that restored?")


def _refuse_unfit(source: Source, about: dict[str, Any]) -> None:
    _refuse_other_selection(source, about)
    publication.refuse_gap(source.publication, about["published"])


def _refuse_other_selection(source: Source, about: dict[str, Any]) -> None:
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


def _begin(config: Config, source: Source, shadow: Shadow, topics: Topics) -> dict[str, Any]:
    """Begin a shadow where the slot stands."""
    former = kafka_schemas.last_generation(config.kafka, topics.schemas)
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
    shadow.note(ABOUT, about)
    shadow.note(PROGRESS, {"lsn": lsn, **Progress.begin(source.plan).to_json()})
    shadow.commit()
    shadow.begin()
    return about


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
