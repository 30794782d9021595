"""Rows as of one moment, a key range at a time, and marks in the WAL.

No transaction outlives a call: nothing here pins old rows or holds a lock for longer than one
range takes to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import errors, sql
from psycopg.pq.abc import PGresult

from cdc.engine.relations import SchemaChanged
from cdc.postgres.connect import SCHEMA, Session, StatementFailed
from schemas.position import Lsn, parse_lsn

_WRAP: Final = 1 << 32  # transaction ids in the stream have 32 bits
_HALF: Final = 1 << 31
_FLUSHES_MARKS: Final = 170000
_BYTES: Final = 8 * 1024 * 1024  # of a range's cells: then it ends, however few rows it has
_FIRST: Final = 25  # rows that are asked for at once, at first, and at most: they may be large
_MOST: Final = 250

Rows = list[list[bytes | None]]
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a range was read as of: `pg_current_snapshot()`, transaction ids of 64 bits."""

    xmin: int
    xmax: int
    xip: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Snapshot:
        """Read `xmin:xmax:xip,xip`; ValueError for anything else."""
        xmin, xmax, xip = text.split(":")
        return cls(int(xmin), int(xmax), frozenset(int(xid) for xid in xip.split(",") if xid))

    def sees(self, xid: int) -> bool:
        """Say whether the snapshot shows what the committed transaction `xid` wrote.

        `xid` has 32 bits, as Begin carries it; it lies within 2^31 of the snapshot, as all that
        is alive does (Postgres manual, "Preventing Transaction ID Wraparound Failures").
        """
        whole = self.xmax + (xid - self.xmax + _HALF) % _WRAP - _HALF
        return whole < self.xmin or (whole < self.xmax and whole not in self.xip)


@dataclass(frozen=True, slots=True)
class Range:
    """The rows of one range in the order of the key; `last` is None at the table's end."""

    rows: Rows
    last: Key | None
    snapshot: Snapshot
    types: dict[str, int]


