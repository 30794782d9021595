"""A recorded workload: transactions as Odoo sent them, played one by one.

The file is SQL for psql. A line `-- op N name (time)` precedes each transaction, which stands
between BEGIN and COMMIT; sequences are set by lines that end in `\\g /dev/null`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psycopg
from psycopg import pq

from schemas.position import Lsn, parse_lsn

_HEAD: Final = re.compile(rb"^-- op (\d+) (\S+) \(.*\)\n", re.MULTILINE)
_QUIET: Final = rb" \g /dev/null"  # psql's way to show no result; to the server it is a semicolon
_WHERE: Final = b"SELECT pg_current_wal_insert_lsn();"
_SETTINGS: Final = "-c timezone=UTC -c client_min_messages=warning"


@dataclass(frozen=True, slots=True)
class Transaction:
    """What one call to Odoo wrote: `name` is the call's, `sql` goes from BEGIN to COMMIT."""

    number: int
    name: str
    sql: bytes


@dataclass(frozen=True, slots=True)
class Committed:
    """A transaction in the WAL: its commit record ends at or before `lsn`."""

    number: int
    name: str
    lsn: Lsn


def load(path: Path) -> list[Transaction]:
    """Read a workload, plain or compressed."""
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Transaction(
            int(head[1]), head[2].decode(), text[head.end() : end].replace(_QUIET, b";").strip()
        )
        for head, end in zip(heads, ends, strict=True)
    ]


class Player:
    """Plays transactions into a database, each in one round trip."""

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, options=_SETTINGS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def play(self, transactions: Iterable[Transaction]) -> Iterator[Committed]:
        """Yield each transaction once it is committed; the database stands still meanwhile."""
        for transaction in transactions:
            yield Committed(transaction.number, transaction.name, self.commit(transaction))

    def commit(self, transaction: Transaction) -> Lsn:
        """Play one; the simple protocol stops at the first statement that fails."""
        result = self._connection.pgconn.exec_(transaction.sql + b"\n" + _WHERE)
        if result.status != pq.ExecStatus.TUPLES_OK:
            said = result.get_error_message()
            raise AssertionError(f"op {transaction.number} {transaction.name}: {said}")
        value = result.get_value(0, 0)
        assert value is not None
        return parse_lsn(value.decode())
