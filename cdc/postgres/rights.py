"""What a role may do already: a script for a DBA asks for nothing else."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from cdc.postgres.connect import SCHEMA, Session


@dataclass(frozen=True, slots=True)
class Rights:
    """A role in a database, with what it may; `readable` are columns by table, `whole` tables."""

    role: str
    database: str
    exists: bool = False
    login: bool = False
    replication: bool = False  # the attribute, or membership in Amazon's role for it
    amazon: bool = False  # there is such a role: nobody has the attribute
    connect: bool = False
    usage: bool = False
    readable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()


def look(session: Session, role: str, tables: Collection[str]) -> Rights:
    """Ask what a role may, itself or through others; one that is not there may nothing."""
    database, amazon = session.one(
        "SELECT current_database()::text, EXISTS ("
        "  SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_replication')"
    )
    found = session.row(
        "SELECT r.rolcanlogin, r.rolsuper OR CASE WHEN %(amazon)s"
        "  THEN pg_has_role(r.oid, (SELECT oid FROM pg_catalog.pg_roles"
        "   WHERE rolname = 'rds_replication'), 'MEMBER') ELSE r.rolreplication END,"
        " has_database_privilege(r.oid, current_database(), 'CONNECT'),"
        " has_schema_privilege(r.oid, %(schema)s, 'USAGE')"
        " FROM pg_catalog.pg_roles r WHERE r.rolname = %(role)s",
        {"role": role, "amazon": amazon, "schema": SCHEMA},
    )
    if found is None:
        return Rights(role, database, amazon=amazon)
    login, replication, connect, usage = found
    rows = session.rows(
        "SELECT c.relname::text, has_table_privilege(%(role)s, c.oid, 'SELECT'), ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
        "  AND a.attnum > 0 AND NOT a.attisdropped"
        "  AND has_column_privilege(%(role)s, c.oid, a.attnum, 'SELECT'))"
        " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %(schema)s AND c.relname = ANY (%(tables)s)",
        {"role": role, "schema": SCHEMA, "tables": sorted(tables)},
    )
    return Rights(
        role,
        database,
        exists=True,
        login=login,
        replication=replication,
        amazon=amazon,
        connect=connect,
        usage=usage,
        readable={name: frozenset(columns) for name, _, columns in rows},
        whole=frozenset(name for name, whole, _ in rows if whole),
    )
