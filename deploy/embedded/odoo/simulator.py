"""Plays what people and crons do in an Odoo: real transactions, one after the other.

The same seed does the same to the same database, times included: they come from a clock of the
simulator's own, which the dice move on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from threading import Event
from types import TracebackType
from typing import Final, NamedTuple, Self

import psycopg

from embedded.odoo.plays import PLAYS
from embedded.odoo.plays.noise import Refused
from embedded.odoo.rows import EPOCH
from embedded.odoo.transaction import NothingThere, Transaction
from schemas.position import Lsn, parse_lsn

BULK: Final = 3_000
START: Final = EPOCH + timedelta(days=30)
"""After the last of the first rows."""

_TRIES: Final = 5
"""As often as Odoo's server repeats a call that met another one."""


class Step(NamedTuple):
    """One transaction; its commit record ends at or before `commit`, None when rolled back."""

    kind: str
    commit: Lsn | None


class Simulator:
    """One user of an Odoo; `bulk` is how many records a mass edit takes at most."""

    def __init__(self, dsn: str, seed: int = 1, *, bulk: int = BULK) -> None:
        """Connect; raises psycopg.OperationalError."""
        options = "-c timezone=UTC -c application_name=odoo"
        self._connection = psycopg.connect(dsn, autocommit=True, options=options)
        self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self._rng = Random(seed)  # noqa: S311 - dice
        self._now = START
        self._bulk = bulk
        self._kinds = list(PLAYS)
        self._weights = [play.weight for play in PLAYS.values()]

    def __enter__(self) -> Self:
        """Hand out the simulator itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        self._connection.close()

    def step(self) -> Step:
        """Play one transaction of a kind that the dice choose."""
        while True:
            (kind,) = self._rng.choices(self._kinds, self._weights)
            try:
                return self.play(kind)
            except NothingThere:
                continue

    def play(self, kind: str) -> Step:
        """Play one transaction of this kind; raise NothingThere where nothing is left for it."""
        act = PLAYS[kind].act
        self._now += timedelta(microseconds=self._rng.randrange(50_000, 5_000_000))
        for last in (*[False] * (_TRIES - 1), True):
            try:
                with self._connection.transaction(), self._connection.cursor() as cursor:
                    act(Transaction(cursor, self._rng, self._now, self._bulk))
                break
            except Refused:
                return Step(kind, None)
            except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                if last:
                    raise
        return Step(kind, self._where())

    def run(
        self,
        rate: float,
        seconds: float,
        *,
        each: Callable[[Step], None] | None = None,
        stop: Event | None = None,
    ) -> int:
        """Play `rate` transactions a second for so long, or until `stop`; return their number.

        Where the database is slower than that, none is skipped: they follow without a pause.
        """
        ended, begun, count = stop or Event(), time.monotonic(), 0
        while count < rate * seconds:
            if ended.wait(max(0.0, begun + count / rate - time.monotonic())):
                break
            if time.monotonic() > begun + seconds:
                break
            done = self.step()
            count += 1
            if each:
                each(done)
        return count

    def _where(self) -> Lsn:
        row = self._connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        return parse_lsn(row[0]) if row else Lsn(0)
