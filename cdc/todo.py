"""What stands between a source as it is and as the file wants it, as steps; and doing them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cdc.kafka_admin import Admin, missing
from cdc.postgres import publication, publishing, slot
from cdc.postgres.catalog import generates
from cdc.postgres.connect import Session
from cdc.postgres.publication import Lists, PublicationState
from cdc.postgres.refusals import SlotLost
from cdc.selection import Selection, reader
from cdc.topics import TopicPlan, wanted
from schemas.config import Config
from schemas.errors import BadUsage, DataAtRisk

OWNER: Final = "the owner of Odoo's tables, with CREATE on the database; or a superuser"
REPLICATION: Final = "a role with REPLICATION"
MAKER: Final = "Kafka: CREATE on the topic or the cluster"
CHANGER: Final = "Kafka: ALTER_CONFIGS on the topic"
_REPEAT: Final = 5.0  # seconds between two lines about what the slot waits for


class SlotUnfit(BadUsage):
    """The replication slot is not one that capture can read."""

    hint = "Name another one as source.slot in sync.yaml, or drop this one."


class SlotOlder(DataAtRisk):
    """The replication slot is older than the publication will be."""

    # Up to Postgres 17 the stream breaks off at what was written in between; 18 leaves it out.
    hint = (
        "What was written between the two cannot be read. Drop the slot (SELECT"
        " pg_drop_replication_slot('NAME')) and run `odoo-cdc setup` again: it makes the"
        " publication first. Where capture has run, `odoo-cdc capture --recover` does all of it,"
        " and publishes exactly what it has missed."
    )


class NoFailover(BadUsage):
    """The server cannot synchronise replication slots to standbys."""

    hint = (
        "Leave `failover` out of sync.yaml, or use Postgres 17 or newer. After a failover that"
        " left the slot behind, `odoo-cdc capture --recover` publishes exactly what was missed."
    )


class Waiting:
    """Says now and then what the creation of the slot waits for."""

    def __init__(self, say: Callable[[str], object]) -> None:
        """Have said nothing yet."""
        self._say = say
        self._said = -_REPEAT

    def __call__(self, waiting: tuple[slot.Waiting, ...]) -> None:
        """Say it, unless that was said just now."""
        now = time.monotonic()
        if now - self._said >= _REPEAT:
            self._said = now
            names = ", ".join(map(str, waiting))
            self._say(f"the slot waits for a transaction to end: {names}")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, and who may."""

    what: str
    needs: str


@dataclass(frozen=True, slots=True)
class Todo:
    """What is to be done, in this order; nothing where everything is as it should be."""

    topics: tuple[TopicPlan, ...] = ()
    settings: tuple[TopicPlan, ...] = ()
    statements: tuple[str, ...] = ()
    slot: str = ""
    failover: str = ""  # a slot that is there, and is to be synchronised to standbys
    kept: tuple[str, ...] = ()  # what a running capture may still read, and nobody else
    members: tuple[str, ...] = ()  # the tables that are published, where some get other lists

    def steps(self) -> list[Step]:
        """Return every step, for people."""
        return [
            *(
                Step(f"make the topic {t.name}, {t.partitions} partitions", MAKER)
                for t in self.topics
            ),
            *(Step(f"change the settings of the topic {t.name}", CHANGER) for t in self.settings),
            *(Step(statement, OWNER) for statement in self.statements),
            *[Step(f"create the replication slot {self.slot}", REPLICATION)] * bool(self.slot),
            *[
                Step(f"have the replication slot {self.failover} synchronised", REPLICATION),
            ]
            * bool(self.failover),
        ]


def look(config: Config, session: Session, selection: Selection, admin: Admin) -> Todo:
    """Compare what is there with what the file wants.

    Raises KafkaAway, DatabaseUnreachable (exit 3), PartitionsFixed, PublicationUnfit, SlotUnfit,
    NoFailover (exit 2), SlotLost, SlotOlder (exit 4).
    """
    plans = wanted(config)
    known = admin.partitions()
    lacking = missing(plans, known)
    state = slot.look(session, config.source.slot)
    if state.exists:
        refuse_unfit(state, session.one("SELECT current_database()::text")[0])
        if state.lost:
            raise SlotLost(f'the replication slot "{state.name}" is lost')
    found = publication.look(session, config.source.publication)
    refuse_older(state, found)
    refuse_no_failover(config, session.version)
    behind = state.exists and config.source.failover and not state.failover
    return replace(
        publish(config, session, selection, found, state),
        topics=tuple(lacking),
        settings=tuple(admin.differing([plan for plan in plans if plan.name in known])),
        slot="" if state.exists else state.name,
        failover=state.name if behind else "",
    )


