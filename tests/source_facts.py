"""A source as it should be: a server, its tables, the publication and the slot, as facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from cdc.postgres.facts import Facts, Role, TableFacts
from cdc.postgres.publication import PublicationState, Published
from cdc.postgres.slot import SlotState
from cdc.selection import PairTable, Selection, Table

MEGABYTE: Final = 1 << 20
ROLE: Final = Role("cdc", superuser=False, replication=True, creates=True)
_TABLE: Final = TableFacts(
    kind="r",
    logged=True,
    primary_key=("id",),
    replica_identity="d",
    identified=True,
    readable=frozenset({"id", "name"}),
    owned=True,
    rows=10,
)
_PAIR: Final = replace(_TABLE, primary_key=("a", "b"), readable=frozenset({"a", "b"}))
_FACTS: Final = Facts(
    version=180004,
    system_id="7",
    database="odoo",
    encoding="UTF8",
    in_recovery=False,
    wal_level="logical",
    max_replication_slots=10,
    replication_slots=1,
    max_wal_senders=10,
    wal_senders=1,
    max_slot_wal_keep_size=1000 * MEGABYTE,
    idle_replication_slot_timeout=None,
    wal_sender_timeout=60.0,
    role=ROLE,
    oldest_write=None,
    tables={"res_partner": _TABLE, "rel": _PAIR},
)
SELECTION: Final = Selection(
    (),
    (Table("res_partner", (), ("name",), (), ()),),
    (PairTable("rel", "a", "b"),),
)
SLOT: Final = SlotState(
    "s",
    exists=True,
    plugin="pgoutput",
    slot_type="logical",
    database="odoo",
    active_pid=7,
    wal_status="reserved",
    wal_held=MEGABYTE,
)
PUBLICATION: Final = PublicationState(
    "p", exists=True, tables={"res_partner": Published(("id",)), "rel": Published(("a", "b"))}
)


def facts(**changes: Any) -> Facts:
    """Return the facts with changes."""
    return replace(_FACTS, **changes)


def table(name: str = "res_partner", **changes: Any) -> Facts:
    """Return the facts with changes of a table."""
    tables = {**_FACTS.tables, name: replace(_FACTS.tables[name], **changes)}
    return replace(_FACTS, tables=tables)
