"""What the shadow is of: one database, one slot, one selection. Anything else is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cdc import kafka_schemas
from cdc.checks.routes import does_without, logins, refuse_unfit
from cdc.engine.holding import Holding, Types
from cdc.fitting import Wanted, begin
from cdc.notes import ABOUT, HOLDING, PROGRESS
from cdc.postgres import publication, slot
from cdc.postgres.catalog import attributes, load_models
from cdc.postgres.connect import Session
from cdc.postgres.publication import Needs
from cdc.postgres.refusals import RECOVER, SlotLost, SlotMissing
from cdc.postgres.replication import Replication, System
from cdc.postgres.users import users
from cdc.recalled import GONE, Recalled, recall
from cdc.selection import Selection, select
from cdc.shadow.look import look as look_at_shadow
from cdc.shadow.store import Shadow
from cdc.watermark import NONE_HANDLED
from schemas.config import Config
from schemas.errors import DataAtRisk
from schemas.fields import Models
from schemas.topics import Topics


class ForeignShadow(DataAtRisk):
    """The shadow is not of this database."""

    hint = (
        "Correct source.dsn or `state:`. Where the database was restored, replaced or failed over:"
        f" {RECOVER}"
    )


class ShadowGone(DataAtRisk):
    """The shadow of an earlier capture is not there."""

    hint = (
        "Correct `state:` where it stands elsewhere. Where it is lost, what was deleted since then"
        " cannot be known and stays at the targets: `odoo-cdc capture --recover` loads and sends"
        " every record again; it asks first, or wants --yes."
    )


@dataclass(frozen=True, slots=True)
class Source:
    """What was found in the database; `made` are all columns of the captured tables."""

    wanted: Wanted
    made: Types
    system: System
    slot: slot.SlotState
    publication: publication.PublicationState
    users: dict[str, int]  # ids of the logins that routes ignore
    needs: Needs  # of the publication; its members are not known yet


def look(config: Config, holding: Holding | None) -> Source:
    """Look at the database: models, publication, slot; `holding` is what a shadow holds of it.

    Raises SlotMissing, SlotLost, PublicationMissing where capture could not begin.
    """
    source = survey(config, holding)
    refuse_unready(source)
    return source


def refuse_unready(source: Source) -> None:
    """Raise PublicationMissing, SlotMissing, SlotLost."""
    published = source.publication
    publication.gap(published, replace(source.needs, members=members(source)))
    state = source.slot
    if not state.exists:
        raise SlotMissing(f'there is no replication slot "{state.name}"')
    if state.lost:
        why = f" ({state.invalidation_reason})" if state.invalidation_reason else ""
        raise SlotLost(f'the replication slot "{state.name}" is lost{why}')


def survey(config: Config, holding: Holding | None) -> Source:
    """Look at the database, whatever there is of publication and slot.

    What is found was so at `system.lsn`, or has become so since.
    """
    with Replication.connect(config.source.dsn, "odoo-cdc-capture") as replication:
        system = replication.identify()
    with Session.connect(config.source.dsn) as session:
        models = load_models(session)
        recalled = recall(models, holding or Holding())
        found = users(session, logins(config))
        refuse_unfit(config, recalled.models, found)
        selection = select(config, recalled.models)
        published = publication.look(session, config.source.publication)
        state = slot.look(session, config.source.slot)
        tables = {*selection.names, *(holding or Holding()).tables}
        made = attributes(session, tables)
    unread = {(recalled.models.model(model).table, name) for model, name in recalled.changed}
    types = {
        table: {name: each for name, each in found.items() if (table, name) not in unread}
        for table, found in made.items()
    }
    paused = dict(_paused(config, selection, recalled, models))
    wanted = Wanted(selection, recalled.models, types, paused)
    listed = config.source.publish == "columns"
    there = publication.existing(selection.columns, made)
    needs = Needs({}, there, selection.keys, listed=listed)
    return Source(wanted, made, system, state, published, found, needs)


def _paused(
    config: Config, selection: Selection, recalled: Recalled, models: Models
) -> Iterator[tuple[str, str]]:
    """Yield the models whose documents cannot be made, with the reason.

    A field that is gone stops nobody who says everywhere what is sent in its place.
    """
    for shape in selection.shapes:
        concerned = recalled.concerns(shape)
        gone = all(why == GONE for why in concerned.values())
        if concerned and not (gone and does_without(config, models, shape.model)):
            yield shape.model, "; ".join(f"{m}.{n} {why}" for (m, n), why in concerned.items())


def members(source: Source) -> dict[str, int]:
    """Return what `refuse_gap` wants to know again later; 0 for a table that is not there."""
    there = source.publication.tables
    return {t: there[t].member if t in there else 0 for t in source.wanted.selection.names}


def settle(config: Config, source: Source, shadow: Shadow, topics: Topics) -> dict[str, Any]:
    """Make sure that the shadow is of this source, or make it so; return what it is made of."""
    about = shadow.recall(ABOUT)
    if about is None:
        if kafka_schemas.last_generation(config.kafka, topics.schemas):
            raise ShadowGone(
                f"{shadow.folder} holds no shadow, and Kafka has events of an earlier capture"
            )
        publication.refuse_gap(source.publication, replace(source.needs, members=members(source)))
        about = begin_shadow(config, source, shadow, 0)
    refuse_other_database(source.system, source.slot, shadow, about)
    return about


def known(folder: Path) -> Holding | None:
    """Return what the shadow in a folder holds, None where there is none that says it.

    It must not be open in this process.
    """
    seen = look_at_shadow(folder)
    note = seen.notes.get(HOLDING) if seen else None
    return None if note is None else Holding.from_json(note)


def held(shadow: Shadow) -> Holding:
    """Return what a shadow holds. Raises ForeignShadow for one of another version."""
    note = shadow.recall(HOLDING)
    if note is None:
        raise ForeignShadow(f"{shadow.folder} was made by another version")
    return Holding.from_json(note)


def refuse_foreign(system: System, shadow: Shadow, about: dict[str, Any], lsn: int) -> None:
    """Raise ForeignShadow where the shadow is of another database, while it is being written.

    `lsn` is what was durable before the database was looked at. What only the slot can tell is
    asked when it is followed again.
    """
    if (about["system_id"], about["database"]) != (system.system_id, system.database):
        raise ForeignShadow(f"{shadow.folder} was made of another database")
    if lsn > system.lsn:
        raise ForeignShadow(f"{shadow.folder} is ahead of the database: was that restored?")
    timeline = about.get("timeline", system.timeline)
    if timeline != system.timeline and lsn > system.left.get(timeline, -1):
        raise ForeignShadow(
            f"{shadow.folder} has what the database has not: that is on timeline"
            f" {system.timeline}, which left {timeline} before"
        )


def refuse_other_database(
    system: System, state: slot.SlotState, shadow: Shadow, about: dict[str, Any]
) -> None:
    """Raise ForeignShadow where the shadow is of another database, or the slot has moved on.

    A timeline that was begun behind all that the shadow has is remembered.
    """
    lsn = (shadow.recall(PROGRESS) or {})["lsn"]
    refuse_foreign(system, shadow, about, lsn)
    if about.get("timeline") != system.timeline:
        about["timeline"] = system.timeline
        shadow.note(ABOUT, about)  # durable with the next epoch; until then it is seen again
    if (state.confirmed_flush_lsn or 0) > lsn:
        raise ForeignShadow(f'somebody else has moved the replication slot "{state.name}" on')


def begin_shadow(config: Config, source: Source, shadow: Shadow, former: int) -> dict[str, Any]:
    """Begin a shadow where the slot stands; `former` is the generation of one that is gone."""
    about = {
        "source": config.source.name,
        **identity(source),
        "generation": next_generation(former),
    }
    lsn = source.slot.confirmed_flush_lsn or 0
    holding, progress = begin(source.wanted)
    progress.forgotten = bool(former)
    shadow.note(ABOUT, about)
    shadow.note(HOLDING, holding.to_json())
    shadow.note(PROGRESS, {"lsn": lsn, "handled": NONE_HANDLED, **progress.to_json()})
    shadow.commit()
    shadow.begin()
    return about


def identity(source: Source) -> dict[str, Any]:
    """Return what tells this database, and what is published of it, from another."""
    return {
        "system_id": source.system.system_id,
        "database": source.system.database,
        "timeline": source.system.timeline,
        "published": members(source),
    }


def next_generation(former: int) -> int:
    """Return a generation behind another; UTC seconds."""
    return max(int(time.time()), former + 1)
