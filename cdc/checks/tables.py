"""The tables that the routes need: there, published without harm, readable by our role. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from cdc.postgres.facts import Facts, TableFacts
from cdc.postgres.grants import grants
from cdc.postgres.publication import PublicationState, missing
from cdc.selection import Selection
from schemas.finding import Finding

_ROUTES: Final = "routes"
_TABLE_KINDS: Final = {
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "partitioned",
}


def findings(
    facts: Facts, selection: Selection, published: PublicationState, *, lists: bool = False
) -> list[Finding]:
    """Return what is wrong with tables, in the order of their names; `lists`: of columns."""
    keys = selection.keys
    found: list[Finding] = []
    for name, columns in sorted(selection.columns.items()):
        table = facts.tables.get(name)
        if table is None:
            found.append(_error(f"there is no table {name}", "upgrade its module in Odoo"))
            continue
        found += _kind(name, table)
        found += _identity(name, table, keys[name])
        if lists:
            found += _covered(name, table, columns)
        found += _rights(facts, name, table, columns)
    return found + _ownership(facts, selection, published)


def _kind(name: str, table: TableFacts) -> Iterator[Finding]:
    if table.kind != "r":
        kind = _TABLE_KINDS.get(table.kind, table.kind)
        yield _error(
            f"{name} is {kind}: its rows cannot be captured",
            "take the fields that lead there out of the routes",
        )
    elif not table.logged:
        yield _error(
            f"the table {name} is unlogged: its changes are in no WAL",
            f"ALTER TABLE {name} SET LOGGED",
        )


def _identity(name: str, table: TableFacts, key: Sequence[str]) -> Iterator[Finding]:
    """Tell of tables that Odoo could not change any more, or whose deletes tell too little."""
    if table.kind != "r":
        return
    if not table.identified:
        keyed = table.replica_identity == "n" and table.primary_key
        columns = ", ".join(key)
        yield _error(
            f"the table {name} has no replica identity: once it is published, Odoo's own"
            " UPDATE and DELETE on it fail",
            f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT"
            if keyed
            else f"ALTER TABLE {name} ADD PRIMARY KEY ({columns})",
        )
    elif table.replica_identity == "d" and set(table.primary_key) != set(key):
        yield _error(
            f"the primary key of {name} is ({', '.join(table.primary_key)}), not"
            f" ({', '.join(key)}): a deleted row could not be told",
            f"make ({', '.join(key)}) its primary key, or take the fields out of the routes",
        )
    elif table.replica_identity == "i" and not set(key) <= set(table.identity_index):
        yield _error(
            f"{name} has REPLICA IDENTITY USING INDEX over ({', '.join(table.identity_index)}),"
            f" without ({', '.join(key)}): a deleted row could not be told",
            f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT, or choose an index that has them too",
        )


def _covered(name: str, table: TableFacts, columns: Sequence[str]) -> Iterator[Finding]:
    """Tell of tables that Odoo could not change any more once their columns are listed."""
    remedy = f"ALTER TABLE {name} REPLICA IDENTITY DEFAULT, or write publish: tables"
    fails = "with a column list, Odoo's own UPDATE and DELETE on it fail"
    if table.replica_identity == "f":
        yield _error(f"the table {name} has REPLICA IDENTITY FULL: {fails}", remedy)
    elif more := [c for c in table.identity_index if c not in columns]:
        by = f"is identified by {', '.join(more)} too, which no route selects"
        yield _error(f"the table {name} {by}: {fails}", remedy)


def _rights(
    facts: Facts, name: str, table: TableFacts, columns: Sequence[str]
) -> Iterator[Finding]:
    hidden = [column for column in columns if column not in table.readable]
    if hidden:
        (grant,) = grants(facts.role.name, {name: hidden})
        yield _error(
            f'the role "{facts.role.name}" may not read {name} ({", ".join(hidden)})',
            f"{grant}; `odoo-cdc setup --sql` prints all",
        )


def _ownership(facts: Facts, selection: Selection, published: PublicationState) -> list[Finding]:
    """Tell of what `setup` may not do; nothing where there is nothing to do."""
    lacking = missing(published, selection.columns)
    if not lacking or facts.role.superuser:
        return []
    foreign = [n for n in lacking if n in facts.tables and not facts.tables[n].owned]
    role = f'the role "{facts.role.name}"'
    if foreign:
        message = f"{role} does not own {', '.join(foreign)}: it may not publish them"
    elif not published.exists and not facts.role.creates:
        message = f"{role} may not create a publication in {facts.database}"
    else:
        return []
    remedy = "have the tables' owner run what `odoo-cdc setup --sql` prints"
    return [Finding("error", "source.publication", None, message, remedy)]


def _error(message: str, remedy: str) -> Finding:
    return Finding("error", _ROUTES, None, message, remedy)
