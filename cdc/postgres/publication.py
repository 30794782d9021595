"""The publication: which tables and columns Postgres decodes for us, and what it leaves out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cdc.postgres.connect import SCHEMA, Session
from cdc.postgres.refusals import PublicationMissing

OPERATIONS: Final = frozenset({"insert", "update", "delete", "truncate"})
MEMBERS: Final = "\nodoo_cdc.members "
"""In the publication's comment, before what its tables were numbered (`publishing.in_full`)."""

Lists = Mapping[str, Sequence[str]]
"""The columns of each table that are to be published; () is the whole table."""


@dataclass(frozen=True, slots=True)
class Published:
    """One table of a publication: `attnames` are the columns that it carries, `hidden` the others.

    `identity` are those that tell its rows apart, None for all, `members` the numbers that it had
    before, and was never left out since.
    """

    attnames: tuple[str, ...]
    listed: bool = False  # it has a column list
    row_filter: str = ""
    member: int = 0  # another number each time that it is put in; 0: it is not named itself
    hidden: frozenset[str] = frozenset()
    members: frozenset[int] = frozenset()
    identity: frozenset[str] | None = None

    def tells_apart(self, key: Iterable[str]) -> bool:
        """Whether the stream names a key of every row that is changed or deleted."""
        return self.identity is None or self.identity.issuperset(key)

    def was(self, member: int) -> bool:
        """Whether a number is its own, or was and it was not left out since."""
        return member in {self.member, *self.members}

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """Return those of some columns that the table has, and that are not carried."""
        return [column for column in columns if column in self.hidden]


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
    generated: bool = False  # 18: stored generated columns of whole tables travel too
    tables: Mapping[str, Published] = field(default_factory=dict)

    @property
    def lifted(self) -> bool:
        """Whether there are tables and none has a column list."""
        return bool(self.tables) and not any(table.listed for table in self.tables.values())


@dataclass(frozen=True, slots=True)
class Needs:
    """What capture needs of a publication.

    `members` are its tables with what `Published.member` was for each when it was loaded; they may
    change. `columns` are those that it reads, `keys` those that it knows rows by. `listed`: column
    lists are wanted, nothing besides.
    """

    members: Mapping[str, int]
    columns: Lists
    keys: Lists = field(default_factory=dict)
    listed: bool = False