class RangeReader:
    """Reads ranges over a connection of its own, opened at the first use and again when lost."""

    def __init__(
        self,
        dsn: str,
        application_name: str = "odoo-cdc-load",
        lacking: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        """Remember where to connect; nothing happens yet.

        `lacking` are columns, by table, that are not asked for and read as NULL.
        """
        self._lacking = lacking or {}
        self.dsn = dsn
        self.application_name = application_name
        self._session: Session | None = None

    def read(
        self,
        table: str,
        columns: Sequence[str],
        key_columns: Sequence[str],
        after: Key | None,
        limit: int,
        where: tuple[str, frozenset[str]] | None = None,
    ) -> Range:
        """Read up to `limit` rows behind the key `after`, cells as pgoutput sends them.

        Fewer where they are large: memory holds some megabytes of them, or 250 rows.

        `key_columns` are among `columns` and hold integers. A column or table that is gone
        raises SchemaChanged; also StatementFailed, DatabaseUnreachable and NotPermitted.
        """
        lacking = self._lacking.get(table, frozenset())
        asked = [None if name in lacking else name for name in columns]
        statement = _range_statement(table, asked, key_columns, after, limit, where)
        session = self._connected()
        with session.transaction(snapshot=True):
            snapshot = Snapshot.parse(session.one("SELECT pg_catalog.pg_current_snapshot()")[0])
            _ask(session, statement, table)
            rows, whole, found = _some(session, limit)
        last = None
        if not whole:
            keys = [columns.index(name) for name in key_columns]
            last = tuple(_number(rows[-1][place], table) for place in keys)
        places = {name: at for at, name in enumerate(columns) if name not in lacking}
        return Range(rows, last, snapshot, {name: found[at] for name, at in places.items()})

    def estimate(self, table: str) -> int | None:
        """Return about how many rows a table has, as the planner has it; None: never analysed."""
        query = "SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass(%s)"
        session = self._connected()
        name = sql.Identifier(SCHEMA, table).as_string(None)
        found: int | None = session.one(query, [name])[0]
        return None if found is None or found < 0 else found

    def emit_mark(self, prefix: str, content: bytes | str) -> Lsn:
        """Write a message into the WAL, flushed: it comes in the stream at once.

        Returns the LSN behind it. A message that is not flushed would come when somebody else
        commits, or up to three times wal_writer_delay later.
        """
        session = self._connected()
        data = content.encode() if isinstance(content, str) else content
        if session.version >= _FLUSHES_MARKS:
            query = "SELECT pg_catalog.pg_logical_emit_message(false, %s, %s::bytea, true)"
        else:  # an xid, taken behind the message, makes the commit flush both
            query = (
                "SELECT pg_catalog.pg_logical_emit_message(false, %s, %s::bytea),"
                " pg_catalog.pg_current_xact_id()"
            )
        return parse_lsn(session.one(query, [prefix, data])[0])

    def current_lsn(self) -> Lsn:
        """Return how far the WAL is written."""
        return parse_lsn(self._connected().one("SELECT pg_catalog.pg_current_wal_lsn()")[0])

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _connected(self) -> Session:
        if self._session is None or self._session.closed:
            self._session = Session.connect(self.dsn, self.application_name)
        return self._session


def _ask(session: Session, statement: sql.Composed, table: str) -> None:
    try:
        session.execute(sql.SQL("DECLARE range NO SCROLL CURSOR FOR {}").format(statement))
    except StatementFailed as error:
        cause = error.__cause__
        if isinstance(cause, errors.UndefinedColumn | errors.UndefinedTable):
            raise SchemaChanged(str(error), table) from error
        raise


def _range_statement(
    table: str,
    columns: Sequence[str | None],
    key_columns: Sequence[str],
    after: Key | None,
    limit: int,
    where: tuple[str, frozenset[str]] | None,
) -> sql.Composed:
    keys = _names(key_columns)
    conditions: list[
        sql.Composable
    ] = [  # Odoo's ids are not negative: the stream passes them over
        sql.SQL("({} < 0) IS NOT TRUE").format(sql.Identifier(name)) for name in key_columns
    ]
    if after is not None:
        values = sql.SQL(", ").join([sql.Literal(value) for value in after])
        conditions.append(sql.SQL("({}) > ({})").format(keys, values))
    if where is not None:
        column, wanted = sql.Identifier(where[0]), sql.Literal(sorted(where[1]))
        conditions.append(sql.SQL("{} = ANY ({}::text[])").format(column, wanted))
    return sql.SQL("SELECT {} FROM ONLY {} WHERE {} ORDER BY {} LIMIT {}").format(
        sql.SQL(", ").join([sql.SQL("NULL") if n is None else sql.Identifier(n) for n in columns]),
        sql.Identifier(SCHEMA, table),
        sql.SQL(" AND ").join(conditions),
        keys,
        sql.Literal(limit),
    )


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(name) for name in names])


def _some(session: Session, limit: int) -> tuple[Rows, bool, list[int]]:
    """Return rows of the cursor, whether these are all that there are, and the columns' types."""
    rows: Rows = []
    types: list[int] = []
    size, most = 0, _FIRST
    while size < _BYTES and (wanted := min(most, limit - len(rows))) > 0:
        result = session.raw(sql.SQL("FETCH {} FROM range").format(sql.Literal(wanted)))
        types = [result.ftype(at) for at in range(result.nfields)]
        found = _rows(result)
        rows += found
        if len(found) < wanted:
            return rows, True, types
        size += sum(len(cell) for row in found for cell in row if cell is not None)
        most = min(_MOST, 2 * most)
    return rows, False, types


def _rows(result: PGresult) -> Rows:
    cell, columns = result.get_value, range(result.nfields)
    return [[cell(row, column) for column in columns] for row in range(result.ntuples)]


def _number(cell: bytes | None, table: str) -> int:
    if cell is None:
        raise StatementFailed(f"the table {table} has a row without a key")
    return int(cell)
