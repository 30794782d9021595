"""What `check` says of the source's server, tables, publication and slot, from facts alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from cdc.checks import NOT_HELD, failover, languages, server, stream, tables, wal
from cdc.postgres.facts import OldTransaction
from cdc.postgres.publication import OPERATIONS, PublicationState, Published
from cdc.postgres.slot import SlotState
from schemas.finding import Finding
from tests.check_catalogue.rows import Case, Room, config, facts
from tests.source_facts import MEGABYTE, PUBLICATION, ROLE, SELECTION, SLOT, table
from tests.source_facts import facts as source

_NO_SLOT: Final = SlotState("s", exists=False)
_NONE: Final = PublicationState("p")
_FOR_DATABASE: Final = "source.dsn"


def _server(slot: SlotState = SLOT, **changes: Any) -> list[Finding]:
    found = server.findings(source(**changes), slot)
    # As `check` prints it: what says that the server is too old has a name of its own.
    return [
        replace(each, where=_FOR_DATABASE) if each.where == server.VERSION else each
        for each in found
    ]


def _tables(name: str = "res_partner", **changes: Any) -> list[Finding]:
    return tables.findings(table(name, **changes), SELECTION, PUBLICATION)


def _published(
    *, captured: bool = False, lists: bool = False, slot: SlotState = SLOT, **changes: Any
) -> list[Finding]:
    state = replace(PUBLICATION, **changes)
    return list(stream.of_publication(SELECTION, state, slot, captured=captured, lists=lists))


def _listed(columns: tuple[str, ...], *hidden: str) -> dict[str, Published]:
    """Return tables with column lists, that of `res_partner` with these columns."""
    return {
        "res_partner": Published(columns, listed=True, hidden=frozenset(hidden)),
        "rel": Published(("a", "b"), listed=True),
    }


def _slot(**changes: Any) -> list[Finding]:
    return list(stream.of_slot(source(), replace(SLOT, **changes), captured=True))


Said = dict[str, list[Finding]]


def _of_server() -> Said:
    role = replace(ROLE, replication=False)
    full = _server(_NO_SLOT, replication_slots=10)
    return {
        "the server does not answer": [NOT_HELD],
        "Postgres 14": _server(version=140011),
        "a standby": _server(in_recovery=True),
        "`wal_level = replica`": _server(wal_level="replica"),
        "`server_encoding` is SQL_ASCII": _server(encoding="SQL_ASCII"),
        "no slot is left for ours": full,
        "no WAL sender is left": _server(replace(SLOT, active_pid=None), wal_senders=10),
        "our role has no REPLICATION": _server(role=role),
        "`max_slot_wal_keep_size = -1`": _server(max_slot_wal_keep_size=None),
        "`idle_replication_slot_timeout = 10min`": _server(idle_replication_slot_timeout=600.0),
        "a transaction that is open for more than 10 minutes": _server(
            oldest_write=OldTransaction(4000.0, 812, "odoo (psql)")
        ),
        "a prepared transaction that nobody ends": _server(
            oldest_write=OldTransaction(4000.0, None, "transfer-7")
        ),
    }


def _of_languages() -> Said:
    return {
        f"`lang: {lang}`": list(
            languages.findings(config(Case("source", f"lang: {lang}")), {"fr_FR"})
        )
        for lang in ("fr_XX", "zz_ZZ")
    } | {
        "a domain asks for `day_of_week`, `week_start: sunday`": languages.of_week(
            config(Case("source", "lang: fr_FR")), {"fr_FR": 1}
        ),
        "a domain asks for `day_of_week`, and `res_lang` cannot be read": languages.of_week(
            config(Case("source", "lang: fr_FR")), None
        ),
    }


def _of_tables() -> Said:
    kinds = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "p": "partitions"}
    nobody = tables.findings(source(role=replace(ROLE, creates=False)), SELECTION, _NONE)
    missing = replace(SELECTION, pairs=())
    return {
        "a model whose table is not there": tables.findings(
            source(tables={}), missing, PUBLICATION
        ),
        **{kind: _tables(kind=letter) for letter, kind in kinds.items()},
        "an unlogged table": _tables(logged=False),
        "no primary key": _tables(primary_key=(), identified=False),
        "`REPLICA IDENTITY NOTHING`": _tables(replica_identity="n", identified=False),
        "a primary key of other columns": _tables("rel", primary_key=("id",)),
        "`REPLICA IDENTITY USING INDEX` of other columns": _tables(
            replica_identity="i", identity_index=("ref",)
        ),
        "`publish: columns` and `REPLICA IDENTITY FULL`": tables.findings(
            table(replica_identity="f"), SELECTION, PUBLICATION, lists=True
        ),
        "`publish: columns` and an index of other columns too": tables.findings(
            table(replica_identity="i", identity_index=("id", "ref")),
            SELECTION,
            PUBLICATION,
            lists=True,
        ),
        "a column that our role may not read": _tables(readable=frozenset({"id"})),
        "nothing is published, and the tables are not ours": tables.findings(
            table(owned=False), SELECTION, _NONE
        ),
        "nothing is published, and our role has no CREATE": nobody,
    }


def _of_publication() -> Said:
    listed = {**PUBLICATION.tables, "rel": Published(("a", "b"), listed=True)}
    filtered = {**PUBLICATION.tables, "rel": Published(("a", "b"), row_filter="(a > 1)")}
    return {
        "before `setup`": _published(slot=_NO_SLOT, exists=False),
        "dropped behind capture": _published(captured=True, slot=_NO_SLOT, exists=False),
        "the slot was made first": _published(exists=False),
        "`FOR ALL TABLES`": _published(all_tables=True),
        "another route before `setup`": _published(tables={}),
        "a new route, and capture has run": _published(captured=True, tables={}),
        "a column list, and `publish: tables`": _published(tables=listed),
        "a row filter": _published(tables=filtered),
        "`publish: columns`, and no lists yet, or `setup --for-upgrade`": _published(lists=True),
        "`publish: columns`, and a new field": _published(
            lists=True, captured=True, tables=_listed(("id",), "name")
        ),
        "`publish: columns`, and a field less": _published(
            lists=True, tables=_listed(("id", "name", "ref"))
        ),
        "`publish = 'insert, update, truncate'`": _published(operations=OPERATIONS - {"delete"}),
        "`FOR TABLES IN SCHEMA sales`": _published(schemas=("sales",)),
    }


def _of_slot() -> Said:
    few = {"wal_held": 900 * MEGABYTE, "safe_wal_size": 3 * MEGABYTE}
    return {
        "before `setup`": list(stream.of_slot(source(), _NO_SLOT, captured=False)),
        "dropped behind capture": _slot(exists=False),
        "`wal_status` is lost": _slot(wal_status="lost"),
        "nobody read from it for too long": _slot(invalidation_reason="idle_timeout"),
        "a physical slot": _slot(slot_type="physical"),
        "a slot of another plugin": _slot(plugin="wal2json"),
        "a slot of another database": _slot(database="staging"),
        "a slot with two_phase": _slot(two_phase=True),
        "a temporary slot": _slot(temporary=True),
        "`wal_status` is extended": _slot(wal_status="extended", wal_held=900 * MEGABYTE),
        "`wal_status` is unreserved": _slot(wal_status="unreserved", **few),
        "`stop_at_wal: 100MB`": list(wal.findings(100 * MEGABYTE, None)),
        "`stop_at_wal: 50GB`, `max_slot_wal_keep_size = 20GB`": list(
            wal.findings(50 << 30, 20 << 30)
        ),
    }


def _of_failover() -> Said:
    there = replace(SLOT, failover=True)
    return {
        "`failover: true` and Postgres 16": list(failover.findings(source(version=160009), SLOT)),
        "a slot that was made before": list(
            failover.findings(
                source(standby_slots=("standby",), waits_for="standby"),
                replace(SLOT, failover=False),
            )
        ),
        "no standby": list(failover.findings(source(), there)),
        "`synchronized_standby_slots` is empty": list(
            failover.findings(source(standby_slots=("standby",)), there)
        ),
    }


def rooms() -> list[Room]:
    """Return what is said of the source."""
    return [
        Room("The server", "", facts(_of_server())),
        Room("Languages", "`fr_FR` is active in Odoo.", facts(_of_languages())),
        Room(
            "Tables",
            "`res_partner` is the table of a model, `rel` that of a many2many.",
            facts(_of_tables()),
        ),
        Room("The publication", "", facts(_of_publication())),
        Room("The replication slot", "", facts(_of_slot())),
        Room("Standbys", "With `failover: true`.", facts(_of_failover())),
    ]