def publish(
    config: Config,
    session: Session,
    selection: Selection,
    found: PublicationState,
    state: slot.SlotState,
) -> Todo:
    """Return what is to be done about the publication. Raises PublicationUnfit."""
    lists = wanted_lists(config, selection)
    # A capture that goes by another file yet: what it still reads stays until it does not.
    other = state.active_pid and slot.reader(session, state) != reader(selection.columns)
    united = unite(lists, found) if other else lists
    made = generates(session, selection.columns)
    return Todo(
        statements=tuple(publishing.plan(united, found, generated=made)),
        kept=tuple(_beyond(lists, united)),
        members=_members(found) if publishing.differing(united, found) else (),
    )


def lift(found: PublicationState) -> Todo:
    """Return what publishes all tables whole that are published; nothing where they are."""
    whole = dict.fromkeys(_members(found), ())
    listed = any(table.listed for table in found.tables.values())
    statements = publishing.plan(whole, found) if listed else []
    return Todo(statements=tuple(statements), members=_members(found))


def wanted_lists(config: Config, selection: Selection) -> Lists:
    """Return what is to be published: the selected columns, the key first, or whole tables."""
    if config.source.publish == "columns":
        return selection.columns
    return dict.fromkeys(selection.names, ())


def unite(lists: Lists, found: PublicationState) -> Lists:
    """Return what is wanted and what is there: nothing is taken from who reads it."""
    united = dict(lists)
    for table in _members(found):
        there = found.tables[table]
        columns = lists.get(table, there.attnames)
        more = [name for name in there.attnames if name not in columns]
        united[table] = (*columns, *more) if columns and there.listed else ()
    return united


def _beyond(lists: Lists, united: Lists) -> Iterator[str]:
    """Say what is published that is not wanted."""
    for table, columns in sorted(united.items()):
        if table not in lists:
            yield table
        elif lists[table] and not columns:
            yield f"{table} (whole)"
        elif more := columns[len(lists[table]) :]:
            yield f"{table} ({', '.join(more)})"


def _members(found: PublicationState) -> tuple[str, ...]:
    return tuple(sorted(name for name, table in found.tables.items() if table.member))


def do(
    todo: Todo, config: Config, session: Session, admin: Admin, on_wait: slot.OnWait | None = None
) -> None:
    """Do it. Topics first: nobody waits for them; the slot last: it holds WAL from then on.

    The publication is there before the slot, whose decoding would not see it otherwise.
    """
    admin.make(todo.topics)
    admin.change(todo.settings)
    if todo.statements:
        change(session, config.source.publication, todo)
    if todo.slot:
        wanted = config.source.failover
        slot.create(config.source.dsn, todo.slot, failover=wanted, on_wait=on_wait)
    if todo.failover:
        slot.synchronise(session, config.source.dsn, todo.failover)


def change(session: Session, name: str, todo: Todo) -> None:
    """Change the publication. Raises what `publishing.apply` raises."""
    publishing.apply(session, name, publishing.in_full(todo.statements, name, todo.members))


def unfit(state: slot.SlotState, database: str) -> str:
    """Say why capture of `database` cannot read from an existing slot, "" where it can."""
    if state.slot_type != "logical":
        return f"it is {state.slot_type}, not logical"
    if state.plugin != slot.PLUGIN:
        return f"its plugin is {state.plugin}, not {slot.PLUGIN}"
    if state.database != database:
        return f"it belongs to the database {state.database}, not {database}"
    if state.two_phase:
        return "it decodes prepared transactions (two_phase)"
    return "it is temporary" if state.temporary else ""


def refuse_no_failover(config: Config, version: int) -> None:
    """Raise NoFailover where the file wants it of a server that has none."""
    if config.source.failover and version < slot.FAILOVER:
        raise NoFailover(f"Postgres {version // 10000} synchronises no slots to standbys")


def refuse_older(state: slot.SlotState, found: publication.PublicationState) -> None:
    """Raise SlotOlder where the slot is there and the publication is not."""
    if state.exists and not found.exists:
        raise SlotOlder(
            f'the replication slot "{state.name}" is there, the publication "{found.name}" is not'
        )


def refuse_unfit(state: slot.SlotState, database: str) -> None:
    """Raise SlotUnfit where capture of `database` cannot read from an existing slot."""
    if why := unfit(state, database):
        raise SlotUnfit(f'the replication slot "{state.name}": {why}')