def look(session: Session, publication: str) -> PublicationState:
    """Return the publication's state; `exists` is false where there is none of that name."""
    found = session.row(
        "SELECT p.oid, pg_catalog.pg_get_userbyid(p.pubowner), p.puballtables, p.pubviaroot,"
        " p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,"
        " coalesce(to_jsonb(p) ->> 'pubgencols', '') = 's', ARRAY("
        "  SELECT n.nspname::text FROM pg_catalog.pg_publication_namespace pn"
        "  JOIN pg_catalog.pg_namespace n ON n.oid = pn.pnnspid WHERE pn.pnpubid = p.oid"
        "  ORDER BY 1)"
        " FROM pg_catalog.pg_publication p WHERE p.pubname = %s",
        [publication],
    )
    if found is None:
        return PublicationState(publication)
    oid, owner, all_tables, via_root, *published, generated, schemas = found
    names = ("insert", "update", "delete", "truncate")
    return PublicationState(
        publication,
        exists=True,
        owner=owner,
        all_tables=all_tables,
        schemas=tuple(schemas),
        via_root=via_root,
        operations=frozenset(n for n, yes in zip(names, published, strict=True) if yes),
        generated=generated,
        tables=_tables(session, publication, oid),
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """Tables that are not published with all that is read, or were not for a while.

    `lacking` has the columns that are not published, () for a table that is not there at all;
    `late` what `Published.member` is for each. Of those in `keyless`, which are in `lacking` too,
    the key is none: nobody can say which of their rows is changed or deleted.
    """

    lacking: Lists = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    keyless: frozenset[str] = frozenset()

    @property
    def to_put_in(self) -> frozenset[str]:
        """What another statement to the publication would mend."""
        return frozenset(self.lacking.keys() - self.keyless)

    @property
    def lacks(self) -> str:
        """`res_country, res_partner (name, ref), a key of res_users`."""
        return named(
            {f"a key of {t}" if t in self.keyless else t: c for t, c in self.lacking.items()}
        )


def gap(state: PublicationState, needs: Needs) -> Gap:
    """Return what the stream leaves out, or has left out.

    Raises PublicationMissing where it is not single tables that are left out.
    """
    name = f'the publication "{state.name}"'
    if not state.exists:
        raise PublicationMissing(f"{name} is not there")
    filtered = any(table.row_filter for table in state.tables.values())
    if state.operations != OPERATIONS or state.via_root or filtered:
        raise PublicationMissing(f"{name} does not publish all that happens to its tables")
    members = dict(sorted(needs.members.items()))
    without = keyless(state, needs)
    read = {table: needs.columns.get(table, ()) for table in members}
    lacking = missing(state, read) | dict.fromkeys(sorted(without), ())
    late = {
        table: state.tables[table].member
        for table, member in members.items()
        if table in state.tables and not state.tables[table].was(member)
    }
    if not all(late.values()):
        raise PublicationMissing(f"{name} was another one, without {', '.join(late)}, for a while")
    return Gap(lacking, late, without)


def missing(state: PublicationState, read: Lists) -> dict[str, Sequence[str]]:
    """Return what is read and not published: tables, () for a whole one, with columns."""
    there = state.tables
    hidden = {
        table: there[table].lacks(columns) if table in there else ()
        for table, columns in sorted(read.items())
    }
    return {table: columns for table, columns in hidden.items() if columns or table not in there}


def named(tables: Lists) -> str:
    """Return `res_country, res_partner (name, ref)`."""
    return ", ".join(map(_named, tables, tables.values()))


def keyless(state: PublicationState, needs: Needs) -> frozenset[str]:
    """Return the tables that are published, and whose rows the stream cannot tell apart."""
    there = needs.members.keys() & state.tables.keys()
    return frozenset(
        name for name in there if not state.tables[name].tells_apart(needs.keys.get(name, ()))
    )


def existing(read: Lists, made: Mapping[str, Mapping[str, object]]) -> dict[str, Sequence[str]]:
    """Return, by table, those columns that are there: no others can be published."""
    return {
        table: tuple(name for name in names if name in made.get(table, {})) or names
        for table, names in read.items()
    }


def refuse_gap(state: PublicationState, needs: Needs) -> None:
    """Raise PublicationMissing where a table is not published, or was not for a while.

    What is written to a table that is not published is in no stream.
    """
    found = gap(state, needs)
    name = f'the publication "{state.name}"'
    if found.lacking:
        raise PublicationMissing(f"{name} lacks {found.lacks}")
    if found.late:
        raise PublicationMissing(f"{name} was without {', '.join(found.late)} for a while")


def _named(table: str, columns: Sequence[str]) -> str:
    return f"{table} ({', '.join(columns)})" if columns else table


def _tables(session: Session, publication: str, oid: int) -> dict[str, Published]:
    rows = session.rows(
        "SELECT t.schemaname::text, t.tablename::text, t.attnames::text[], t.rowfilter,"
        " coalesce(r.prattrs IS NOT NULL, false), coalesce(r.oid::bigint, 0), ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid"
        "  AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (t.attnames)),"
        " pg_catalog.obj_description(%s, 'pg_publication'),"
        " CASE WHEN c.relreplident <> 'f' THEN ARRAY("
        "  SELECT a.attname::text FROM pg_catalog.pg_index i"
        "  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)"
        "  WHERE i.indrelid = c.oid AND i.indisvalid"
        "  AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END"
        " ) END"
        " FROM pg_catalog.pg_publication_tables t"
        " JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname"
        " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename"
        " LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = %s AND r.prrelid = c.oid"
        " WHERE t.pubname = %s ORDER BY 1, 2",
        [oid, oid, publication],
    )
    found = {}
    for schema, table, columns, row_filter, listed, member, hidden, comment, identity in rows:
        former = _members(comment).get(table, [])
        found[table if schema == SCHEMA else f"{schema}.{table}"] = Published(
            tuple(columns or ()),
            listed,
            row_filter or "",
            member,
            frozenset(hidden),
            frozenset(former) if former[-1:] == [member] else frozenset(),
            None if identity is None else frozenset(identity),
        )
    return found


def _members(comment: str | None) -> Mapping[str, list[int]]:
    """Return the numbers that each table had, the last one last; {} where somebody wrote over."""
    noted = (comment or "").partition(MEMBERS)[2]
    try:
        found = json.loads(noted) if noted else {}
    except ValueError:  # then what changed is read again, as after any other change
        return {}
    return found if isinstance(found, dict) else {}
