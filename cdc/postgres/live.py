"""The records of one transaction, read row by row: what the engine writes documents from.

For a document or two. Capture reads its shadow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from psycopg import sql

from cdc.engine.encode import Node, encode
from cdc.engine.plan import Plan, RowPlan
from cdc.engine.split import cells_of_values
from cdc.postgres.connect import SCHEMA, Session


@dataclass(slots=True)
class Live:
    """Reads what is asked for (`engine.encode.View`)."""

    session: Session
    plan: Plan
    _rows: dict[tuple[int, int], bytes | None] = field(default_factory=dict)

    def row(self, table: int, row: int) -> bytes | None:
        """Return a row as the shadow would hold it, or None."""
        if (table, row) not in self._rows:
            self._rows[table, row] = self._read(table, row)
        return self._rows[table, row]

    def members(self, index: int, value: int) -> Sequence[int]:
        """Return the ids that an index would have for a value, ascending."""
        table, wanted, column, more = self._index(index)
        conditions = {column: str(value), **more}
        tests = [
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(text))
            for name, text in conditions.items()
        ]
        statement = sql.SQL("SELECT {} FROM ONLY {} WHERE {} ORDER BY 1").format(
            sql.Identifier(wanted), sql.Identifier(SCHEMA, table), sql.SQL(" AND ").join(tests)
        )
        return [int(found) for (found,) in self.session.rows(statement)]

    def record(self, node: Node, row: int) -> bytes | None:
        """Return a record, or None where there is none."""
        return encode(node, row, self)

    def _read(self, table: int, row: int) -> bytes | None:
        plan = self.plan.by_number[table]
        if not isinstance(plan, RowPlan):
            raise TypeError(f"{plan.name} has no rows, only pairs")
        statement = sql.SQL("SELECT {} FROM ONLY {} WHERE id = {}").format(
            sql.SQL(", ").join(map(sql.Identifier, plan.read)),
            sql.Identifier(SCHEMA, plan.name),
            sql.Literal(row),
        )
        result = self.session.raw(statement)
        if not result.ntuples:
            return None
        cells = cells_of_values([result.get_value(0, at) for at in range(result.nfields)])
        return plan.layout.pack(cells) if plan.holds(cells) else None

    def _index(self, index: int) -> tuple[str, str, str, dict[str, str]]:
        """Return an index's table, the column that it gives, the one it is over, and its limit."""
        for pair in self.plan.pairs:
            if index in (pair.left, pair.right):
                left, right = pair.read
                ways = (right, left) if index == pair.left else (left, right)
                return pair.name, *ways, {}
        for plan in self.plan.rows:
            for entries in plan.layout.entries:
                if entries.index == index:
                    links = plan.table.links
                    limit = {links[entries.limit]: entries.wanted.decode()}
                    return (
                        plan.name,
                        "id",
                        links[entries.link],
                        limit if entries.limit >= 0 else {},
                    )
        raise KeyError(index)
