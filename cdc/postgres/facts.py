"""What `check` and `status` must know of a database, its server and our role in it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from cdc.postgres.connect import SCHEMA, Session

_MEGABYTE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Role:
    """The role of source.dsn."""

    name: str
    superuser: bool
    replication: bool  # the attribute, or membership in Amazon's role for it
    creates: bool  # CREATE on the database, which a publication needs


@dataclass(frozen=True, slots=True)
class OldTransaction:
    """A transaction that has written and is open: slots wait for it, and it holds WAL."""

    seconds: float | None  # None where our role may not know (pg_monitor may)
    pid: int | None  # None: prepared
    name: str  # of the role and the application, or of the prepared transaction


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table in Odoo's schema."""

    kind: str  # r table, p partitioned, v view, m materialized view, f foreign
    logged: bool
    primary_key: tuple[str, ...]
    replica_identity: str  # d default, n nothing, f full, i index
    identified: bool  # otherwise publishing it makes Odoo's own UPDATE and DELETE fail
    readable: frozenset[str]  # columns that our role may SELECT
    owned: bool  # by our role: it may put the table into a publication
    rows: int  # estimated
    identity_index: tuple[str, ...] = ()  # of REPLICA IDENTITY USING INDEX, the index's columns


@dataclass(frozen=True, slots=True)
class Facts:
    """A server with one database; sizes in bytes, times in seconds, None: no limit or unknown."""

    version: int  # server_version_num
    system_id: str
    database: str
    encoding: str
    in_recovery: bool
    wal_level: str
    max_replication_slots: int
    replication_slots: int  # used
    max_wal_senders: int
    wal_senders: int  # used
    max_slot_wal_keep_size: int | None
    idle_replication_slot_timeout: float | None  # 18
    wal_sender_timeout: float | None
    role: Role
    oldest_write: OldTransaction | None
    standby_slots: tuple[str, ...] = ()  # physical slots that a standby reads from
    waits_for: str = ""  # synchronized_standby_slots: 17
    tables: Mapping[str, TableFacts] = field(default_factory=dict)


def gather(session: Session, tables: Collection[str] = ()) -> Facts:
    """Ask for everything at once; tables that do not exist are left out of `Facts.tables`.

    Needs no privilege. Raises DatabaseUnreachable.
    """
    server = session.one(
        "SELECT (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),"
        " current_database()::text, current_setting('server_encoding'), pg_is_in_recovery(),"
        " (SELECT count(*)::int FROM pg_catalog.pg_replication_slots),"
        " (SELECT count(*)::int FROM pg_catalog.pg_stat_replication),"
        " ARRAY(SELECT slot_name::text FROM pg_catalog.pg_replication_slots"
        "  WHERE slot_type = 'physical' AND active ORDER BY 1)",
    )
    settings = _settings(session)
    return Facts(
        version=session.version,
        system_id=server[0],
        database=server[1],
        encoding=server[2],
        in_recovery=server[3],
        wal_level=settings["wal_level"],
        max_replication_slots=int(settings["max_replication_slots"]),
        replication_slots=server[4],
        max_wal_senders=int(settings["max_wal_senders"]),
        wal_senders=server[5],
        max_slot_wal_keep_size=_size(settings["max_slot_wal_keep_size"]),
        idle_replication_slot_timeout=_seconds(settings.get("idle_replication_slot_timeout"), 1),
        wal_sender_timeout=_seconds(settings["wal_sender_timeout"], 1000),
        role=_role(session),
        oldest_write=_oldest_write(session),
        standby_slots=tuple(server[6]),
        waits_for=settings.get("synchronized_standby_slots", ""),
        tables=_tables(session, tables) if tables else {},
    )


def _settings(session: Session) -> dict[str, str]:
    return dict(
        session.rows(
            "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN ('wal_level',"
            " 'max_replication_slots', 'max_wal_senders', 'max_slot_wal_keep_size',"
            " 'idle_replication_slot_timeout', 'synchronized_standby_slots',"
            " 'wal_sender_timeout')"
        )
    )


def _size(megabytes: str) -> int | None:
    return None if int(megabytes) < 0 else int(megabytes) * _MEGABYTE


def _seconds(setting: str | None, unit: int) -> float | None:
    """Return seconds for a setting of which `unit` make one; 0 switches such a timeout off."""
    return int(setting) / unit if setting and int(setting) > 0 else None


def _role(session: Session) -> Role:
    name, superuser, replication, creates = session.one(
        "SELECT r.rolname::text, r.rolsuper, r.rolreplication OR r.rolsuper OR EXISTS ("
        "  SELECT FROM pg_catalog.pg_roles c WHERE c.rolname = 'rds_replication'"
        "  AND pg_has_role(r.oid, c.oid, 'MEMBER')),"
        " has_database_privilege(current_database(), 'CREATE')"
        " FROM pg_catalog.pg_roles r WHERE r.rolname = current_user",
    )
    return Role(name, superuser, replication, creates)


def _oldest_write(session: Session) -> OldTransaction | None:
    found = session.row(
        "SELECT * FROM ("
        "  SELECT extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age, l.pid,"
        "   coalesce(a.usename, '?') || ' (' || coalesce(a.application_name, '?') || ')'"
        "  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
        "  WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted"
        "  AND l.pid IS NOT NULL AND l.pid <> pg_backend_pid()"
        "  UNION ALL"
        "  SELECT extract(epoch FROM clock_timestamp() - prepared)::float8, NULL, gid"
        "  FROM pg_catalog.pg_prepared_xacts"
        ") open ORDER BY age DESC NULLS LAST LIMIT 1"
    )
    return None if found is None else OldTransaction(found[0], found[1], found[2])


def _tables(session: Session, tables: Collection[str]) -> dict[str, TableFacts]:
    rows = session.rows(
        "SELECT c.relname::text, c.relkind::text, c.relpersistence = 'p', ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_index i,"
        "   unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place)"
        "  JOIN pg_catalog.pg_attribute a ON a.attnum = k.attnum"
        "  WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid ORDER BY k.place),"
        " c.relreplident::text, c.relreplident = 'f' OR EXISTS ("
        "  SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND"
        "  CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END),"
        " ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
        "  AND a.attnum > 0 AND NOT a.attisdropped"
        "  AND has_column_privilege(c.oid, a.attnum, 'SELECT')),"
        " pg_has_role(c.relowner, 'USAGE'), greatest(c.reltuples, 0)::int8, ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_index i"
        "  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
        "  WHERE i.indrelid = c.oid AND c.relreplident = 'i' AND i.indisreplident)"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = ANY (%s) AND c.relkind IN ('r','p','v','m','f')",
        [SCHEMA, sorted(tables)],
    )
    return {
        name: TableFacts(
            kind, logged, tuple(key), identity, identified, frozenset(may), own, count, tuple(by)
        )
        for name, kind, logged, key, identity, identified, may, own, count, by in rows
    }
