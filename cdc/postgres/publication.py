"""The publication: which tables Postgres decodes for us. Whole tables, no lists, no filters.

What is there is looked at, what is wanted is known, and the statements between the two are plain
data: `setup` applies them, `setup --sql` prints them for a DBA.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from psycopg import sql

from cdc.postgres.connect import SCHEMA, Session
from cdc.postgres.refusals import PublicationMissing
from schemas.errors import BadUsage

OPERATIONS: Final = frozenset({"insert", "update", "delete", "truncate"})
_PUBLISH: Final = "publish = 'insert, update, delete, truncate'"


class PublicationUnfit(BadUsage):
    """The publication cannot be made to carry what capture needs."""

    hint = "Name another one as source.publication in sync.yaml, or drop this one."


@dataclass(frozen=True, slots=True)
class Published:
    """One table of a publication; `attnames` are the columns that it carries."""

    attnames: tuple[str, ...]
    listed: bool = False  # it has a column list
    row_filter: str = ""
    member: int = 0  # another number each time that it is put in; 0: it is not named itself


@dataclass(frozen=True, slots=True)
class PublicationState:
    """What there is of a publication; tables outside of Odoo's schema as `schema.table`."""

    name: str
    exists: bool = False
    owner: str = ""
    all_tables: bool = False
    schemas: tuple[str, ...] = ()  # FOR TABLES IN SCHEMA
    via_root: bool = False
    operations: frozenset[str] = OPERATIONS
    tables: Mapping[str, Published] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every table travels whole: no column list, no row filter."""
        return not any(table.listed or table.row_filter for table in self.tables.values())


def look(session: Session, publication: str) -> PublicationState:
    """Return the publication's state; `exists` is false where there is none of that name."""
    found = session.row(
        "SELECT p.oid, pg_catalog.pg_get_userbyid(p.pubowner), p.puballtables, p.pubviaroot,"
        " p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate, ARRAY("
        "  SELECT n.nspname::text FROM pg_catalog.pg_publication_namespace pn"
        "  JOIN pg_catalog.pg_namespace n ON n.oid = pn.pnnspid WHERE pn.pnpubid = p.oid"
        "  ORDER BY 1)"
        " FROM pg_catalog.pg_publication p WHERE p.pubname = %s",
        [publication],
    )
    if found is None:
        return PublicationState(publication)
    oid, owner, all_tables, via_root, *published, schemas = found
    names = ("insert", "update", "delete", "truncate")
    return PublicationState(
        publication,
        exists=True,
        owner=owner,
        all_tables=all_tables,
        schemas=tuple(schemas),
        via_root=via_root,
        operations=frozenset(n for n, yes in zip(names, published, strict=True) if yes),
        tables=_tables(session, publication, oid),
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """Tables that are not published (`lacking`), or were not for a while (`late`).

    `late` has what `Published.member` is for each.
    """

    lacking: frozenset[str] = frozenset()
    late: Mapping[str, int] = field(default_factory=dict)


def gap(state: PublicationState, members: Mapping[str, int]) -> Gap:
    """Return what the stream leaves out, or has left out; `members` as for `refuse_gap`.

    Raises PublicationMissing where it is not single tables that are left out.
    """
    name = f'the publication "{state.name}"'
    if not state.exists:
        raise PublicationMissing(f"{name} is not there")
    filtered = any(table.row_filter for table in state.tables.values())
    if state.operations != OPERATIONS or state.via_root or filtered:
        raise PublicationMissing(f"{name} does not publish all that happens to its tables")
    lacking = frozenset(members) - state.tables.keys()
    there = {t: state.tables[t].member for t in sorted(members) if t not in lacking}
    late = {table: member for table, member in there.items() if member != members[table]}
    if not all(late.values()):
        raise PublicationMissing(f"{name} was another one, without {', '.join(late)}, for a while")
    return Gap(lacking, late)


def refuse_gap(state: PublicationState, members: Mapping[str, int]) -> None:
    """Raise PublicationMissing where a table is not published, or was not for a while.

    `members` are the tables with what `Published.member` was for each when it was loaded. What is
    written to a table that is not published is in no stream.
    """
    found = gap(state, members)
    name = f'the publication "{state.name}"'
    if found.lacking:
        raise PublicationMissing(f"{name} lacks {', '.join(sorted(found.lacking))}")
    if found.late:
        raise PublicationMissing(f"{name} was without {', '.join(found.late)} for a while")


def _tables(session: Session, publication: str, oid: int) -> dict[str, Published]:
    rows = session.rows(
        "SELECT t.schemaname::text, t.tablename::text, t.attnames::text[], t.rowfilter,"
        " coalesce(r.prattrs IS NOT NULL, false), coalesce(r.oid::bigint, 0)"
        " FROM pg_catalog.pg_publication_tables t"
        " JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname"
        " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename"
        " LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = %s AND r.prrelid = c.oid"
        " WHERE t.pubname = %s ORDER BY 1, 2",
        [oid, publication],
    )
    return {
        table if schema == SCHEMA else f"{schema}.{table}": Published(
            tuple(columns or ()), listed, row_filter or "", member
        )
        for schema, table, columns, row_filter, listed, member in rows
    }


def plan(wanted_tables: Collection[str], state: PublicationState) -> list[str]:
    """Return the statements that make the publication carry exactly `wanted_tables`, whole.

    Empty where nothing is to be done. Raises PublicationUnfit for one that is FOR ALL TABLES,
    and for no tables at all.
    """
    if state.all_tables:
        raise PublicationUnfit(f'the publication "{state.name}" is for all tables')
    if not wanted_tables:
        raise PublicationUnfit("there is no table to publish", hint="Add a route to sync.yaml.")
    name = sql.Identifier(state.name).as_string()
    tables = ", ".join(
        f"ONLY {sql.Identifier(SCHEMA, table).as_string()}" for table in sorted(wanted_tables)
    )
    if not state.exists:
        return [f"CREATE PUBLICATION {name} FOR TABLE {tables} WITH ({_PUBLISH})"]
    statements = []
    if set(state.tables) != set(wanted_tables) or state.schemas or not state.whole:
        statements.append(f"ALTER PUBLICATION {name} SET TABLE {tables}")
    if state.operations != OPERATIONS or state.via_root:
        options = f"{_PUBLISH}, publish_via_partition_root = false"
        statements.append(f"ALTER PUBLICATION {name} SET ({options})")
    return statements


def addition(name: str, tables: Collection[str]) -> str:
    """Return the statement that puts tables into a publication, and leaves the others there."""
    names = ", ".join(
        f"ONLY {sql.Identifier(SCHEMA, table).as_string()}" for table in sorted(tables)
    )
    return f"ALTER PUBLICATION {sql.Identifier(name).as_string()} ADD TABLE {names}"


def apply(session: Session, publication: str, statements: Sequence[str]) -> None:
    """Run what `plan` returned, all or nothing.

    The role must own the publication and the tables: NotPermitted otherwise. Raises
    PublicationUnfit for a table that Odoo could no longer change once it is published, and
    StatementFailed for one that cannot be published, such as an unlogged one.
    """
    with session.transaction():
        for statement in statements:
            session.execute(statement.encode())
        if harmed := _unidentified(session, publication):
            raise PublicationUnfit(
                f"without a primary key no row of {', '.join(harmed)} could be changed or"
                " deleted any more once the table is published",
                hint="Give the table a primary key, or a unique index and"
                " ALTER TABLE ... REPLICA IDENTITY USING INDEX; or do not select it.",
            )


def _unidentified(session: Session, publication: str) -> list[str]:
    """Return the published tables whose rows Postgres cannot tell apart in the stream."""
    rows = session.rows(
        "SELECT c.relname::text FROM pg_catalog.pg_publication p"
        " JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid"
        " JOIN pg_catalog.pg_class c ON c.oid = r.prrelid"
        " WHERE p.pubname = %s AND c.relreplident <> 'f' AND NOT EXISTS ("
        "  SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND"
        "  CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)"
        " ORDER BY 1",
        [publication],
    )
    return [name for (name,) in rows]
