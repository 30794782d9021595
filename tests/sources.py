"""Databases that something happens in, one commit after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import psycopg

from schemas.position import Lsn, parse_lsn
from tests.workload import Player, Transaction


@dataclass(frozen=True, slots=True)
class Source:
    """An Odoo database; `play` commits one transaction after the other and stands still between.

    Each yield of `play` is one commit, however it was made.
    """

    dsn: str
    play: Callable[[], Generator[object]]

    def lsn(self) -> Lsn:
        """Return where the WAL ends."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            return _lsn(connection)

    def commits(self, most: int | None = None) -> Iterator[Lsn]:
        """Commit so many transactions, or all; yield a position at or behind each one's end."""
        with (
            psycopg.connect(self.dsn, autocommit=True) as connection,
            closing(self.play()) as played,
        ):
            for _ in islice(played, most):
                yield _lsn(connection)


def recorded(dsn: str, transactions: list[Transaction]) -> Source:
    """Play a recorded workload."""

    def play() -> Generator[object]:
        with Player(dsn) as player:
            yield from player.play(transactions)

    return Source(dsn, play)


def _lsn(connection: psycopg.Connection) -> Lsn:
    (row,) = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchall()
    return parse_lsn(row[0])
