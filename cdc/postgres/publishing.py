"""Statements that change a publication: plain data, which `setup` runs or prints for a DBA.

Postgres takes a table whose column list changes out and puts it in again, in one transaction,
under another number (pg_publication_rel.oid): nothing is left out, but nobody could tell it from a
table that was out for a while. So who changes lists notes the former numbers in the publication's
comment, in the same transaction (`in_full`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from psycopg import errors, sql

from cdc.postgres.connect import SCHEMA, Row, Session
from cdc.postgres.publication import MEMBERS, OPERATIONS, Lists, PublicationState
from schemas.errors import BadUsage, OdooCdcError, ServiceUnavailable

_PUBLISH: Final = "publish = 'insert, update, delete, truncate'"
_GENERATED: Final = "publish_generated_columns = stored"

# While we wait for a table that Odoo has locked, Odoo may come to wait for one that we have. Who
# has waited for deadlock_timeout looks for such a ring and is ended: that must not be Odoo. It is
# us if we wait longer than that, and Odoo never is if we give up before twice that.
_PATIENCE: Final = (
    "SELECT pg_catalog.set_config('lock_timeout', (setting::int * 3 / 2)::text, true)"
    " FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'"
)
_REMEMBER: Final = (
    "SELECT pg_catalog.set_config('odoo_cdc.members', coalesce(jsonb_object_agg("
    "c.relname, r.oid::int8), '{{}}')::text, true)"
    " FROM pg_catalog.pg_publication p"
    " JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid"
    " JOIN pg_catalog.pg_class c ON c.oid = r.prrelid"
    " AND c.relnamespace = {schema}::pg_catalog.regnamespace WHERE p.pubname = {name}"
)
_NOTE: Final = """DO $odoo_cdc$ BEGIN EXECUTE (
    WITH said AS (
        SELECT oid, coalesce(pg_catalog.obj_description(oid, 'pg_publication'), '') AS text
        FROM pg_catalog.pg_publication WHERE pubname = {name}
    ), had AS (
        SELECT coalesce(nullif(split_part(text, {mark}, 2), ''), '{{}}')::jsonb AS members
        FROM said
    ), has AS (
        SELECT c.relname, to_jsonb(r.oid::int8) AS member, had.members -> c.relname AS former,
            current_setting('odoo_cdc.members')::jsonb -> c.relname AS last
        FROM said JOIN pg_catalog.pg_publication_rel r ON r.prpubid = said.oid
        JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
        AND c.relnamespace = {schema}::pg_catalog.regnamespace CROSS JOIN had
    ), known AS (
        SELECT relname, CASE WHEN last = member THEN former
            WHEN former -> -1 = last THEN former || member
            ELSE jsonb_build_array(last, member) END AS members
        FROM has WHERE last IS NOT NULL
    )
    SELECT format('COMMENT ON PUBLICATION %I IS %L', {name}, split_part(text, {mark}, 1) ||
        {mark} || coalesce((SELECT jsonb_object_agg(relname, members) FROM known
        WHERE members IS NOT NULL), '{{}}')::text)
    FROM said
); END $odoo_cdc$"""


class PublicationUnfit(BadUsage):
    """The publication cannot be made to carry what capture needs."""

    hint = "Name another one as source.publication in sync.yaml, or drop this one."


class TablesLocked(ServiceUnavailable):
    """Somebody else has locked a table that is to be published otherwise."""

    hint = (
        "Nothing has changed. Wait until what holds it has ended (an upgrade of modules, a VACUUM"
        " FULL; pg_stat_activity shows it), then run `odoo-cdc setup` again."
    )


def plan(wanted: Lists, state: PublicationState, *, generated: bool = False) -> list[str]:
    """Return the statements that make the publication carry exactly what is wanted.

    `generated`: stored generated columns are among it, which whole tables leave out by themselves.
    Empty where nothing is to be done. Raises PublicationUnfit for one that is FOR ALL TABLES,
    and for no tables at all.
    """
    if state.all_tables:
        raise PublicationUnfit(f'the publication "{state.name}" is for all tables')
    if not wanted:
        raise PublicationUnfit("there is no table to publish", hint="Add a route to sync.yaml.")
    name = _name(state.name)
    more = [_GENERATED] * (generated and not state.generated)
    if not state.exists:
        options = ", ".join([_PUBLISH, *more])
        return [f"CREATE PUBLICATION {name} FOR TABLE {_tables(wanted)} WITH ({options})"]
    statements = []
    if state.operations != OPERATIONS or state.via_root:
        more = [_PUBLISH, "publish_via_partition_root = false", *more]
    if more:
        statements.append(f"ALTER PUBLICATION {name} SET ({', '.join(more)})")
    if set(state.tables) != set(wanted) or state.schemas or differing(wanted, state):
        statements.append(f"ALTER PUBLICATION {name} SET TABLE {_tables(wanted)}")
    return statements


def differing(wanted: Lists, state: PublicationState) -> list[str]:
    """Return the tables that are published, but otherwise than they are wanted."""
    return [
        table
        for table, columns in sorted(wanted.items())
        if (published := state.tables.get(table)) is not None
        and (
            published.row_filter
            or published.listed != bool(columns)
            or (columns and set(columns) != set(published.attnames))
        )
    ]


def mending(wanted: Lists, state: PublicationState) -> list[str]:
    """Return the statements that put tables in as they are wanted, and leave the others there.

    Such a table has another number then: whoever has loaded it reads it again.
    """
    name = _name(state.name)
    there = ", ".join(f"ONLY {_place(table)}" for table in sorted(wanted) if table in state.tables)
    # What a whole table that is there can hide is a generated column.
    hides = any(t in state.tables and not (c or state.tables[t].listed) for t, c in wanted.items())
    return [
        *[f"ALTER PUBLICATION {name} SET ({_GENERATED})"] * hides,
        *[f"ALTER PUBLICATION {name} DROP TABLE {there}"] * bool(there),
        f"ALTER PUBLICATION {name} ADD TABLE {_tables(wanted)}",
    ]


def in_full(statements: Sequence[str], publication: str, tables: Sequence[str]) -> list[str]:
    """Return all that is to be run, in one transaction, where `plan` says `statements`.

    `tables` are those that are published, of which some get other lists: nobody takes one out
    meanwhile. It waits for no lock longer than so long that Postgres ends nobody else for it.
    """
    if not tables:
        return [_PATIENCE, *statements]
    words = {
        "name": sql.Literal(publication),
        "schema": sql.Literal(SCHEMA),
        "mark": sql.Literal(MEMBERS),
    }
    locked = ", ".join(f"ONLY {_place(table)}" for table in sorted(tables))
    return [
        _PATIENCE,
        f"LOCK TABLE {locked} IN SHARE UPDATE EXCLUSIVE MODE",
        sql.SQL(_REMEMBER).format(**words).as_string(),
        *statements,
        sql.SQL(_NOTE).format(**words).as_string(),
    ]


def apply(
    session: Session, publication: str, statements: Sequence[str], *, adds: bool = True
) -> None:
    """Run what `plan`, `mending`, `without` or `in_full` returned, all or nothing.

    The role must own the publication and the tables: NotPermitted otherwise. Raises TablesLocked,
    PublicationUnfit for a table that Odoo could no longer change once it is published, and
    StatementFailed for one that cannot be published, such as an unlogged one.
    """
    try:
        with session.transaction():
            for statement in statements:
                session.execute(statement.encode())
            if adds:
                _refuse_harm(session, publication)
    except OdooCdcError as error:
        if isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
            raise TablesLocked(str(error)) from error
        raise


def harmed(session: Session, publication: str) -> list[Row]:
    """Return the tables whose rows Odoo cannot change because of how they are published.

    Of each its name, its replica identity (`f`, `n`, `d` or `i`), whether there is the index that
    it asks for, and the columns of that which are not listed.
    """
    return session.rows(
        "SELECT c.relname::text, c.relreplident::text, i.indexrelid IS NOT NULL, ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
        "  AND a.attnum = ANY (i.indkey) AND a.attnum <> ALL (r.prattrs))"
        " FROM pg_catalog.pg_publication p"
        " JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid"
        " JOIN pg_catalog.pg_class c ON c.oid = r.prrelid"
        "  AND c.relnamespace = 'public'::regnamespace"
        " LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid"
        "  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END"
        " WHERE p.pubname = %s AND CASE WHEN c.relreplident = 'f' THEN r.prattrs IS NOT NULL"
        "  ELSE i.indexrelid IS NULL"
        "   OR NOT i.indkey::int2[] <@ coalesce(r.prattrs, i.indkey)::int2[]"
        "  END ORDER BY 1",
        [publication],
    )


def without(tables: Collection[str], state: PublicationState) -> list[str]:
    """Return the statement that takes tables out, and leaves the others."""
    taken = ", ".join(f"ONLY {_place(table)}" for table in sorted(tables))
    return [f"ALTER PUBLICATION {_name(state.name)} DROP TABLE {taken}"]


def sparing(tables: Collection[str], state: PublicationState) -> list[str]:
    """Return the statements that publish some listed tables whole, and leave the others."""
    named = {name: table for name, table in state.tables.items() if table.member}
    lists = {
        name: table.attnames if table.listed and name not in tables else ()
        for name, table in named.items()
    }
    return in_full(plan(lists, state), state.name, list(named))


def _refuse_harm(session: Session, publication: str) -> None:
    """Raise PublicationUnfit for a published table whose rows Odoo could not change any more."""
    found = next(iter(harmed(session, publication)), None)
    if found is None:
        return
    table, identity, identified, beyond = found
    if identity != "f" and not identified:
        raise PublicationUnfit(
            f"without a primary key no row of {table} could be changed or deleted any more once"
            " the table is published",
            hint="Give the table a primary key, or a unique index and"
            " ALTER TABLE ... REPLICA IDENTITY USING INDEX; or do not select it.",
        )
    by = "all its columns (REPLICA IDENTITY FULL)" if identity == "f" else ", ".join(beyond)
    raise PublicationUnfit(
        f"the rows of {table} are told by {by}, which are not all listed: none could be changed"
        " or deleted any more",
        hint=f"ALTER TABLE {table} REPLICA IDENTITY DEFAULT, or write publish: tables.",
    )


def _tables(wanted: Lists) -> str:
    return ", ".join(
        f"ONLY {_place(table)}" + (f" ({', '.join(map(_name, columns))})" if columns else "")
        for table, columns in sorted(wanted.items())
    )


def _place(table: str) -> str:
    return sql.Identifier(SCHEMA, table).as_string()


def _name(text: str) -> str:
    return sql.Identifier(text).as_string()
